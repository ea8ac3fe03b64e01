#include "engine/bank/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "engine/bank/free_map.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/rng.h"

#define UNIT     ERX_ACCOUNTS_UNIT_BYTES
#define PAGE     ERX_ACCOUNTS_PAGE_BYTES
#define CAPACITY ERX_ACCOUNTS_CAPACITY_MIN

static const erx_accounts_config_t usual_config = {
    .account_capacity = CAPACITY,
    .heap_bytes = 4 * PAGE,
    .write_log_bytes = 1u << 20,
    .undo_log_bytes = 1u << 19,
};

static erx_accounts_t *open_table(const erx_accounts_config_t *config)
{
    erx_accounts_t *accounts = NULL;
    erx_error_t error;
    ck_assert_int_eq(erx_accounts_open(config, &accounts, &error), ERX_OK);
    return accounts;
}

static erx_account_entry_t plain(uint64_t name, uint32_t data_length)
{
    erx_account_entry_t entry = {
        .lamports = name, .data_length = data_length, .kind = ERX_ACCOUNT_PLAIN};
    memcpy(entry.key.bytes, &name, sizeof name);
    memset(entry.owner.bytes, 7, sizeof entry.owner.bytes);
    return entry;
}

static size_t image_bytes(const erx_accounts_t *accounts)
{
    return (size_t)erx_accounts_page_count(accounts) * PAGE;
}

/* Creates in a group of its own. */
static uint32_t create(erx_accounts_t *accounts, uint64_t name, uint32_t data_length)
{
    uint32_t index = ERX_ACCOUNT_NONE;
    erx_error_t error;
    const erx_account_entry_t entry = plain(name, data_length);
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

/* Applies what the next record would take to an older image, and clears it. */
static void seal(erx_accounts_t *accounts, uint8_t *image)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    const uint32_t *pages = erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_le(count, erx_accounts_written_pages_max(accounts));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = erx_accounts_page_patches_bytes(accounts, pages[i]);
        uint8_t *patches = malloc(size);
        erx_error_t error;
        ck_assert_uint_gt(size, 0);
        erx_accounts_page_patches_copy(accounts, pages[i], patches);
        ck_assert_int_eq(
            erx_accounts_page_apply(image + (size_t)pages[i] * PAGE, patches, size, &error),
            ERX_OK);
        free(patches);
        bytes += size;
    }
    ck_assert_uint_le(bytes, erx_accounts_patches_bytes_max(accounts));
    erx_accounts_written_clear(accounts);
    (void)erx_accounts_written_pages(accounts, &count);
    ck_assert_uint_eq(count, 0);
}

/* --- a simple model of what the table should hold --- */

typedef struct {
    bool is_used;
    uint64_t name;
    uint64_t lamports;
    uint64_t version;
    uint32_t length;
    uint8_t *data;
} model_account_t;

typedef struct {
    model_account_t accounts[CAPACITY];
    bool changed[CAPACITY];
} model_t;

static void model_copy(model_t *to, const model_t *from)
{
    for (uint32_t i = 0; i < CAPACITY; i++) {
        free(to->accounts[i].data);
        to->accounts[i] = from->accounts[i];
        to->accounts[i].data = calloc(from->accounts[i].length + 1u, 1);
        if (from->accounts[i].is_used)
            memcpy(to->accounts[i].data, from->accounts[i].data, from->accounts[i].length);
    }
    memcpy(to->changed, from->changed, sizeof to->changed);
}

static void model_free(model_t *model)
{
    for (uint32_t i = 0; i < CAPACITY; i++)
        free(model->accounts[i].data);
    free(model);
}

static void model_resize(model_account_t *account, uint32_t length)
{
    uint8_t *data = calloc(length + 1u, 1);
    if (account->is_used)
        memcpy(data, account->data, ERX_MIN(length, account->length));
    free(account->data);
    account->data = data;
    account->length = length;
}

/* Whether the table holds what the model holds. */
static bool agrees(const erx_accounts_t *accounts, const model_t *model)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        const model_account_t *expected = &model->accounts[i];
        if (erx_accounts_is_used(accounts, i) != expected->is_used)
            return false;
        if (!expected->is_used)
            continue;
        used++;
        const erx_account_entry_t *entry = erx_accounts_entry(accounts, i);
        erx_key_t key = plain(expected->name, 0).key;
        if (erx_accounts_find(accounts, &key) != i || entry->lamports != expected->lamports ||
            entry->version != expected->version || entry->data_length != expected->length ||
            memcmp(erx_accounts_data(accounts, i), expected->data, expected->length) != 0)
            return false;
    }
    return erx_accounts_count(accounts) == used;
}

static uint32_t draw_length(erx_rng_t *rng)
{
    switch (erx_rng_range(rng, 0, 3)) {
    case 0:
        return 0;
    case 1:
        return (uint32_t)erx_rng_range(rng, 1, 2 * UNIT);
    case 2:
        return UNIT * (uint32_t)erx_rng_range(rng, 1, 20);
    default:
        return (uint32_t)erx_rng_range(rng, 1, PAGE + 100);
    }
}

static void random_create(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    erx_error_t error;
    uint64_t name = (uint64_t)erx_rng_range(rng, 1, 90);
    uint32_t length = draw_length(rng), index = ERX_ACCOUNT_NONE;
    const erx_account_entry_t entry = plain(name, length);
    uint32_t known = erx_accounts_find(accounts, &entry.key);
    erx_status_t status = erx_accounts_create(accounts, &entry, &index, &error);
    if (known != ERX_ACCOUNT_NONE) {
        ck_assert_int_eq(status, ERX_ERR_STATE);
    } else if (status != ERX_OK) {
        ck_assert_int_eq(status, ERX_ERR_FULL);
    } else {
        uint32_t lowest = 0;
        while (model->accounts[lowest].is_used)
            lowest++;
        ck_assert_uint_eq(index, lowest);
        model_resize(&model->accounts[index], length);
        model->accounts[index].name = model->accounts[index].lamports = name;
        model->accounts[index].version = 0;
        model->accounts[index].is_used = model->changed[index] = true;
    }
}

static void random_write(erx_accounts_t *accounts, model_account_t *account, uint32_t index,
                         bool *changed, erx_rng_t *rng)
{
    erx_error_t error;
    uint32_t offset = (uint32_t)erx_rng_range(rng, 0, account->length);
    uint32_t size = (uint32_t)erx_rng_range(rng, 0, account->length - offset);
    uint8_t *bytes = malloc(size + 1u);
    erx_rng_fill(rng, bytes, size);
    if (erx_accounts_write(accounts, index, offset, bytes, size, &error) == ERX_OK) {
        memcpy(account->data + offset, bytes, size);
        *changed = true;
    }
    free(bytes);
}

static void random_step(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    erx_error_t error;
    uint32_t index = (uint32_t)erx_rng_range(rng, 0, CAPACITY - 1);
    model_account_t *account = &model->accounts[index];
    int64_t kind = erx_rng_range(rng, 0, 9);
    if (kind < 4 || !account->is_used) {
        random_create(accounts, model, rng);
    } else if (kind < 6) {
        random_write(accounts, account, index, &model->changed[index], rng);
    } else if (kind < 7) {
        erx_account_entry_t entry = *erx_accounts_entry(accounts, index);
        entry.lamports = account->lamports + 1;
        entry.version = 99;
        if (erx_accounts_update(accounts, index, &entry, &error) == ERX_OK) {
            account->lamports++;
            model->changed[index] = true;
        }
    } else if (kind < 9) {
        uint32_t length = draw_length(rng);
        if (erx_accounts_resize(accounts, index, length, &error) == ERX_OK) {
            model_resize(account, length);
            model->changed[index] = true;
        }
    } else if (erx_accounts_remove(accounts, index, &error) == ERX_OK) {
        account->is_used = false;
        model->changed[index] = true;
    }
}

/* A group of random changes, kept or undone; both table and model know it. */
static void random_group(erx_accounts_t *accounts, model_t *model, erx_rng_t *rng)
{
    model_t *before = calloc(1, sizeof *before);
    size_t size = image_bytes(accounts);
    uint8_t *image = malloc(size);
    memcpy(image, erx_accounts_image(accounts), size);
    memset(model->changed, 0, sizeof model->changed);
    model_copy(before, model);
    erx_accounts_begin(accounts);
    for (int64_t steps = erx_rng_range(rng, 1, 8); steps > 0; steps--)
        random_step(accounts, model, rng);
    uint32_t changed_count = 0, changed = 0;
    const uint32_t *indexes = erx_accounts_changed(accounts, &changed_count);
    for (uint32_t i = 0; i < changed_count; i++)
        ck_assert(model->changed[indexes[i]]);
    for (uint32_t i = 0; i < CAPACITY; i++)
        changed += model->changed[i];
    ck_assert_uint_eq(changed_count, changed);
    if (erx_rng_range(rng, 0, 2) == 0) {
        erx_accounts_rollback(accounts);
        ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), size), 0);
        model_copy(model, before);
    } else {
        erx_accounts_commit(accounts);
        for (uint32_t i = 0; i < CAPACITY; i++)
            model->accounts[i].version += model->changed[i];
    }
    model_free(before);
    free(image);
}

START_TEST(test_random_groups_agree_with_a_model)
{
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    erx_accounts_t *accounts = open_table(&usual_config);
    erx_accounts_t *rebuilt = open_table(&usual_config);
    model_t *model = calloc(1, sizeof *model);
    size_t size = image_bytes(accounts);
    uint8_t *sealed = calloc(1, size);
    erx_error_t error;
    for (uint32_t round = 0; round < 1500; round++) {
        random_group(accounts, model, &rng);
        if (erx_rng_range(&rng, 0, 3) == 0) {
            seal(accounts, sealed);
            ck_assert_int_eq(memcmp(sealed, erx_accounts_image(accounts), size), 0);
        }
        if (round % 100 == 99) {
            ck_assert(agrees(accounts, model));
            seal(accounts, sealed);
            memcpy(erx_accounts_image(rebuilt), sealed, size);
            ck_assert_int_eq(erx_accounts_rebuild(rebuilt, &error), ERX_OK);
            ck_assert(agrees(rebuilt, model));
            /* Go on with the table that knows only the image. */
            erx_accounts_t *other = accounts;
            accounts = rebuilt;
            rebuilt = other;
        }
    }
    ck_assert_uint_gt(erx_accounts_count(accounts), 0);
    model_free(model);
    free(sealed);
    erx_accounts_close(accounts);
    erx_accounts_close(rebuilt);
}
END_TEST

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
    erx_accounts_t *accounts = open_table(&usual_config);
    erx_error_t error;
    uint32_t first = create(accounts, 1, 3 * UNIT), second = create(accounts, 2, 10), third = 0;
    size_t size = image_bytes(accounts), capacity = 1u << 20;
    uint8_t *image = malloc(size), *log = malloc(capacity), *log_after = malloc(capacity);
    size_t log_bytes = record_bytes(accounts, log, capacity);
    memcpy(image, erx_accounts_image(accounts), size);
    const erx_account_entry_t reborn = plain(1, 5 * UNIT);

    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, second, 1, "abc", 3, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_remove(accounts, first, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_create(accounts, &reborn, &third, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_write(accounts, third, 0, "xyz", 3, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, second, 7 * UNIT, &error), ERX_OK);
    ck_assert_uint_eq(erx_accounts_find(accounts, &reborn.key), third);
    erx_accounts_rollback(accounts);

    ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), size), 0);
    ck_assert_uint_eq(erx_accounts_find(accounts, &reborn.key), first);
    ck_assert_uint_eq(erx_accounts_count(accounts), 2);
    ck_assert_uint_eq(record_bytes(accounts, log_after, capacity), log_bytes);
    ck_assert_int_eq(memcmp(log, log_after, log_bytes), 0);
    /* Heap that the group took is free again. */
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 3, UNIT))->heap_offset,
                      4 * UNIT);
    free(image);
    free(log);
    free(log_after);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_one_entry_costs_one_patch_a_record)
{
    erx_accounts_t *accounts = open_table(&usual_config);
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
    uint8_t *image = calloc(1, image_bytes(accounts));
    seal(accounts, image);
    ck_assert_int_eq(memcmp(image, erx_accounts_image(accounts), PAGE), 0);
    free(image);
    erx_accounts_close(accounts);
}
END_TEST

/* --- heap --- */

START_TEST(test_holes_are_filled_from_the_lowest)
{
    erx_accounts_t *accounts = open_table(&usual_config);
    uint32_t indexes[8];
    for (uint32_t i = 0; i < 8; i++)
        indexes[i] = create(accounts, i + 1, 4 * UNIT);
    remove_account(accounts, indexes[1]);
    remove_account(accounts, indexes[4]);
    remove_account(accounts, indexes[5]);
    /* Four units: into the first hole; five: into the second, which has eight. */
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 21, 3 * UNIT))->heap_offset,
                      4 * UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 22, 5 * UNIT))->heap_offset,
                      16 * UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, create(accounts, 23, 4 * UNIT))->heap_offset,
                      32 * UNIT);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_data_grows_where_it_lies_or_moves)
{
    erx_accounts_t *accounts = open_table(&usual_config);
    erx_error_t error;
    uint32_t first = create(accounts, 1, 2 * UNIT), second = create(accounts, 2, UNIT);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, first, 0, "kept", 4, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, second, 4 * UNIT, &error), ERX_OK);
    ck_assert_int_eq(erx_accounts_resize(accounts, first, 3 * UNIT, &error), ERX_OK);
    erx_accounts_commit(accounts);
    ck_assert_uint_eq(erx_accounts_entry(accounts, second)->heap_offset, 2 * UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, first)->heap_offset, 6 * UNIT);
    ck_assert_mem_eq(erx_accounts_data(accounts, first), "kept\0\0", 6);
    /* Its first place is free and zero. */
    uint32_t third = create(accounts, 3, 2 * UNIT);
    ck_assert_uint_eq(erx_accounts_entry(accounts, third)->heap_offset, 0);
    ck_assert_mem_eq(erx_accounts_data(accounts, third), "\0\0\0\0", 4);
    erx_accounts_close(accounts);
}
END_TEST

/* --- limits --- */

START_TEST(test_a_full_table_and_a_full_heap_refuse)
{
    erx_accounts_t *accounts = open_table(&usual_config);
    erx_error_t error;
    uint32_t index;
    (void)create(accounts, 1, 3 * PAGE + UNIT);
    erx_accounts_begin(accounts);
    erx_account_entry_t entry = plain(2, PAGE);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(error.text, "heap"));
    erx_accounts_rollback(accounts);
    for (uint64_t name = 2; name <= CAPACITY; name++)
        (void)create(accounts, name, 0);
    erx_accounts_begin(accounts);
    entry = plain(1000, 0);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(error.text, "all 64 accounts"));
    entry = plain(1, 0);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_STATE);
    entry = plain(1001, ERX_ACCOUNT_DATA_MAX + 1);
    ck_assert_int_eq(erx_accounts_create(accounts, &entry, &index, &error), ERX_ERR_RANGE);
    erx_accounts_rollback(accounts);
    erx_accounts_close(accounts);
}
END_TEST

START_TEST(test_full_logs_refuse_and_a_sealed_block_makes_room)
{
    erx_accounts_config_t config = usual_config;
    config.write_log_bytes = 8192;
    config.undo_log_bytes = 4096;
    erx_accounts_t *accounts = open_table(&config);
    uint8_t bytes[5000] = {1};
    erx_error_t error;
    uint32_t index = create(accounts, 1, sizeof bytes);
    uint8_t *image = calloc(1, image_bytes(accounts));
    seal(accounts, image);
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
    seal(accounts, image);
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
    erx_accounts_config_t config = usual_config;
    config.account_capacity = CAPACITY - 1;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
    config = usual_config;
    config.heap_bytes += UNIT;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
    config = usual_config;
    config.write_log_bytes = ERX_ACCOUNTS_LOG_BYTES_MAX + 1;
    ck_assert_int_eq(erx_accounts_open(&config, &accounts, &error), ERX_ERR_RANGE);
}
END_TEST

/* --- recovery --- */

START_TEST(test_patches_of_any_bytes_stay_in_their_page)
{
    erx_rng_t rng = erx_rng_open(77);
    erx_error_t error;
    uint8_t *page = calloc(1, PAGE + 64), patches[256];
    uint32_t refused = 0, taken = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t size = (uint32_t)erx_rng_range(&rng, 0, sizeof patches);
        erx_rng_fill(&rng, patches, size);
        if (size >= 8 && i % 2 == 0) {
            const uint32_t head[] = {(uint32_t)erx_rng_range(&rng, PAGE - 64, PAGE + 1),
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
        ck_assert_uint_eq(page[PAGE + i], 0);
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
    {CAPACITY * 128, 1, "free heap is not zero"},
    {PAGE + 3 * UNIT + 5, 1, "free heap is not zero"},
};

START_TEST(test_a_damaged_table_is_named)
{
    erx_accounts_t *accounts = open_table(&usual_config);
    erx_error_t error;
    uint8_t *image = calloc(1, image_bytes(accounts));
    uint32_t first = create(accounts, 1, 10);
    (void)create(accounts, 2, 2 * UNIT);
    (void)create(accounts, 3, 0);
    erx_accounts_begin(accounts);
    ck_assert_int_eq(erx_accounts_write(accounts, first, 9, "x", 1, &error), ERX_OK);
    erx_accounts_commit(accounts);
    seal(accounts, image);
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
    erx_accounts_t *accounts = open_table(&usual_config);
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
    tcase_add_loop_test(tcase, test_random_groups_agree_with_a_model, 0, 4);
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
