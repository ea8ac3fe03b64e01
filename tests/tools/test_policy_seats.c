/* Seats of sessions: the trace, a script or a policy plays each player, and what
 * a session does follows from the seed. */
#include "tests/support/model_fixture.h"
#include "tests/support/policy_fixture.h"
#include "tests/support/scratch.h"
#include "tests/tools/imitating_suites.h"
#include "tools/players.h"

#include <stdio.h>
#include <string.h>

#define SESSIONS    5u
#define GAME_FRAMES 30u

static char directory[ERX_SCRATCH_PATH_MAX];
static char policy_directory[ERX_SCRATCH_PATH_MAX];
static char source_text[ERX_SCRATCH_PATH_MAX + 16];
static erx_error_t error;
static uint8_t controllers[GAME_FRAMES * ERX_TRACE_FRAME_BYTES];
static erx_trace_t trace;

static void setup(void)
{
    erx_fixture_t model;
    erx_policy_fixture_t policy;
    erx_scratch_make(directory);
    erx_scratch_make(policy_directory);
    for (size_t i = 0; i < sizeof controllers; i++)
        controllers[i] = (uint8_t)(i * 5);
    const erx_trace_game_t game = {
        .frame_count = GAME_FRAMES, .stage = 31, .controllers = controllers};
    const char *path = erx_scratch_file(directory, "trace");
    ck_assert_int_eq(erx_trace_write(path, &game, 1, &error), ERX_OK);
    ck_assert_int_eq(erx_trace_open(path, &trace, &error), ERX_OK);
    erx_fixture_model(&erx_fixture_micro, 7, &model);
    erx_fixture_write(&model, directory);
    erx_fixture_free(&model);
    erx_policy_fixture_make(&erx_policy_fixture_small, 3, &policy);
    erx_policy_fixture_write(&policy, policy_directory);
    erx_policy_fixture_free(&policy);
}

static void teardown(void)
{
    erx_trace_close(&trace);
    erx_scratch_remove(policy_directory);
    erx_scratch_remove(directory);
}

static erx_seat_source_t source_of(const char *word)
{
    erx_seat_source_t source;
    (void)snprintf(source_text, sizeof source_text, "%s%s", word,
                   strchr(word, ':') != NULL ? policy_directory : "");
    ck_assert_msg(erx_seat_source_parse(source_text, &source, &error) == ERX_OK, "%s", error.text);
    return source;
}

/* Everything of one play. */
typedef struct {
    erx_engine_t *engine;
    erx_model_t *model;
    erx_seats_t seats;
    erx_players_t players;
} play_t;

static void open_play(play_t *play, const char *first, const char *second, uint64_t seed,
                      uint32_t round_frames, uint32_t workers)
{
    const erx_engine_config_t config = {.worker_count = workers};
    /* Sources keep the text that names the directory: both name the same. */
    const erx_seat_source_t sources[ERX_PLAYERS] = {source_of(first), source_of(second)};
    erx_seat_source_t seated[ERX_PLAYERS] = {sources[0], sources[1]};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        if (seated[p].directory != NULL)
            seated[p].directory = policy_directory;
    *play = (play_t){0};
    ck_assert_int_eq(erx_engine_open(&config, &play->engine, &error), ERX_OK);
    ck_assert_int_eq(erx_engine_load_model(play->engine, directory, SESSIONS, &play->model, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_players_open_mixed(&play->players, play->model, SESSIONS, &trace, seed,
                                            round_frames, &error),
                     ERX_OK);
    ck_assert_msg(
        erx_seats_open(&play->seats, seated, play->engine, SESSIONS, seed, false, &error) == ERX_OK,
        "%s", error.text);
    erx_players_seat(&play->players, &play->seats);
}

static void play_frames(play_t *play, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        erx_players_feed(&play->players);
        erx_block_add_all(erx_engine_begin_block(play->engine, 0), play->model);
        erx_engine_execute(play->engine);
    }
}

static void close_play(play_t *play)
{
    erx_players_close(&play->players);
    erx_seats_close(&play->seats);
    erx_engine_close(play->engine);
}

START_TEST(test_sources_are_read_or_refused)
{
    static const char *const wrong[] = {
        "", "policy", "policy:", "steady:", "trace:x", "Script", "bot", "scripted"};
    erx_seat_source_t source;
    ck_assert_int_eq(erx_seat_source_parse("policy:a b", &source, &error), ERX_OK);
    ck_assert_int_eq(source.kind, ERX_SEAT_POLICY);
    ck_assert_str_eq(source.directory, "a b");
    ck_assert(!source.steady);
    ck_assert_int_eq(erx_seat_source_parse("steady:x", &source, &error), ERX_OK);
    ck_assert(source.kind == ERX_SEAT_POLICY && source.steady);
    ck_assert_int_eq(erx_seat_source_parse("trace", &source, &error), ERX_OK);
    ck_assert_int_eq(source.kind, ERX_SEAT_TRACE);
    ck_assert_int_eq(erx_seat_source_parse("script", &source, &error), ERX_OK);
    ck_assert_int_eq(source.kind, ERX_SEAT_SCRIPT);
    for (uint32_t i = 0; i < ERX_COUNT(wrong); i++)
        ck_assert_int_eq(erx_seat_source_parse(wrong[i], &source, &error), ERX_ERR_ARGUMENT);
}
END_TEST

START_TEST(test_each_player_is_played_by_its_own_source)
{
    play_t play;
    uint8_t fed[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    erx_script_t script;
    open_play(&play, "script", "trace", 1, 0, 1);
    erx_script_start(&script, 1, 0, 0);
    uint32_t from_script = 0;
    for (uint32_t f = 0; f < GAME_FRAMES; f++) {
        play_frames(&play, 1);
        erx_arena_controls(erx_players_session(&play.players, 2)->arena, fed);
        const erx_player_pair_t *pair = &play.players.pairs[2];
        const uint8_t(*traced)[ERX_CONTROLLER_BYTES] =
            erx_trace_controllers(&pair->game, pair->offset + f);
        ck_assert_mem_eq(fed[1], traced[1], ERX_CONTROLLER_BYTES);
        from_script += memcmp(fed[0], traced[0], ERX_CONTROLLER_BYTES) != 0;
    }
    ck_assert_uint_gt(from_script, GAME_FRAMES / 2);
    close_play(&play);
}
END_TEST

/* A policy alone, shown what the session showed, says what was fed. */
START_TEST(test_a_policy_is_shown_the_session_and_its_answer_is_fed)
{
    play_t play;
    open_play(&play, "trace", "steady:", 1, 0, 1);
    const erx_policy_config_t config = {.kernel = erx_engine_kernel(play.engine),
                                        .seat_capacity = 1};
    const erx_policy_seat_terms_t terms = {.player = 1, .steady = true};
    erx_policy_turn_t turn = {0};
    erx_policy_t *policy;
    ck_assert_int_eq(erx_policy_open(&policy, policy_directory, &config, &error), ERX_OK);
    ck_assert_int_eq(erx_policy_seat_create(policy, &terms, &turn.seat, &error), ERX_OK);
    for (uint32_t f = 0; f < GAME_FRAMES; f++) {
        erx_session_t *session = erx_players_session(&play.players, 3);
        const erx_world_t world = *erx_arena_world(session->arena);
        uint8_t fed[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
        turn.world = &world;
        erx_policy_play(policy, &turn, 1);
        play_frames(&play, 1);
        erx_arena_controls(session->arena, fed);
        ck_assert_mem_eq(fed[1], turn.control, ERX_CONTROLLER_BYTES);
    }
    erx_policy_close(policy);
    close_play(&play);
}
END_TEST

static uint64_t hash_after(uint64_t seed, uint32_t workers)
{
    play_t play;
    open_play(&play, "policy:", "policy:", seed, 17, workers);
    play_frames(&play, 60);
    uint64_t hash = erx_players_hash(&play.players);
    close_play(&play);
    return hash;
}

START_TEST(test_the_hash_depends_on_the_seed_and_not_on_workers)
{
    uint64_t hash = hash_after(1, 1);
    ck_assert_uint_eq(hash_after(1, 1), hash);
    ck_assert_uint_ne(hash_after(2, 1), hash);
    erx_topo_t topo;
    ck_assert_int_eq(erx_topo_read(NULL, &topo, &error), ERX_OK);
    if (topo.cpu_count > 1)
        ck_assert_uint_eq(hash_after(1, 2), hash);
}
END_TEST

START_TEST(test_a_policy_that_is_not_there_leaves_nothing_open)
{
    play_t play;
    static const erx_seats_t nothing;
    open_play(&play, "trace", "trace", 1, 0, 1);
    const erx_seat_source_t sources[ERX_PLAYERS] = {
        {.kind = ERX_SEAT_SCRIPT}, {.kind = ERX_SEAT_POLICY, .directory = directory}};
    erx_seats_t seats;
    ck_assert_int_ne(erx_seats_open(&seats, sources, play.engine, SESSIONS, 1, false, &error),
                     ERX_OK);
    ck_assert_ptr_nonnull(strstr(error.text, "erx_policy_v1"));
    ck_assert_mem_eq(&seats, &nothing, sizeof seats);
    close_play(&play);
}
END_TEST

Suite *policy_seats_suite(void)
{
    Suite *suite = suite_create("policy_seats");
    TCase *all = tcase_create("policy_seats");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_sources_are_read_or_refused);
    tcase_add_test(all, test_each_player_is_played_by_its_own_source);
    tcase_add_test(all, test_a_policy_is_shown_the_session_and_its_answer_is_fed);
    tcase_add_test(all, test_the_hash_depends_on_the_seed_and_not_on_workers);
    tcase_add_test(all, test_a_policy_that_is_not_there_leaves_nothing_open);
    suite_add_tcase(suite, all);
    return suite;
}
