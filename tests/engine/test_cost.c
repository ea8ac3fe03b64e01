#include "engine/cost.h"

#include "tests/engine/engine_suites.h"

/* Splitting is cheaper for one session; from two on slices are. */
static const erx_cost_t cost = {
    .point_count = 3,
    .counts = {1, 2, 4},
    .slice_ns = {100, 180, 300},
    .split_ns = {60, 150, 400},
};

START_TEST(test_few_sessions_are_split_and_many_sliced)
{
    ck_assert(erx_cost_prefers_split(&cost, 1, 2));  /* 60 < 100 */
    ck_assert(!erx_cost_prefers_split(&cost, 2, 2)); /* 150 > 100: one each */
    ck_assert(!erx_cost_prefers_split(&cost, 3, 2)); /* 275 > 180 */
    ck_assert(!erx_cost_prefers_split(&cost, 4, 2)); /* 400 > 180 */
    ck_assert(!erx_cost_prefers_split(&cost, 64, 2));
}
END_TEST

START_TEST(test_nothing_to_split)
{
    ck_assert(!erx_cost_prefers_split(&cost, 1, 1));
    ck_assert(!erx_cost_prefers_split(&cost, 0, 2));
}
END_TEST

START_TEST(test_costs_between_points_are_interpolated)
{
    /* Slices of 3 of 5 sessions cost 200; the split is 201 or 199. */
    erx_cost_t between = {
        .point_count = 4,
        .counts = {1, 2, 4, 8},
        .slice_ns = {1000, 100, 300, 1000},
        .split_ns = {1000, 1000, 101, 501},
    };
    ck_assert(!erx_cost_prefers_split(&between, 5, 2)); /* 101 + 400 / 4 */
    between.split_ns[2] = 99;
    between.split_ns[3] = 499;
    ck_assert(erx_cost_prefers_split(&between, 5, 2));
}
END_TEST

/* Measured costs may fall where more sessions are stepped. */
START_TEST(test_falling_costs_are_interpolated)
{
    const erx_cost_t falling = {
        .point_count = 3,
        .counts = {1, 2, 4},
        .slice_ns = {500, 500, 500},
        .split_ns = {900, 700, 200},
    };
    ck_assert(!erx_cost_prefers_split(&falling, 2, 2));
    ck_assert(erx_cost_prefers_split(&falling, 3, 2)); /* 450 < 500 */
}
END_TEST

START_TEST(test_beyond_the_last_point_costs_grow_in_proportion)
{
    const erx_cost_t one = {.point_count = 1, .counts = {1}, .slice_ns = {100}, .split_ns = {60}};
    ck_assert(erx_cost_prefers_split(&one, 1, 2));
    ck_assert(!erx_cost_prefers_split(&one, 2, 2)); /* 120 > 100 */
    ck_assert(erx_cost_prefers_split(&one, 3, 2));  /* 180 < 200 */
    ck_assert(!erx_cost_prefers_split(&one, 4, 2)); /* 240 > 200 */
}
END_TEST

Suite *cost_suite(void)
{
    Suite *suite = suite_create("cost");
    TCase *tcase = tcase_create("cost");
    tcase_add_test(tcase, test_few_sessions_are_split_and_many_sliced);
    tcase_add_test(tcase, test_nothing_to_split);
    tcase_add_test(tcase, test_costs_between_points_are_interpolated);
    tcase_add_test(tcase, test_falling_costs_are_interpolated);
    tcase_add_test(tcase, test_beyond_the_last_point_costs_grow_in_proportion);
    suite_add_tcase(suite, tcase);
    return suite;
}
