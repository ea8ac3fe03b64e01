/* States between frames: arithmetic, and what is told at which tick. */
#include "node/interpolation.h"
#include "tests/node/node_suites.h"

#include <string.h>

#define PLAYER(i) (82u + 32u * (i))

enum { STATUS = 8, FRAME = 9, X = 0, Y = 4, PERCENT = 8, SHIELD = 10, SPEED_Y = 14 };
enum { STATE_AGE = 22, HITLAG = 24, STOCKS = 25, ACTION = 28 };

static void put(uint8_t *state, size_t at, uint32_t size, int64_t number)
{
    for (uint32_t i = 0; i < size; i++)
        state[at + i] = (uint8_t)((uint64_t)number >> 8 * i);
}

static int32_t get_signed(const uint8_t *state, size_t at, uint32_t size)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < size; i++)
        number |= (uint32_t)state[at + i] << 8 * i;
    return size == 2 ? (int16_t)number : (int32_t)number;
}

static void make_frame(uint8_t *state, uint32_t frame, int32_t x)
{
    memset(state, 0, ERX_SESSION_STATE_SIZE);
    state[STATUS] = 2;
    put(state, FRAME, 4, frame);
    put(state, PLAYER(0) + X, 4, x);
}

/* A number on its way, in x of player 1. */
static int32_t x_between(int32_t earlier, int32_t later, uint32_t step, uint32_t steps)
{
    uint8_t from[ERX_SESSION_STATE_SIZE], to[ERX_SESSION_STATE_SIZE], state[ERX_SESSION_STATE_SIZE];
    make_frame(from, 1, earlier);
    make_frame(to, 2, later);
    erx_state_interpolate(from, to, step, steps, state);
    return get_signed(state, PLAYER(0) + X, 4);
}

START_TEST(test_numbers_are_rounded_to_the_nearest)
{
    static const struct {
        int32_t earlier, later;
        uint32_t step, steps;
        int32_t expected;
    } cases[] = {
        {0, 100, 1, 4, 25},
        {0, 10, 1, 4, 3}, /* 2.5: away from the earlier */
        {0, 10, 3, 4, 8},
        {0, 9, 1, 4, 2},
        {0, -10, 1, 4, -3}, /* the same to the other side */
        {0, -9, 1, 4, -2},
        {10, 0, 1, 4, 7},
        {-7, 7, 1, 2, 0},
        {-1, 0, 1, 3, -1},
        {-1, 0, 2, 3, 0},
        {-300, -100, 1, 4, -250},
        {INT32_MIN, INT32_MAX, 1, 2, 0},
        {INT32_MAX, INT32_MIN, 1, 2, -1},
        {INT32_MIN, INT32_MAX, 59, 60, 2075900859},
        {5, 5, 1, 60, 5},
    };
    for (size_t i = 0; i < ERX_ARRAY_COUNT(cases); i++)
        ck_assert_msg(x_between(cases[i].earlier, cases[i].later, cases[i].step, cases[i].steps) ==
                          cases[i].expected,
                      "case %zu: %d", i,
                      x_between(cases[i].earlier, cases[i].later, cases[i].step, cases[i].steps));
}
END_TEST

START_TEST(test_both_ways_are_mirror_images)
{
    for (int32_t later = -200; later <= 200; later++)
        for (uint32_t step = 0; step <= 7; step++)
            ck_assert_int_eq(x_between(0, later, step, 7), -x_between(0, -later, step, 7));
}
END_TEST

START_TEST(test_continuous_numbers_move_and_the_others_hold)
{
    uint8_t from[ERX_SESSION_STATE_SIZE], to[ERX_SESSION_STATE_SIZE], state[ERX_SESSION_STATE_SIZE];
    make_frame(from, 7, 0);
    make_frame(to, 8, 0);
    uint8_t *first = from + PLAYER(1), *second = to + PLAYER(1);
    put(first, Y, 4, -4000), put(second, Y, 4, 4000);
    put(first, PERCENT, 2, 0), put(second, PERCENT, 2, 65535); /* without a sign */
    put(first, SHIELD, 2, 60000), put(second, SHIELD, 2, 40000);
    put(first, SPEED_Y, 2, -32768), put(second, SPEED_Y, 2, -32760);
    put(first, STATE_AGE, 2, 3), put(second, STATE_AGE, 2, 9);
    put(first, HITLAG, 1, 1), put(second, HITLAG, 1, 5);
    put(first, STOCKS, 1, 4), put(second, STOCKS, 1, 3);
    put(first, ACTION, 2, 14), put(second, ACTION, 2, 200);
    put(to, 186, 8, 12345); /* last_update */
    erx_state_interpolate(from, to, 1, 4, state);
    const uint8_t *player = state + PLAYER(1);
    ck_assert_int_eq(get_signed(player, Y, 4), -2000);
    ck_assert_uint_eq((uint16_t)get_signed(player, PERCENT, 2), 16384);
    ck_assert_uint_eq((uint16_t)get_signed(player, SHIELD, 2), 55000);
    ck_assert_int_eq(get_signed(player, SPEED_Y, 2), -32766);
    ck_assert_mem_eq(player + STATE_AGE, first + STATE_AGE, 10); /* and all behind it */
    ck_assert_mem_eq(state, from, PLAYER(0));
    ck_assert_mem_eq(state + PLAYER(2), from + PLAYER(2), ERX_SESSION_STATE_SIZE - PLAYER(2));
    erx_state_interpolate(from, to, 0, 4, state);
    ck_assert_mem_eq(state, from, sizeof state);
    erx_state_interpolate(from, to, 4, 4, state);
    ck_assert_mem_eq(state, to, sizeof state);
}
END_TEST

/* Takes a frame at its tick and says whether it is told as it is. */
static bool take(erx_interpolation_t *interpolation, uint32_t frame, int32_t x, uint64_t tick)
{
    uint8_t state[ERX_SESSION_STATE_SIZE];
    make_frame(state, frame, x);
    return erx_interpolation_take(interpolation, state, true, tick);
}

static void expect(erx_interpolation_t *interpolation, uint64_t tick, int32_t frame, int32_t x)
{
    uint8_t state[ERX_SESSION_STATE_SIZE];
    ck_assert(erx_interpolation_at(interpolation, tick, state));
    ck_assert_int_eq(get_signed(state, FRAME, 4), frame);
    ck_assert_int_eq(get_signed(state, PLAYER(0) + X, 4), x);
}

static void expect_nothing(erx_interpolation_t *interpolation, uint64_t tick)
{
    uint8_t state[ERX_SESSION_STATE_SIZE];
    ck_assert(!erx_interpolation_at(interpolation, tick, state));
}

START_TEST(test_one_state_a_tick_one_frame_late)
{
    erx_interpolation_t session;
    uint8_t state[ERX_SESSION_STATE_SIZE];
    make_frame(state, 10, 0);
    erx_interpolation_start(&session, 4, state);
    for (uint64_t tick = 40; tick < 44; tick++)
        expect_nothing(&session, tick); /* frame 10 was told as it is */
    ck_assert(!take(&session, 11, 100, 44));
    expect_nothing(&session, 44); /* where it begins, frame 10, is what was told last */
    expect(&session, 45, 10, 25);
    expect(&session, 46, 10, 50);
    expect(&session, 47, 10, 75);
    ck_assert(!take(&session, 12, 60, 48));
    expect(&session, 48, 11, 100);
    expect(&session, 49, 11, 90);
    ck_assert(!take(&session, 13, 0, 52)); /* ticks 50 and 51 were missed */
    expect(&session, 52, 12, 60);
}
END_TEST

START_TEST(test_a_session_that_stands_still_arrives)
{
    erx_interpolation_t session;
    uint8_t state[ERX_SESSION_STATE_SIZE];
    make_frame(state, 1, 0);
    erx_interpolation_start(&session, 2, state);
    ck_assert(!take(&session, 2, 8, 4));
    expect(&session, 5, 1, 4);
    expect(&session, 6, 2, 8); /* no frame came: the newest is told, once */
    expect_nothing(&session, 7);
    expect_nothing(&session, 1000);
    ck_assert(!take(&session, 3, 10, 1002));
    expect_nothing(&session, 1002);
    expect(&session, 1003, 2, 9);
}
END_TEST

START_TEST(test_what_is_no_next_frame_is_told_at_once)
{
    erx_interpolation_t session;
    uint8_t state[ERX_SESSION_STATE_SIZE];
    make_frame(state, 1, 0);
    erx_interpolation_start(&session, 4, state);
    ck_assert(!take(&session, 2, 8, 4));
    ck_assert(take(&session, 4, 100, 8)); /* a frame is missing */
    expect_nothing(&session, 9);
    ck_assert(!take(&session, 5, 108, 12));
    expect(&session, 13, 4, 102);
    make_frame(state, 6, 200);
    ck_assert(erx_interpolation_take(&session, state, false, 0)); /* by a transaction */
    expect_nothing(&session, 14);
    make_frame(state, 7, 300);
    state[STATUS] = 3; /* the end is not told late */
    ck_assert(erx_interpolation_take(&session, state, true, 16));
    expect_nothing(&session, 17);
}
END_TEST

Suite *interpolation_suite(void)
{
    Suite *suite = suite_create("interpolation");
    TCase *tests = tcase_create("interpolation");
    tcase_add_test(tests, test_numbers_are_rounded_to_the_nearest);
    tcase_add_test(tests, test_both_ways_are_mirror_images);
    tcase_add_test(tests, test_continuous_numbers_move_and_the_others_hold);
    tcase_add_test(tests, test_one_state_a_tick_one_frame_late);
    tcase_add_test(tests, test_a_session_that_stands_still_arrives);
    tcase_add_test(tests, test_what_is_no_next_frame_is_told_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}
