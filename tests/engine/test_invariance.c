/* What a session computes is a function of its inputs alone: the same bytes
 * for every kernel, number of workers, schedule, company in its blocks, order
 * of arrival and slot. Models of different shapes and architectures play in one
 * engine at once throughout. */
#include "kernels/select.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"
#include "tests/support/rng.h"

#include <string.h>

#define TIMEOUT_SECONDS 300
#define WORKERS_MAX     4u
#define MODELS          5u
#ifdef ERX_SANITIZED
#define FRAMES 3u /* that every session plays */
#else
#define FRAMES 5u
#endif
/* More than a group of any of the models, and odd. */
#define SESSIONS 37u

static const erx_shape_t odd_shape = {.d_model = 32,
                                      .d_inner = 64,
                                      .d_state = 128,
                                      .layer_count = 3,
                                      .head_count = 4,
                                      .head_dim = 16};

/* How the sessions of a run meet in blocks. */
typedef enum {
    ALL_TOGETHER, /* every session in every block */
    ALTERNATING,  /* even numbers in even blocks, odd ones in odd blocks */
    AT_RANDOM,    /* a random part of them, added in random order */
    IN_TURNS,     /* a few at a time; who is done makes room for the next */
    COMPOSITIONS
} composition_t;

static const char *const composition_names[COMPOSITIONS] = {"together", "alternating", "at random",
                                                            "in turns"};

/* Session i plays model i % MODELS with the inputs of number i. */
typedef struct {
    uint64_t hashes[SESSIONS];
} result_t;

/* One run: an engine with all models, and the sessions in it. */
typedef struct {
    erx_engine_t *engine;
    erx_model_t *models[MODELS];
    erx_session_t *sessions[SESSIONS]; /* NULL: not started yet, or done */
    uint32_t started, done;
    erx_rng_t rng;
    result_t result;
} run_t;

static rig_model_t models[MODELS];

static void setup(void)
{
    const erx_shape_t *shapes[MODELS] = {&erx_fixture_micro, &erx_fixture_small, &odd_shape,
                                         &erx_fixture_mlp, &erx_fixture_wide};
    for (uint32_t m = 0; m < MODELS; m++)
        rig_model_open(&models[m], shapes[m], erx_test_seed() + m);
}

static void teardown(void)
{
    for (uint32_t m = 0; m < MODELS; m++)
        rig_model_close(&models[m]);
}

static erx_model_t *model_of(const run_t *run, uint32_t number)
{
    return run->models[number % MODELS];
}

static void run_open(run_t *run, const erx_engine_config_t *config)
{
    run->engine = rig_engine_open(NULL, config);
    for (uint32_t m = 0; m < MODELS; m++)
        run->models[m] = rig_engine_load(run->engine, models[m].directory, SESSIONS);
}

/* Starts sessions, in the order of their numbers or backwards. */
static void start_sessions(run_t *run, uint32_t count, bool backwards)
{
    for (uint32_t i = 0; i < count && run->started < SESSIONS; i++, run->started++) {
        uint32_t number = backwards ? SESSIONS - 1 - run->started : run->started;
        run->sessions[number] = rig_session_start(model_of(run, number), number, FRAMES);
    }
}

/* Takes what a session that played its last frame came to, and ends it. */
static void finish_session(run_t *run, uint32_t number)
{
    erx_model_t *model = model_of(run, number);
    run->result.hashes[number] = rig_session_hash(run->sessions[number], &model->shape);
    erx_session_end(&model->sessions, run->sessions[number]);
    run->sessions[number] = NULL;
    run->done++;
}

static bool takes_part(run_t *run, composition_t composition, uint64_t block, uint32_t number)
{
    switch (composition) {
    case ALTERNATING:
        return block % 2 == number % 2;
    case AT_RANDOM:
        return erx_rng_range(&run->rng, 0, 2) == 0;
    default:
        return true;
    }
}

/* The numbers 0 to SESSIONS - 1, shuffled where the run is at random. */
static void order_numbers(run_t *run, composition_t composition, uint32_t *numbers)
{
    for (uint32_t i = 0; i < SESSIONS; i++)
        numbers[i] = i;
    for (uint32_t i = SESSIONS - 1; composition == AT_RANDOM && i > 0; i--) {
        uint32_t other = (uint32_t)erx_rng_range(&run->rng, 0, i);
        uint32_t number = numbers[i];
        numbers[i] = numbers[other];
        numbers[other] = number;
    }
}

static void play_block(run_t *run, composition_t composition)
{
    uint32_t numbers[SESSIONS];
    erx_block_t *block = erx_engine_begin_block(run->engine, 0);
    order_numbers(run, composition, numbers);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        erx_session_t *session = run->sessions[numbers[i]];
        if (session == NULL || !takes_part(run, composition, block->number, numbers[i]))
            continue;
        rig_session_feed(session, numbers[i]);
        ck_assert_int_eq(erx_block_add(block, model_of(run, numbers[i]), session), ERX_OK);
    }
    erx_engine_execute(run->engine);
    for (uint32_t number = 0; number < SESSIONS; number++)
        if (run->sessions[number] != NULL && run->sessions[number]->status == ERX_SESSION_ENDED)
            finish_session(run, number);
}

/* Plays all sessions to their ends. */
static void play(run_t *run, composition_t composition)
{
    const uint32_t room = composition == IN_TURNS ? 7 : SESSIONS;
    run->rng = erx_rng_open(composition);
    run->started = run->done = 0;
    start_sessions(run, room, composition == ALTERNATING);
    while (run->done < SESSIONS) {
        play_block(run, composition);
        start_sessions(run, room - (run->started - run->done), composition == ALTERNATING);
    }
}

/* Every session alone in its blocks, scalar, one worker. */
static void play_alone(result_t *result_out)
{
    static run_t run;
    const erx_engine_config_t config = {.worker_count = 1, .isa = "scalar"};
    run_open(&run, &config);
    for (uint32_t number = 0; number < SESSIONS; number++) {
        run.sessions[number] = rig_session_start(model_of(&run, number), number, FRAMES);
        while (run.sessions[number] != NULL)
            play_block(&run, ALL_TOGETHER);
    }
    erx_engine_close(run.engine);
    *result_out = run.result;
}

static void expect_result(const run_t *run, const result_t *expected, const char *schedule,
                          composition_t composition)
{
    for (uint32_t number = 0; number < SESSIONS; number++)
        if (run->result.hashes[number] != expected->hashes[number])
            ck_abort_msg("session %u differs: kernel %s, %u workers, schedule %s, sessions %s",
                         number, erx_engine_kernel(run->engine)->name,
                         erx_engine_worker_count(run->engine), schedule,
                         composition_names[composition]);
}

static void play_all(const erx_engine_config_t *config, const result_t *expected)
{
    static const char *const schedule_names[] = {"auto", "slice", "split"};
    static run_t run;
    run_open(&run, config);
    for (composition_t composition = 0; composition < COMPOSITIONS; composition++) {
        memset(&run.result, 0, sizeof run.result);
        play(&run, composition);
        expect_result(&run, expected, schedule_names[config->schedule], composition);
    }
    erx_engine_close(run.engine);
}

/* Kernel _i of this machine; the last test of the loop is the scalar one. */
START_TEST(test_states_do_not_depend_on_how_they_are_computed)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    if ((uint32_t)_i >= erx_kernel_list(kernels))
        return;
    result_t expected;
    play_alone(&expected);
    for (uint32_t worker_count = 1; worker_count <= WORKERS_MAX; worker_count++)
        for (erx_schedule_t schedule = ERX_SCHEDULE_AUTO; schedule <= ERX_SCHEDULE_SPLIT;
             schedule++)
            play_all(&(erx_engine_config_t){.worker_count = worker_count,
                                            .isa = kernels[_i]->name,
                                            .schedule = schedule},
                     &expected);
}
END_TEST

/* The other tests would pass if nothing were computed. */
START_TEST(test_states_depend_on_inputs_and_model)
{
    result_t result;
    play_alone(&result);
    for (uint32_t a = 0; a < SESSIONS; a++)
        for (uint32_t b = 0; b < a; b++)
            if (result.hashes[a] == result.hashes[b])
                ck_abort_msg("sessions %u and %u are in the same state", a, b);
}
END_TEST

Suite *invariance_suite(void)
{
    Suite *suite = suite_create("invariance");
    TCase *tcase = tcase_create("invariance");
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_states_depend_on_inputs_and_model);
    tcase_add_loop_test(tcase, test_states_do_not_depend_on_how_they_are_computed, 0,
                        ERX_KERNELS_MAX);
    suite_add_tcase(suite, tcase);
    return suite;
}
