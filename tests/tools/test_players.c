#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/tools/tools_suites.h"
#include "tools/players.h"

#include <string.h>

#define SESSIONS    9u
#define GAME_FRAMES 40u

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_error_t error;
static erx_engine_t *engine;
static erx_model_t *model;
static uint8_t controllers[2][GAME_FRAMES * ERX_TRACE_FRAME_BYTES];
static const char *trace_path;
static erx_trace_t trace;

/* Two games with different inputs. */
static void write_trace(void)
{
    erx_trace_game_t games[2];
    for (uint32_t g = 0; g < 2; g++) {
        for (size_t i = 0; i < sizeof controllers[g]; i++)
            controllers[g][i] = (uint8_t)(i * (g + 3));
        games[g] = (erx_trace_game_t){
            .frame_count = GAME_FRAMES - g * 7, .stage = 31, .controllers = controllers[g]};
    }
    trace_path = erx_scratch_file(directory, "trace");
    ck_assert_int_eq(erx_trace_write(trace_path, games, 2, &error), ERX_OK);
    ck_assert_int_eq(erx_trace_open(trace_path, &trace, &error), ERX_OK);
}

static void setup(void)
{
    erx_fixture_t fixture;
    const erx_engine_config_t config = {.worker_count = 1};
    erx_scratch_make(directory);
    write_trace();
    erx_fixture_model(&erx_fixture_micro, 7, &fixture);
    erx_fixture_write(&fixture, directory);
    erx_fixture_free(&fixture);
    ck_assert_int_eq(erx_engine_open(&config, &engine, &error), ERX_OK);
    ck_assert_int_eq(erx_engine_load_model(engine, directory, SESSIONS, &model, &error), ERX_OK);
}

static void teardown(void)
{
    erx_engine_close(engine);
    erx_trace_close(&trace);
    erx_scratch_remove(directory);
}

static void play(erx_players_t *players, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        erx_players_feed(players);
        erx_block_add_all(erx_engine_begin_block(engine, 0), model);
        erx_engine_execute(engine);
    }
}

START_TEST(test_a_game_is_fed_from_its_first_frame_and_starts_over)
{
    erx_players_t players;
    uint8_t fed[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    ck_assert_int_eq(erx_players_open_game(&players, model, 2, &trace, 1, &error), ERX_OK);
    for (uint32_t frame = 0; frame < 2 * GAME_FRAMES; frame++) {
        play(&players, 1);
        erx_arena_controls(erx_players_session(&players, 1)->arena, fed);
        const uint8_t *expected =
            controllers[1] + frame % (GAME_FRAMES - 7) * ERX_TRACE_FRAME_BYTES;
        ck_assert_mem_eq(fed, expected, sizeof fed);
    }
    ck_assert_uint_eq(erx_players_session(&players, 0)->frame, 2 * GAME_FRAMES);
    ck_assert_uint_eq(erx_players_state_hash(&players, 0), erx_players_state_hash(&players, 1));
    erx_players_close(&players);
    ck_assert_uint_eq(model->sessions.used_count, 0);
}
END_TEST

START_TEST(test_rounds_end_one_after_the_other)
{
    erx_players_t players;
    const uint32_t round_frames = 18;
    bool fresh_together = true;
    ck_assert_int_eq(
        erx_players_open_mixed(&players, model, SESSIONS, &trace, 1, round_frames, &error), ERX_OK);
    for (uint32_t frame = 0; frame < 4 * round_frames; frame++) {
        uint32_t fresh = 0;
        play(&players, 1);
        for (uint32_t i = 0; i < SESSIONS; i++) {
            ck_assert_uint_le(erx_players_session(&players, i)->frame, round_frames);
            fresh += erx_players_session(&players, i)->frame == 1;
        }
        fresh_together = fresh_together && (fresh == 0 || fresh == SESSIONS);
    }
    ck_assert(!fresh_together);
    erx_players_close(&players);
}
END_TEST

static uint64_t hash_after(uint64_t seed, uint32_t frames)
{
    erx_players_t players;
    ck_assert_int_eq(erx_players_open_mixed(&players, model, SESSIONS, &trace, seed, 25, &error),
                     ERX_OK);
    play(&players, frames);
    uint64_t hash = erx_players_hash(&players);
    erx_players_close(&players);
    return hash;
}

START_TEST(test_the_hash_depends_on_seed_and_frames_alone)
{
    uint64_t hash = hash_after(1, 60);
    ck_assert_uint_eq(hash_after(1, 60), hash);
    ck_assert_uint_ne(hash_after(2, 60), hash);
    ck_assert_uint_ne(hash_after(1, 61), hash);
}
END_TEST

START_TEST(test_more_sessions_than_the_pool_holds_leave_nothing)
{
    erx_players_t players;
    ck_assert_int_eq(erx_players_open_game(&players, model, SESSIONS + 1, &trace, 0, &error),
                     ERX_ERR_FULL);
    ck_assert_uint_eq(model->sessions.used_count, 0);
}
END_TEST

Suite *players_suite(void)
{
    Suite *suite = suite_create("players");
    TCase *all = tcase_create("players");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_a_game_is_fed_from_its_first_frame_and_starts_over);
    tcase_add_test(all, test_rounds_end_one_after_the_other);
    tcase_add_test(all, test_the_hash_depends_on_seed_and_frames_alone);
    tcase_add_test(all, test_more_sessions_than_the_pool_holds_leave_nothing);
    suite_add_tcase(suite, all);
    return suite;
}
