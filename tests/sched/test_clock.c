#include "sched/clock.h"
#include "tests/sched/sched_suites.h"
#include "tests/support/rng.h"

#define START_NS UINT64_C(123456789012345)

START_TEST(test_sixty_a_second_for_ten_minutes_has_no_drift)
{
    erx_crank_t crank = {.start_ns = START_NS, .rate_numerator = 60, .rate_denominator = 1};
    ck_assert_uint_eq(erx_crank_due(&crank, 0), START_NS);
    ck_assert_uint_eq(erx_crank_due(&crank, 1), START_NS + 16666666);
    ck_assert_uint_eq(erx_crank_due(&crank, 2), START_NS + 33333333);
    for (uint64_t second = 0; second <= 600; second++)
        ck_assert_uint_eq(erx_crank_due(&crank, 60 * second),
                          START_NS + second * ERX_NS_PER_SECOND);
}
END_TEST

START_TEST(test_ticks_are_never_more_than_a_nanosecond_uneven)
{
    erx_crank_t crank = {.start_ns = START_NS, .rate_numerator = 60, .rate_denominator = 1};
    uint64_t shortest = UINT64_MAX;
    uint64_t longest = 0;
    for (uint64_t tick = 0; tick < 36000; tick++) {
        uint64_t gap = erx_crank_due(&crank, tick + 1) - erx_crank_due(&crank, tick);
        shortest = ERX_MIN(shortest, gap);
        longest = ERX_MAX(longest, gap);
    }
    ck_assert_uint_eq(shortest, 16666666);
    ck_assert_uint_eq(longest, 16666667);
}
END_TEST

START_TEST(test_rational_rate_is_exact)
{
    /* 60000 / 1001 = 59.94 frames a second: 60000 ticks take 1001 seconds. */
    erx_crank_t crank = {.start_ns = START_NS, .rate_numerator = 60000, .rate_denominator = 1001};
    ck_assert_uint_eq(erx_crank_due(&crank, 1), START_NS + 16683333);
    ck_assert_uint_eq(erx_crank_due(&crank, 60), START_NS + UINT64_C(1001000000));
    for (uint64_t round = 1; round <= 100; round++)
        ck_assert_uint_eq(erx_crank_due(&crank, 60000 * round),
                          START_NS + 1001 * round * ERX_NS_PER_SECOND);
}
END_TEST

START_TEST(test_far_ticks_do_not_overflow)
{
    /* Ten years of 1000 ticks a second, at the largest terms. */
    uint64_t ticks = UINT64_C(10) * 365 * 86400 * 1000;
    erx_crank_t crank = {.rate_numerator = UINT32_MAX, .rate_denominator = UINT32_MAX / 1000};
    uint64_t due = erx_crank_due(&crank, ticks);
    uint64_t expected = UINT64_C(10) * 365 * 86400 * ERX_NS_PER_SECOND;
    /* UINT32_MAX / 1000 is rounded down by less than one part in 4 million. */
    ck_assert_uint_le(due, expected);
    ck_assert_uint_ge(due, expected - expected / 4000000);
}
END_TEST

START_TEST(test_due_times_are_floors_of_the_exact_quotient)
{
    erx_rng_t rng = erx_rng_open(2);
    for (int round = 0; round < 1000; round++) {
        erx_crank_t crank = {.rate_numerator = (uint32_t)erx_rng_range(&rng, 1, 100000),
                             .rate_denominator = (uint32_t)erx_rng_range(&rng, 1, 1001)};
        uint64_t tick = (uint64_t)erx_rng_range(&rng, 0, 1000000);
        uint64_t due = erx_crank_due(&crank, tick);
        /* due * n <= tick * d * 1e9 < (due + 1) * n; modulo 2^64 the
         * difference is exact, as it is below n. */
        uint64_t rest =
            tick * crank.rate_denominator * ERX_NS_PER_SECOND - due * crank.rate_numerator;
        ck_assert_uint_lt(rest, crank.rate_numerator);
    }
}
END_TEST

START_TEST(test_now_moves_and_sleep_reaches_its_time)
{
    uint64_t before = erx_clock_now();
    uint64_t due = before + 3000000;
    erx_clock_sleep_until(due);
    ck_assert_uint_ge(erx_clock_now(), due);
    erx_clock_sleep_until(before); /* past: returns at once */
    ck_assert_uint_ge(erx_clock_now(), due);
}
END_TEST

Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_add_test(tcase, test_sixty_a_second_for_ten_minutes_has_no_drift);
    tcase_add_test(tcase, test_ticks_are_never_more_than_a_nanosecond_uneven);
    tcase_add_test(tcase, test_rational_rate_is_exact);
    tcase_add_test(tcase, test_far_ticks_do_not_overflow);
    tcase_add_test(tcase, test_due_times_are_floors_of_the_exact_quotient);
    tcase_add_test(tcase, test_now_moves_and_sleep_reaches_its_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
