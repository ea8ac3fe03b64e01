#include "engine/transaction/recent.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/rng.h"

#include <string.h>

#define SEED UINT64_C(0x123456789abcdef)

static erx_recent_t *open_recent(uint32_t capacity)
{
    erx_recent_t *recent = NULL;
    erx_error_t error = {0};
    ck_assert_msg(erx_recent_open(capacity, sizeof(uint64_t), SEED, &recent, &error) == ERX_OK,
                  "%s", error.text);
    return recent;
}

static bool find(const erx_recent_t *recent, uint64_t key, uint32_t *age)
{
    return erx_recent_find(recent, &key, age);
}

/* What an array without any cleverness says. */
typedef struct {
    uint64_t keys[100000];
    uint32_t first, end;
} plain_t;

static void expect_same(const erx_recent_t *recent, const plain_t *plain, uint64_t key)
{
    uint32_t age = 0;
    uint32_t at = plain->end;
    while (at > plain->first && plain->keys[at - 1] != key)
        at--;
    bool found = find(recent, key, &age);
    if (found != (at > plain->first) || (found && age != plain->end - at))
        ck_abort_msg("key %llu: found %d, age %u", (unsigned long long)key, found, age);
}

/* Random pushes, drops and searches; few different keys, so that there are
 * repeated ones, and a capacity that is no power of two. */
START_TEST(test_finds_what_a_plain_array_finds)
{
    static const uint32_t capacities[] = {1, 2, 3, 7, 64, 100};
    static plain_t plain;
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    uint32_t capacity = capacities[_i];
    erx_recent_t *recent = open_recent(capacity);
    plain.first = plain.end = 0;
    for (int step = 0; step < 40000; step++) {
        uint64_t key = (uint64_t)erx_rng_range(&rng, 0, 2 * (int64_t)capacity);
        int64_t what = erx_rng_range(&rng, 0, 3);
        if (what == 0 && plain.end - plain.first < capacity) {
            ck_assert_uint_eq(erx_recent_push(recent, &key), erx_recent_place(recent, 0));
            plain.keys[plain.end++] = key;
        } else if (what == 1 && plain.end > plain.first) {
            erx_recent_drop(recent);
            plain.first++;
        }
        expect_same(recent, &plain, key);
        if (erx_recent_count(recent) != plain.end - plain.first)
            ck_abort_msg("step %d: count %u", step, erx_recent_count(recent));
    }
    for (uint32_t age = 0; age < plain.end - plain.first; age++)
        ck_assert_mem_eq(erx_recent_key(recent, age), &plain.keys[plain.end - 1 - age], 8);
    erx_recent_close(recent);
}
END_TEST

START_TEST(test_places_are_used_in_turn)
{
    erx_recent_t *recent = open_recent(3);
    bool used[3] = {false};
    for (uint64_t key = 0; key < 3; key++)
        used[erx_recent_push(recent, &key)] = true;
    ck_assert(used[0] && used[1] && used[2]);
    uint32_t oldest = erx_recent_place(recent, 2);
    erx_recent_drop(recent);
    ck_assert_uint_eq(erx_recent_push(recent, &(uint64_t){9}), oldest);
    erx_recent_close(recent);
}
END_TEST

START_TEST(test_capacities_out_of_range_are_refused)
{
    static const uint32_t capacities[] = {0, ERX_RECENT_CAPACITY_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < ERX_COUNT(capacities); i++) {
        erx_recent_t *recent = NULL;
        erx_error_t error;
        ck_assert_int_eq(erx_recent_open(capacities[i], 8, SEED, &recent, &error), ERX_ERR_RANGE);
        ck_assert_ptr_null(recent);
        ck_assert_msg(strstr(error.text, "must be 1 to 16777216") != NULL, "%s", error.text);
    }
    erx_recent_close(NULL);
}
END_TEST

Suite *recent_suite(void)
{
    Suite *suite = suite_create("recent");
    TCase *tcase = tcase_create("recent");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_finds_what_a_plain_array_finds, 0, 6);
    tcase_add_test(tcase, test_places_are_used_in_turn);
    tcase_add_test(tcase, test_capacities_out_of_range_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
