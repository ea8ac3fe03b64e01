#include "node/verdicts.h"
#include "tests/node/node_suites.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS  3u
#define VERDICTS 50000u /* of each */

static erx_verdicts_t verdicts;

static bool add(uint8_t number, bool more)
{
    const uint8_t signature[ERX_SIGNATURE_SIZE] = {number};
    return erx_verdicts_add(&verdicts, signature, number % 2 == 0, more);
}

START_TEST(test_nobody_is_told_what_nobody_wants)
{
    ck_assert(!add(1, false));
    ck_assert_ptr_null(erx_verdicts_take(&verdicts));
    erx_verdicts_want(&verdicts);
    ck_assert(add(2, false));
    erx_verdicts_want_no_more(&verdicts);
    ck_assert(!add(3, false));
    erx_verdict_t *taken = erx_verdicts_take(&verdicts);
    ck_assert_uint_eq(taken->signature[0], 2);
    ck_assert(taken->is_good);
    ck_assert_ptr_null(taken->next);
    free(taken);
}
END_TEST

START_TEST(test_verdicts_are_taken_in_their_order)
{
    erx_verdicts_want(&verdicts);
    for (uint8_t i = 0; i < 5; i++)
        (void)add(i, false);
    erx_verdict_t *taken = erx_verdicts_take(&verdicts);
    ck_assert_ptr_null(erx_verdicts_take(&verdicts));
    for (uint8_t i = 0; i < 5; i++) {
        erx_verdict_t *next = taken->next;
        ck_assert_uint_eq(taken->signature[0], i);
        ck_assert(taken->is_good == (i % 2 == 0));
        free(taken);
        taken = next;
    }
    ck_assert_ptr_null(taken);
}
END_TEST

static void free_taken(void)
{
    erx_verdict_t *taken = erx_verdicts_take(&verdicts);
    while (taken != NULL) {
        erx_verdict_t *next = taken->next;
        free(taken);
        taken = next;
    }
}

/* The last one wakes, and every so many before it. */
START_TEST(test_verdicts_in_a_row_wake_once)
{
    erx_verdicts_want(&verdicts);
    for (uint32_t i = 1; i < ERX_VERDICTS_TOGETHER; i++)
        ck_assert(!add(0, true));
    ck_assert(add(0, true));
    ck_assert(!add(0, true));
    ck_assert(add(0, false));
    ck_assert(add(0, false));
    free_taken();
}
END_TEST

static void *write_verdicts(void *context)
{
    uint8_t signature[ERX_SIGNATURE_SIZE] = {*(const uint8_t *)context};
    for (uint32_t i = 0; i < VERDICTS; i++) {
        memcpy(signature + 4, &i, sizeof i);
        (void)erx_verdicts_add(&verdicts, signature, true, false);
    }
    return NULL;
}

/* Counts what is taken, each writer's in its order. */
static uint32_t take_in_order(uint32_t next[WRITERS])
{
    uint32_t count = 0;
    erx_verdict_t *taken = erx_verdicts_take(&verdicts);
    while (taken != NULL) {
        erx_verdict_t *following = taken->next;
        uint32_t number, *expected = &next[taken->signature[0]];
        memcpy(&number, taken->signature + 4, sizeof number);
        ck_assert(number == (*expected)++);
        free(taken);
        taken = following;
        count++;
    }
    return count;
}

START_TEST(test_many_threads_add_and_none_is_lost)
{
    pthread_t writers[WRITERS];
    uint8_t numbers[WRITERS];
    uint32_t next[WRITERS] = {0}, count = 0;
    erx_verdicts_want(&verdicts);
    for (uint8_t i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&writers[i], NULL, write_verdicts, &numbers[i]), 0);
    }
    while (count < WRITERS * VERDICTS) {
        count += take_in_order(next);
        (void)sched_yield();
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(pthread_join(writers[i], NULL), 0);
        ck_assert_uint_eq(next[i], VERDICTS);
    }
}
END_TEST

static void setup(void)
{
    memset(&verdicts, 0, sizeof verdicts);
}

Suite *verdicts_suite(void)
{
    Suite *suite = suite_create("verdicts");
    TCase *tests = tcase_create("verdicts");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, test_nobody_is_told_what_nobody_wants);
    tcase_add_test(tests, test_verdicts_are_taken_in_their_order);
    tcase_add_test(tests, test_verdicts_in_a_row_wake_once);
    tcase_add_test(tests, test_many_threads_add_and_none_is_lost);
    suite_add_tcase(suite, tests);
    return suite;
}
