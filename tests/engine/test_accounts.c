#include "engine/bank/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "engine/bank/free_map.h"
#include "tests/engine/accounts_trial.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

/* Creates in a group of its own. */
static uint32_t create(erx_accounts_t *accounts, uint64_t name, uint32_t data_length)
{
    uint32_t index = ERX_ACCOUNT_NONE;
    erx_error_t error;
    const erx_account_entry_t entry = accounts_trial_entry(name, data_length);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_OK);
    erx_accounts_commit(accounts);
    return index;
}

static void remove_account(erx_accounts_t *accounts, uint32_t index)
{
    erx_error_t error;
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_remove(accounts, index, &error), ERX_OK);
    erx_accounts_commit(accounts);
}

/* --- rollback --- */

/* All that a record would take, as one string of bytes. */
static size_t record_bytes(const erx_accounts_t *accounts, uint8_t *out, size_t capacity)
{
    uint32_t count = 0;
    size_t size = 0;
    const uint32_t *pages = erx_accounts_written_pages(accounts, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = erx_accounts_page_patches_bytes(accounts, pages[i]);
        ck_assert_uint_le(size + sizeof pages[i] + bytes, capacity);
        memcpy(out + size, &pages[i], sizeof pages[i]);
        erx_accounts_page_patches_copy(accounts, pages[i], out + size + sizeof pages[i]);
        size += sizeof pages[i] + bytes;
    }
    return size;
}

START_TEST(test_rollback_restores_image_index_and_write_log)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    erx_error_t error;
    uint32_t first = create(accounts, 1, 3 * TRIAL_UNIT), second = create(accounts, 2, 10),
             third = 0;
    size_t size = accounts_trial_image_bytes(accounts), capacity = 1u << 20;
    uint8_t *image = malloc(size), *log = malloc(capacity), *log_after = malloc(capacity);
    size_t log_bytes = record_bytes(accounts, log, capacity);
    memcpy(image, erx_accounts_image(accounts), size);
    const erx_account_entry_t reborn = accounts_trial_entry(1, 5 * TRIAL_UNIT);

    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, second, 1, "abc", 3, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_remove(accounts, first, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_create(accounts, &reborn, &third, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_write(accounts, third, 0, "xyz", 3, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, second, 7 * TRIAL_UNIT, &error), ERX_OK);
    ck_assert_uint_eq(erx_accounts_find(accounts, &reborn.key), third);
    erx_accounts_rollback(accounts);

    ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), size), 0);
    ck_assert_uint_eq(erx_accounts_find(accounts, &reborn.key), first);
    ck_assert_uint_eq(erx_accounts_count(accounts), 2);
    ck_assert_uint_eq(record_bytes(accounts, log_after, capacity), log_bytes);
    ck_assert_int_eq(memcmp(log, log_after, log_bytes), 0);
    /* Heap that the group took is free again. */
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 3, TRIAL_UNIT))->heap_offset,
                      4 * TRIAL_UNIT);
    free(image);
    free(log);
    free(log_after);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_one_entry_costs_one_patch_a_record)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    uint32_t index = create(accounts, 1, 0), count = 0;
    erx_error_t error;
    for (uint64_t i = 0; i < 100; i++) {
        erx_account_entry_t entry = *erx_accounts_entry(accounts, index);
        entry.lamports = i;
        erx_accounts_begin(accounts);
        ck_assert_int_eq(erx_accounts_update(accounts, index, &entry, &error), ERX_OK);
        erx_accounts_commit(accounts);
    }
    const uint32_t *pages = erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(erx_accounts_page_patches_bytes(accounts, pages[0]), 8 + 128);
    ck_assert_uint_eq(erx_accounts_entry(accounts, index)->version, 101);
    uint8_t *image = calloc(1, accounts_trial_image_bytes(accounts));
    accounts_trial_seal(accounts, image);
    ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), TRIAL_PAGE), 0);
    free(image);
    erx_accounts_close(accounts);
}
END_TEST

/* --- heap --- */

START_TEST(test_holes_are_filled_from_the_lowest)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    uint32_t indexes[8];
    for (uint32_t i = 0; i < 8; i++)
        indexes[i] = create(accounts, i + 1, 4 * TRIAL_UNIT);
    remove_account(accounts, indexes[1]);
    remove_account(accounts, indexes[4]);
    remove_account(accounts, indexes[5]);
    /* Four units: into the first hole; five: into the second, which has eight. */
    ck_assert_uint_eq(
        erx_accounts_entry(accounts, create(accounts, 21, 3 * TRIAL_UNIT))->heap_offset,
        4 * TRIAL_UNIT);
    ck_assert_uint_eq(
        erx_accounts_entry(accounts, create(accounts, 22, 5 * TRIAL_UNIT))->heap_offset,
        16 * TRIAL_UNIT);
    ck_assert_uint_eq(
        erx_accounts_entry(accounts, create(accounts, 23, 4 * TRIAL_UNIT))->heap_offset,
        32 * TRIAL_UNIT);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_data_grows_where_it_lies_or_moves)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    erx_error_t error;
    uint32_t first = create(accounts, 1, 2 * TRIAL_UNIT), second = create(accounts, 2, TRIAL_UNIT);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, first, 0, "kept", 4, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, second, 4 * TRIAL_UNIT, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, first, 3 * TRIAL_UNIT, &error), ERX_OK);
    erx_accounts_commit(accounts);
    ck_assert_uint_eq(erx_accounts_entry(accounts, second)->heap_offset, 2 * TRIAL_UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, first)->heap_offset, 6 * TRIAL_UNIT);
    ck_assert_mem_eq(erx_accounts_data(accounts, first), "kept\0\0", 6);
    /* Its first place is free and zero. */
    uint32_t third = create(accounts, 3, 2 * TRIAL_UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, third)->heap_offset, 0);
    ck_assert_mem_eq(erx_accounts_data(accounts, third), "\0\0\0\0", 4);
    erx_accounts_close(accounts);
}
END_TEST

/* --- limits --- */

START_TEST(test_a_full_table_and_a_full_heap_refuse)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    erx_error_t error;
    uint32_t index;
    (void)create(accounts, 1, 3 * TRIAL_PAGE + TRIAL_UNIT);
    erx_accounts_begin(accounts);
    erx_account_entry_t entry = accounts_trial_entry(2, TRIAL_PAGE);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(error.text, "heap"));
    erx_accounts_rollback(accounts);
    for (uint64_t name = 2; name <= TRIAL_CAPACITY; name++)
        (void)create(accounts, name, 0);
    erx_accounts_begin(accounts);
    entry = accounts_trial_entry(1000, 0);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(error.text, "all 64 accounts"));
    entry = accounts_trial_entry(1, 0);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_STATE);
    entry = accounts_trial_entry(1001, ERX_ACCOUNT_DATA_MAX + 1);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_RANGE);
    erx_accounts_rollback(accounts);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_full_logs_refuse_and_a_sealed_block_makes_room)
{
    erx_accounts_config_t config = accounts_trial_config;
    config.write_log_bytes = 8192;
    config.undo_log_bytes = 4096;
    erx_accounts_t *accounts = accounts_trial_open(&config);
    uint8_t bytes[5000] = {1};
    erx_error_t error;
    uint32_t index = create(accounts, 1, sizeof bytes);
    uint8_t *image = calloc(1, accounts_trial_image_bytes(accounts));
    accounts_trial_seal(accounts, image);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, index, 0, bytes, sizeof bytes, &error),
                     ERX_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(error.text, "at most 4096 bytes"));
    erx_accounts_rollback(accounts);
    uint32_t written = 0;
    for (;; written++) {
        erx_accounts_begin(accounts);
        if (erx_accounts_write(accounts, index, 0, bytes, 3000, &error) != ERX_OK)
            break;
        erx_accounts_commit(accounts);
    }
    ck_assert_uint_eq(written, 2);
    ck_assert_ptr_nonnull(strstr(error.text, "seal a block"));
    erx_accounts_rollback(accounts);
    accounts_trial_seal(accounts, image);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, index, 0, bytes, 3000, &error), ERX_OK);
    erx_accounts_commit(accounts);
    free(image);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_impossible_sizes_are_refused)
{
    erx_accounts_t *accounts;
    erx_error_t error;
    erx_accounts_config_t config = accounts_trial_config;
    config.account_capacity = TRIAL_CAPACITY - 1;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
    config = accounts_trial_config;
    config.heap_bytes += TRIAL_UNIT;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
    config = accounts_trial_config;
    config.write_log_bytes = ERX_ACCOUNTS_LOG_BYTES_MAX + 1;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
}
END_TEST

/* --- recovery --- */

START_TEST(test_patches_of_any_bytes_stay_in_their_page)
{
    erx_rng_t rng = erx_rng_open(77);
    erx_error_t error;
    uint8_t *page = calloc(1, TRIAL_PAGE + 64), patches[256];
    uint32_t refused = 0, taken = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t size = (uint32_t)erx_rng_range(&rng, 0, sizeof patches);
        erx_rng_fill(&rng, patches, size);
        if (size >= 8 && i % 2 == 0) {
            const uint32_t head[] = {(uint32_t)erx_rng_range(&rng, TRIAL_PAGE - 64, TRIAL_PAGE + 1),
                                     (uint32_t)erx_rng_range(&rng, 0, 80) |
                                         (i % 4 == 0 ? 0x80000000u : 0u)};
            memcpy(patches, head, sizeof head);
        }
        if (erx_accounts_page_apply(page, patches, size, &error) == ERX_OK)
            taken++;
        else
            refused++;
    }
    for (uint32_t i = 0; i < 64; i++)
        ck_assert_uint_eq(page[TRIAL_PAGE + i], 0);
    ck_assert_uint_gt(refused, 1000);
    ck_assert_uint_gt(taken, 10);
    free(page);
}
END_TEST

/* What a damaged image can hold: byte `at` of entry 0 or of the heap becomes
 * value, which recovery has to name. */
static const struct {
    size_t at;
    uint8_t value;
    const char *text;
} damages[] = {
    {offsetof(erx_account_entry_t, kind), 9, "entry 0: its kind"},
    {offsetof(erx_account_entry_t, kind), 0, "entry 0: it is free but not zero"},
    {offsetof(erx_account_entry_t, zero), 1, "entry 0: its reserved bytes"},
    {offsetof(erx_account_entry_t, data_length) + 3, 1, "entry 0: its data is longer"},
    {offsetof(erx_account_entry_t, heap_offset), 1, "entry 0: its data is not in the heap"},
    {offsetof(erx_account_entry_t, heap_offset) + 7, 1, "entry 0: its data is not in the heap"},
    {offsetof(erx_account_entry_t, heap_offset) + 1, 1, "entry 1: its data overlaps"},
    {offsetof(erx_account_entry_t, key), 2, "entry 1: an entry before it has its key"},
    {offsetof(erx_account_entry_t, data_length), 9, "entry 0: behind its data"},
    {128 * 2 + offsetof(erx_account_entry_t, heap_offset), 1, "entry 2: it has a place"},
    {TRIAL_CAPACITY * 128, 1, "free heap is not zero"},
    {TRIAL_PAGE + 3 * TRIAL_UNIT + 5, 1, "free heap is not zero"},
};

START_TEST(test_a_damaged_table_is_named)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    erx_error_t error;
    uint8_t *image = calloc(1, accounts_trial_image_bytes(accounts));
    uint32_t first = create(accounts, 1, 10);
    (void)create(accounts, 2, 2 * TRIAL_UNIT);
    (void)create(accounts, 3, 0);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, first, 9, "x", 1, &error), ERX_OK);
    erx_accounts_commit(accounts);
    accounts_trial_seal(accounts, image);
    ck_assert_int_eq(erx_accounts_rebuild(accounts, &error), ERX_OK);
    uint8_t *at = erx_accounts_image(accounts) + damages[_i].at;
    ck_assert_uint_ne(*at, damages[_i].value);
    *at = damages[_i].value;
    ck_assert_int_eq(erx_accounts_rebuild(accounts, &error), ERX_ERR_FORMAT);
    ck_assert_msg(strstr(error.text, damages[_i].text) != NULL, "%s", error.text);
    free(image);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_reset_leaves_an_empty_table)
{
    erx_accounts_t *accounts = accounts_trial_open(&accounts_trial_config);
    uint32_t count = 1;
    (void)create(accounts, 1, 100);
    erx_accounts_begin(accounts);
    erx_accounts_reset(accounts);
    (void)erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(erx_accounts_count(accounts), 0);
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 1, 100))->heap_offset, 0);
    erx_accounts_close(accounts);
}
END_TEST

/* The map against a plain array of flags. */
START_TEST(test_the_free_map_finds_the_lowest_place)
{
    enum { UNITS = 301 };
    erx_rng_t rng = erx_rng_open(5);
    erx_free_map_t map;
    erx_error_t error;
    bool taken[UNITS] = {false};
    ck_assert_int_eq(erx_free_map_open(&map, UNITS, &error), ERX_OK);
    for (uint32_t round = 0; round < 3000; round++) {
        uint64_t size = (uint64_t)erx_rng_range(&rng, 1, round % 3 == 0 ? 140 : 6);
        uint64_t expected = ERX_FREE_MAP_NONE;
        for (uint64_t place = 0, run = 0; place < UNITS && expected == ERX_FREE_MAP_NONE; place++) {
            run = taken[place] ? 0 : run + 1;
            if (run == size)
                expected = place + 1 - size;
        }
        uint64_t found = erx_free_map_find(&map, size);
        ck_assert_uint_eq(found, expected);
        if (found != ERX_FREE_MAP_NONE) {
            ck_assert(erx_free_map_is_free(&map, found, size));
            erx_free_map_take(&map, found, size);
            memset(taken + found, true, size);
        }
        uint64_t place = (uint64_t)erx_rng_range(&rng, 0, UNITS - 1), end = place;
        while (end < UNITS && taken[end])
            end++;
        if (end > place && round % 2 == 0) {
            ck_assert(!erx_free_map_is_free(&map, place, end - place));
            erx_free_map_give(&map, place, end - place);
            memset(taken + place, false, end - place);
        }
    }
    erx_free_map_close(&map);
}
END_TEST

Suite *accounts_suite(void)
{
    Suite *suite = suite_create("accounts");
    TCase *tcase = tcase_create("accounts");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_rollback_restores_image_index_and_write_log);
    tcase_add_test(tcase, test_one_entry_costs_one_patch_a_record);
    tcase_add_test(tcase, test_holes_are_filled_from_the_lowest);
    tcase_add_test(tcase, test_data_grows_where_it_lies_or_moves);
    tcase_add_test(tcase, test_a_full_table_and_a_full_heap_refuse);
    tcase_add_test(tcase, test_full_logs_refuse_and_a_sealed_block_makes_room);
    tcase_add_test(tcase, test_impossible_sizes_are_refused);
    tcase_add_test(tcase, test_patches_of_any_bytes_stay_in_their_page);
    tcase_add_loop_test(tcase, test_a_damaged_table_is_named, 0, ERX_COUNT(damages));
    tcase_add_test(tcase, test_reset_leaves_an_empty_table);
    tcase_add_test(tcase, test_the_free_map_finds_the_lowest_place);
    suite_add_tcase(suite, tcase);
    return suite;
}
