/* The bundled model on the bundled trace against the committed hashes. */
#include "kernels/select.h"
#include "tests/engine/rig.h"
#include "tests/golden/hashes.h"
#include "tests/support/check_main.h"
#include "tools/trace.h"

#define TIMEOUT_SECONDS 300
#define GAMES           3u
#define NEIGHBOURS      4u
#ifdef ERX_SANITIZED
#define FRAMES 20u
#else
#define FRAMES HASHES_FRAMES
#endif

/* Games for which there are files, as make.sh has them. */
static const uint32_t games[GAMES] = {0, 13, 27};

static hashes_t hashes[GAMES];
static erx_trace_t trace;

static void setup(void)
{
    erx_error_t error = {0};
    ck_assert_msg(erx_trace_open(ERX_SOURCE_MODELS "/scripted.trace", &trace, &error) == ERX_OK,
                  "%s", error.text);
    for (uint32_t g = 0; g < GAMES; g++)
        hashes_read(ERX_SOURCE_GOLDEN, games[g], &hashes[g]);
}

static void teardown(void)
{
    erx_trace_close(&trace);
}

static erx_session_t *start_game(erx_model_t *model, const erx_trace_game_t *game)
{
    const erx_session_terms_t terms = {.stage = game->stage,
                                       .characters = {game->characters[0], game->characters[1]}};
    uint64_t handle = 0;
    erx_error_t error = {0};
    ck_assert_msg(erx_session_create(&model->sessions, &terms, &handle, &error) == ERX_OK, "%s",
                  error.text);
    return erx_session_find(&model->sessions, handle);
}

static void feed_game(erx_session_t *session, const erx_trace_game_t *game)
{
    const uint8_t(*control)[ERX_CONTROLLER_BYTES] = erx_trace_controllers(game, session->frame);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        erx_arena_input(session->arena, session->frame, p, control[p]);
}

/* Plays all games at once, among neighbours that come and go. */
static void play(const erx_engine_config_t *config)
{
    erx_engine_t *engine = rig_engine_open(NULL, config);
    erx_model_t *model = rig_engine_load(engine, ERX_SOURCE_MODELS "/world", GAMES + NEIGHBOURS);
    erx_trace_game_t played[GAMES];
    erx_session_t *sessions[GAMES], *neighbours[NEIGHBOURS];
    for (uint32_t i = 0; i < NEIGHBOURS; i++)
        neighbours[i] = rig_session_start(model, i, 0);
    for (uint32_t g = 0; g < GAMES; g++) {
        played[g] = erx_trace_game(&trace, games[g]);
        sessions[g] = start_game(model, &played[g]);
    }
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        erx_block_t *block = erx_engine_begin_block(engine, frame);
        for (uint32_t i = 0; i < frame % (NEIGHBOURS + 1); i++) {
            rig_session_feed(neighbours[i], i);
            (void)erx_block_add(block, model, neighbours[i]);
        }
        for (uint32_t g = 0; g < GAMES; g++) {
            feed_game(sessions[g], &played[g]);
            (void)erx_block_add(block, model, sessions[g]);
        }
        erx_engine_execute(engine);
        for (uint32_t g = 0; g < GAMES; g++)
            if (rig_session_hash(sessions[g], &model->shape) != hashes[g].expected[frame])
                ck_abort_msg("game %u, frame %u: kernel %s, %u workers, schedule %d", games[g],
                             frame + 1, erx_engine_kernel(engine)->name, config->worker_count,
                             (int)config->schedule);
    }
    erx_engine_close(engine);
}

START_TEST(test_bundled_model_plays_the_committed_games)
{
    static const struct {
        uint32_t worker_count;
        erx_schedule_t schedule;
    } ways[] = {
        {1, ERX_SCHEDULE_AUTO},  {2, ERX_SCHEDULE_SLICE}, {2, ERX_SCHEDULE_SPLIT},
        {3, ERX_SCHEDULE_SPLIT}, {4, ERX_SCHEDULE_SLICE}, {4, ERX_SCHEDULE_AUTO},
    };
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    if ((uint32_t)_i >= erx_kernel_list(kernels))
        return;
    for (size_t i = 0; i < ERX_COUNT(ways); i++)
        play(&(erx_engine_config_t){.worker_count = ways[i].worker_count,
                                    .isa = kernels[_i]->name,
                                    .schedule = ways[i].schedule});
}
END_TEST

static Suite *hashes_suite(void)
{
    Suite *suite = suite_create("hashes");
    TCase *tcase = tcase_create("hashes");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_bundled_model_plays_the_committed_games, 0, ERX_KERNELS_MAX);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    static const erx_suite_fn suites[] = {hashes_suite};
    return erx_check_run(suites, ERX_COUNT(suites));
}
