/* The crank's grid: exact rates, missed ticks, blocks in between. */
#include "node/crank.h"
#include "tests/node/node_suites.h"

#include <inttypes.h>

static const erx_rate_t sixty = {60, 1};

START_TEST(test_sixty_hertz_does_not_drift)
{
    /* Every third tick of 60 Hz is due at a whole multiple of 50 ms. */
    for (uint64_t tick = 0; tick <= 36000; tick += 3)
        ck_assert_uint_eq(erx_crank_tick_ns(sixty, tick), tick / 3 * 50 * ERX_MILLISECOND_NS);
    ck_assert_uint_eq(erx_crank_tick_ns(sixty, 1), 16666666);
    ck_assert_uint_eq(erx_crank_tick_ns(sixty, UINT64_C(60) * 86400 * 365),
                      UINT64_C(31536000) * ERX_SECOND_NS);
}
END_TEST

START_TEST(test_fractions_are_exact)
{
    erx_rate_t film = {60000, 1001};
    ck_assert_uint_eq(erx_crank_tick_ns(film, 60000), 1001 * ERX_SECOND_NS);
}
END_TEST

START_TEST(test_ticks_in_time_are_all_run)
{
    erx_crank_grid_t grid;
    erx_crank_start(&grid, sixty, 16 * ERX_MILLISECOND_NS, 1000);
    uint64_t now = 1000;
    for (uint64_t tick = 0; tick < 600; tick++) {
        erx_crank_step_t step = erx_crank_next(&grid, now);
        ck_assert(step.is_tick);
        ck_assert_uint_eq(step.tick, tick);
        ck_assert_uint_eq(step.due_ns, 1000 + erx_crank_tick_ns(sixty, tick));
        now = step.due_ns + 200000; /* it took a while */
    }
    ck_assert_uint_eq(grid.missed, 0);
}
END_TEST

START_TEST(test_missed_ticks_are_counted_and_not_made_up_for)
{
    erx_crank_grid_t grid;
    erx_crank_start(&grid, sixty, 16 * ERX_MILLISECOND_NS, 0);
    (void)erx_crank_next(&grid, 0); /* tick 0 */
    /* Busy until 120 ms: ticks 1 to 6 are over, 7 (at 116.7 ms) is late. */
    erx_crank_step_t step = erx_crank_next(&grid, 120 * ERX_MILLISECOND_NS);
    ck_assert(step.is_tick);
    ck_assert_uint_eq(step.tick, 7);
    ck_assert_uint_eq(grid.missed, 6);
    step = erx_crank_next(&grid, 121 * ERX_MILLISECOND_NS);
    ck_assert_uint_eq(step.tick, 8);
    ck_assert_uint_eq(step.due_ns, erx_crank_tick_ns(sixty, 8));
    ck_assert_uint_eq(grid.missed, 6);
}
END_TEST

START_TEST(test_short_blocks_stand_between_ticks)
{
    erx_crank_grid_t grid;
    erx_crank_start(&grid, sixty, 10 * ERX_MILLISECOND_NS, 0);
    (void)erx_crank_next(&grid, 0);
    erx_crank_step_t step = erx_crank_next(&grid, 1);
    ck_assert(!step.is_tick);
    ck_assert_uint_eq(step.due_ns, 10 * ERX_MILLISECOND_NS);
    step = erx_crank_next(&grid, step.due_ns);
    ck_assert(step.is_tick);
    ck_assert_uint_eq(step.tick, 1);
}
END_TEST

START_TEST(test_late_blocks_do_not_bunch)
{
    erx_crank_grid_t grid;
    erx_crank_start(&grid, (erx_rate_t){1, 1}, 10 * ERX_MILLISECOND_NS, 0);
    (void)erx_crank_next(&grid, 0);
    uint64_t now = 505 * ERX_MILLISECOND_NS; /* fifty blocks were due */
    erx_crank_step_t step = erx_crank_next(&grid, now);
    ck_assert_uint_eq(step.due_ns, 500 * ERX_MILLISECOND_NS);
    step = erx_crank_next(&grid, now);
    ck_assert_uint_eq(step.due_ns, 510 * ERX_MILLISECOND_NS);
}
END_TEST

Suite *grid_suite(void)
{
    Suite *suite = suite_create("grid");
    TCase *tests = tcase_create("grid");
    tcase_add_test(tests, test_sixty_hertz_does_not_drift);
    tcase_add_test(tests, test_fractions_are_exact);
    tcase_add_test(tests, test_ticks_in_time_are_all_run);
    tcase_add_test(tests, test_missed_ticks_are_counted_and_not_made_up_for);
    tcase_add_test(tests, test_short_blocks_stand_between_ticks);
    tcase_add_test(tests, test_late_blocks_do_not_bunch);
    suite_add_tcase(suite, tests);
    return suite;
}
