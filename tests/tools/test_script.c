#include "tests/support/shared.h"
#include "tests/tools/tools_suites.h"
#include "tools/input_statistics.h"
#include "tools/script_game.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAMES  200u
#define FRAMES 900u

static uint8_t controllers[FRAMES * ERX_TRACE_FRAME_BYTES];
static uint8_t others[FRAMES * ERX_TRACE_FRAME_BYTES];

static double ratio(uint64_t part, uint64_t whole)
{
    return (double)part / (double)whole;
}

static bool near(double value, double expected, double tolerance)
{
    return fabs(value - expected) <= tolerance * expected;
}

/* Shares and lengths of the statistics are the recorded ones, within a part
 * of them; rare things get the larger one. */
static void expect_recorded(const erx_input_statistics_t *seen, double common, double rare)
{
    uint32_t count = 0;
    const erx_script_move_t *moves = erx_script_moves(&count);
    ck_assert_uint_le(count, ERX_INPUT_MOVES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        double share = ratio(seen->move_frames[i], seen->frames);
        double tolerance = moves[i].share >= 500 ? common : rare;
        ck_assert_msg(near(share, moves[i].share / 1e4, tolerance), "%s: %.4f, not %.4f",
                      moves[i].name, share, moves[i].share / 1e4);
    }
    const erx_script_press_t *presses = erx_script_presses();
    for (uint32_t i = 0; i < ERX_SCRIPT_PRESSES; i++) {
        double interval = ratio(seen->frames, seen->press_runs[i]);
        double hold = ratio(seen->press_frames[i], seen->press_runs[i]);
        ck_assert_msg(near(interval, presses[i].interval / 100.0, rare), "%s: every %.1f, not %.1f",
                      presses[i].name, interval, presses[i].interval / 100.0);
        ck_assert_msg(near(hold, presses[i].hold / 100.0, common), "%s: held %.2f, not %.2f",
                      presses[i].name, hold, presses[i].hold / 100.0);
    }
}

START_TEST(test_scripted_play_has_the_recorded_proportions)
{
    erx_input_statistics_t seen = {0};
    for (uint32_t game = 0; game < GAMES; game++) {
        erx_trace_game_t played = erx_script_game(1, game, FRAMES, controllers);
        erx_input_statistics_add(&seen, &played);
    }
    ck_assert_uint_eq(seen.frames, (uint64_t)GAMES * FRAMES * ERX_PLAYERS);
    expect_recorded(&seen, 0.06, 0.12);
    ck_assert(near(ratio(seen.left, seen.right), 1, 0.05));
}
END_TEST

/* The constants of script.c are what the recordings say. */
START_TEST(test_recorded_proportions_are_those_of_the_recordings)
{
    erx_shared_file_t file;
    if (!erx_shared_map("data/traces.bin", &file))
        return;
    erx_trace_t trace;
    erx_error_t error;
    ck_assert_int_eq(erx_trace_read(file.bytes, file.size, &trace, &error), ERX_OK);
    erx_input_statistics_t seen = {0};
    for (uint32_t k = 0; k < trace.game_count; k++) {
        erx_trace_game_t game = erx_trace_game(&trace, k);
        erx_input_statistics_add(&seen, &game);
    }
    expect_recorded(&seen, 0.015, 0.02);
}
END_TEST

START_TEST(test_equal_seeds_give_equal_games)
{
    erx_trace_game_t game = erx_script_game(7, 3, FRAMES, controllers);
    erx_trace_game_t again = erx_script_game(7, 3, FRAMES, others);
    ck_assert_mem_eq(controllers, others, sizeof controllers);
    ck_assert_uint_eq(game.stage, again.stage);
    ck_assert_mem_eq(game.characters, again.characters, sizeof game.characters);
}
END_TEST

START_TEST(test_other_seeds_games_and_players_differ)
{
    (void)erx_script_game(7, 3, FRAMES, controllers);
    (void)erx_script_game(8, 3, FRAMES, others);
    ck_assert_mem_ne(controllers, others, sizeof controllers);
    (void)erx_script_game(7, 4, FRAMES, others);
    ck_assert_mem_ne(controllers, others, sizeof controllers);
    uint32_t equal = 0;
    for (uint32_t frame = 0; frame < FRAMES; frame++)
        equal += memcmp(controllers + frame * ERX_TRACE_FRAME_BYTES,
                        controllers + frame * ERX_TRACE_FRAME_BYTES + ERX_CONTROLLER_BYTES,
                        ERX_CONTROLLER_BYTES) == 0;
    ck_assert_uint_lt(equal, FRAMES / 2);
}
END_TEST

START_TEST(test_longer_game_begins_with_the_shorter_one)
{
    (void)erx_script_game(1, 0, FRAMES, controllers);
    (void)erx_script_game(1, 0, 100, others);
    ck_assert_mem_eq(controllers, others, 100 * ERX_TRACE_FRAME_BYTES);
}
END_TEST

START_TEST(test_players_meet_and_never_stray_far)
{
    for (uint32_t game = 0; game < GAMES; game++) {
        (void)erx_script_game(5, game, FRAMES, controllers);
        for (uint32_t player = 0; player < ERX_PLAYERS; player++) {
            /* In frames of full tilt, from where the player starts. */
            double place = 0;
            double farthest = 0;
            double toward = 0;
            for (uint32_t frame = 0; frame < FRAMES; frame++) {
                const uint8_t *at =
                    controllers + frame * ERX_TRACE_FRAME_BYTES + player * ERX_CONTROLLER_BYTES;
                place += (int8_t)at[0] / (double)ERX_STICK_MAX;
                double inward = player == 0 ? place : -place;
                farthest = fmax(farthest, fabs(inward - 15));
                toward = fmax(toward, inward);
            }
            ck_assert_double_lt(farthest, 42);
            ck_assert_double_gt(toward, 10);
        }
    }
}
END_TEST

START_TEST(test_settings_are_legal_and_varied)
{
    static const uint8_t legal[] = {2, 3, 8, 28, 31, 32};
    uint64_t stages = 0;
    uint64_t characters = 0;
    for (uint32_t k = 0; k < 32; k++) {
        erx_trace_game_t game = erx_script_game(1, k, 1, controllers);
        ck_assert_ptr_nonnull(memchr(legal, game.stage, sizeof legal));
        stages |= UINT64_C(1) << game.stage;
        for (uint32_t player = 0; player < ERX_PLAYERS; player++) {
            ck_assert_uint_lt(game.characters[player], ERX_CHARACTERS);
            characters |= UINT64_C(1) << game.characters[player];
        }
    }
    ck_assert_int_eq(__builtin_popcountll(stages), (int)sizeof legal);
    ck_assert_int_ge(__builtin_popcountll(characters), 10);
}
END_TEST

Suite *script_suite(void)
{
    Suite *suite = suite_create("script");
    TCase *tcase = tcase_create("play");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_scripted_play_has_the_recorded_proportions);
    tcase_add_test(tcase, test_recorded_proportions_are_those_of_the_recordings);
    tcase_add_test(tcase, test_equal_seeds_give_equal_games);
    tcase_add_test(tcase, test_other_seeds_games_and_players_differ);
    tcase_add_test(tcase, test_longer_game_begins_with_the_shorter_one);
    tcase_add_test(tcase, test_players_meet_and_never_stray_far);
    tcase_add_test(tcase, test_settings_are_legal_and_varied);
    suite_add_tcase(suite, tcase);
    return suite;
}
