/* The engine as its callers see it: opening, models, blocks. */
#include "engine/engine.h"

#include "kernels/select.h"
#include "sched/clock.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"

#include <stdio.h>
#include <string.h>

#define SESSIONS 20u

static rig_model_t files;

static void setup(void)
{
    rig_model_open(&files, &erx_fixture_micro, 2);
}

static void teardown(void)
{
    rig_model_close(&files);
}

/* ---- opening ---- */

static void expect_refused(const char *synthetic, const erx_engine_config_t *config,
                           erx_status_t status, const char *part)
{
    erx_engine_t *engine = NULL;
    erx_error_t error = {0};
    ck_assert_int_eq(rig_engine_try(synthetic, config, &engine, &error), status);
    ck_assert_ptr_null(engine);
    ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" lacks \"%s\"", error.text, part);
}

START_TEST(test_more_workers_than_processors_are_refused)
{
    expect_refused(RIG_TWO_NODES, &(erx_engine_config_t){.worker_count = 5}, ERX_ERR_RANGE,
                   "5 workers asked for, 4 processors");
    expect_refused(RIG_TWO_NODES, &(erx_engine_config_t){.worker_count = 2, .cpu_list = "3"},
                   ERX_ERR_RANGE, "2 workers asked for, 1 processors");
}
END_TEST

START_TEST(test_lists_of_no_processors_are_refused)
{
    expect_refused(RIG_TWO_NODES, &(erx_engine_config_t){.cpu_list = "7"}, ERX_ERR_ARGUMENT, "7");
    expect_refused(RIG_TWO_NODES, &(erx_engine_config_t){.cpu_list = "a-b"}, ERX_ERR_ARGUMENT,
                   "a-b");
}
END_TEST

START_TEST(test_an_unknown_instruction_set_is_refused_with_the_known_ones)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    const erx_engine_config_t config = {.worker_count = 1, .isa = "sse9"};
    for (uint32_t i = 0; i < count; i++)
        expect_refused(NULL, &config, ERX_ERR_ARGUMENT, kernels[i]->name);
    expect_refused(NULL, &config, ERX_ERR_ARGUMENT, "'sse9'");
    expect_refused(NULL, &(erx_engine_config_t){.worker_count = 1, .isa = ""}, ERX_ERR_ARGUMENT,
                   "''");
}
END_TEST

/* The message is bounded; beside it nothing is written. */
START_TEST(test_a_long_name_of_an_instruction_set_is_cut)
{
    static char name[4 * ERX_ERROR_TEXT_MAX];
    memset(name, 'x', sizeof name - 1);
    expect_refused(NULL, &(erx_engine_config_t){.worker_count = 1, .isa = name}, ERX_ERR_ARGUMENT,
                   "scalar");
}
END_TEST

START_TEST(test_defaults_are_every_processor_and_the_best_kernel)
{
    erx_engine_t *engine = rig_engine_open(RIG_TWO_NODES, &(erx_engine_config_t){0});
    ck_assert_uint_eq(erx_engine_worker_count(engine), 4);
    ck_assert_ptr_eq(erx_engine_kernel(engine), erx_kernel_best());
    erx_engine_close(engine);
    erx_engine_close(NULL);
}
END_TEST

/* ---- models ---- */

START_TEST(test_as_many_models_as_the_limit_says)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    erx_model_t *models[ERX_MODELS_MAX + 1] = {NULL};
    erx_error_t error = {0};
    for (uint32_t m = 0; m < ERX_MODELS_MAX; m++) {
        models[m] = rig_engine_load(engine, files.directory, 1 + m);
        ck_assert_uint_eq(erx_engine_begin_block(engine, 0)->frame_capacity, (m + 1) * (m + 2) / 2);
    }
    ck_assert_int_eq(
        erx_engine_load_model(engine, files.directory, 1, &models[ERX_MODELS_MAX], &error),
        ERX_ERR_FULL);
    ck_assert_ptr_null(models[ERX_MODELS_MAX]);
    char limit[32];
    (void)snprintf(limit, sizeof limit, "%u models already", ERX_MODELS_MAX);
    ck_assert_msg(strstr(error.text, limit) != NULL, "%s", error.text);
    for (uint32_t m = 0; m < ERX_MODELS_MAX; m++)
        ck_assert_uint_eq(models[m]->sessions.capacity, 1 + m);
    erx_engine_close(engine);
}
END_TEST

/* ---- blocks ---- */

static void play_block(erx_engine_t *engine, erx_model_t *model, int64_t timestamp)
{
    erx_block_t *block = erx_engine_begin_block(engine, timestamp);
    erx_block_add_all(block, model);
    erx_engine_execute(engine);
}

static uint32_t account_u32(const uint8_t *account, size_t offset)
{
    uint32_t value;
    memcpy(&value, account + offset, sizeof value);
    return value;
}

START_TEST(test_a_session_ends_at_its_last_frame)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    const erx_session_t *endless = rig_session_start(model, 0, 0);
    const erx_session_t *short_one = rig_session_start(model, 1, 3);
    for (uint32_t frame = 1; frame <= 6; frame++) {
        play_block(engine, model, 5000 + frame);
        uint32_t last = ERX_MIN(frame, 3);
        ck_assert_uint_eq(endless->frame, frame);
        ck_assert_int_eq(endless->status, ERX_SESSION_ACTIVE);
        ck_assert_uint_eq(short_one->frame, last);
        ck_assert_int_eq(short_one->status, frame < 3 ? ERX_SESSION_ACTIVE : ERX_SESSION_ENDED);
        /* As clients see it: status, frame, last_update, and HiddenState's frame. */
        ck_assert_uint_eq(short_one->arena[8], frame < 3 ? 2 : 3);
        ck_assert_uint_eq(account_u32(short_one->arena, 9), last);
        ck_assert_uint_eq(account_u32(short_one->arena, 186), 5000 + last);
        ck_assert_uint_eq(account_u32(short_one->arena + ERX_ARENA_HIDDEN, 9), last);
    }
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_the_frame_counter_does_not_wrap)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    erx_model_t *model = rig_engine_load(engine, files.directory, 1);
    erx_session_t *session = rig_session_start(model, 0, 0);
    session->frame = ERX_FRAMES_MAX - 2;
    play_block(engine, model, 0);
    ck_assert_int_eq(session->status, ERX_SESSION_ACTIVE);
    play_block(engine, model, 0);
    ck_assert_int_eq(session->status, ERX_SESSION_ENDED);
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_an_empty_block_does_nothing)
{
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    uint32_t count = 1;
    uint64_t number = erx_engine_begin_block(engine, 0)->number;
    erx_engine_execute(engine); /* without a model */
    (void)erx_engine_groups(engine, &count);
    ck_assert_uint_eq(count, 0);
    erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    (void)rig_session_start(model, 0, 0);
    play_block(engine, model, 0);
    (void)erx_engine_groups(engine, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(erx_engine_begin_block(engine, 0)->number, number + 2);
    erx_engine_execute(engine);
    (void)erx_engine_groups(engine, &count);
    ck_assert_uint_eq(count, 0);
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_groups_say_when_they_were_finished)
{
    const erx_engine_config_t config = {.worker_count = 2, .schedule = (erx_schedule_t)_i};
    erx_engine_t *engine = rig_engine_open(NULL, &config);
    erx_model_t *model = rig_engine_load(engine, files.directory, 3 * ERX_GROUP_MAX);
    for (uint32_t i = 0; i < 3 * ERX_GROUP_MAX; i++)
        (void)rig_session_start(model, i, 0);
    for (uint32_t b = 0; b < 5; b++) {
        uint64_t begin = erx_clock_now();
        play_block(engine, model, 0);
        uint64_t end = erx_clock_now();
        uint32_t count = 0, lanes = 0;
        const erx_group_t *groups = erx_engine_groups(engine, &count);
        for (uint32_t g = 0; g < count; g++) {
            lanes += groups[g].lane_count;
            ck_assert_uint_ge(groups[g].finished_ns, begin);
            ck_assert_uint_le(groups[g].finished_ns, end);
        }
        ck_assert_uint_eq(lanes, 3 * ERX_GROUP_MAX);
    }
    erx_engine_close(engine);
}
END_TEST

/* Hashes of SESSIONS sessions after some frames. */
static void play_sessions(erx_engine_t *engine, erx_model_t *model, uint64_t *hashes)
{
    erx_session_t *sessions[SESSIONS];
    for (uint32_t i = 0; i < SESSIONS; i++)
        sessions[i] = rig_session_start(model, i, 0);
    for (uint32_t frame = 0; frame < 8; frame++) {
        for (uint32_t i = 0; i < SESSIONS; i++)
            rig_session_feed(sessions[i], i);
        if (frame % 2 == 0)
            erx_engine_rouse(engine);
        play_block(engine, model, 0);
    }
    for (uint32_t i = 0; i < SESSIONS; i++)
        hashes[i] = rig_session_hash(sessions[i], &model->shape);
}

START_TEST(test_several_nodes_compute_what_one_does)
{
    uint64_t expected[SESSIONS], hashes[SESSIONS];
    const erx_engine_config_t config = {.worker_count = 4, .schedule = (erx_schedule_t)_i};
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 1});
    play_sessions(engine, rig_engine_load(engine, files.directory, SESSIONS), expected);
    erx_engine_close(engine);
    engine = rig_engine_open(RIG_TWO_NODES, &config);
    erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    play_sessions(engine, model, hashes);
    uint32_t on_second = 0;
    for (uint32_t slot = 0; slot < SESSIONS; slot++)
        on_second += model->sessions.sessions[slot].node == 1;
    ck_assert_uint_eq(on_second, SESSIONS / 2);
    ck_assert_mem_eq(hashes, expected, sizeof expected);
    erx_engine_close(engine);
}
END_TEST

/* No session may have its home on a node without workers, be it that the
 * engine may not use its processors or that there are too few workers. */
START_TEST(test_sessions_live_where_workers_are)
{
    static const char *const cpu_lists[] = {"2-3", NULL};
    const erx_engine_config_t config = {.worker_count = 1, .cpu_list = cpu_lists[_i]};
    erx_engine_t *engine = rig_engine_open(RIG_TWO_NODES, &config);
    erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    ck_assert_uint_eq(model->node_count, _i == 0 ? 1 : 2);
    for (uint32_t i = 0; i < SESSIONS; i++)
        (void)rig_session_start(model, i, 1);
    play_block(engine, model, 0);
    for (uint32_t slot = 0; slot < SESSIONS; slot++)
        ck_assert_int_eq(model->sessions.sessions[slot].status, ERX_SESSION_ENDED);
    erx_engine_close(engine);
}
END_TEST

START_TEST(test_sessions_stay_when_a_model_is_loaded)
{
    uint64_t expected[SESSIONS];
    erx_engine_t *engine = rig_engine_open(NULL, &(erx_engine_config_t){.worker_count = 2});
    erx_model_t *model = rig_engine_load(engine, files.directory, SESSIONS);
    play_sessions(engine, model, expected);
    erx_model_t *second = rig_engine_load(engine, files.directory, SESSIONS);
    for (uint32_t i = 0; i < SESSIONS; i++)
        ck_assert_uint_eq(rig_session_hash(&model->sessions.sessions[i], &model->shape),
                          expected[i]);
    uint64_t hashes[SESSIONS];
    play_sessions(engine, second, hashes);
    ck_assert_mem_eq(hashes, expected, sizeof expected);
    erx_engine_close(engine);
}
END_TEST

Suite *execute_suite(void)
{
    const int schedules = ERX_SCHEDULE_SPLIT + 1;
    Suite *suite = suite_create("execute");
    TCase *tcase = tcase_create("execute");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_more_workers_than_processors_are_refused);
    tcase_add_test(tcase, test_lists_of_no_processors_are_refused);
    tcase_add_test(tcase, test_an_unknown_instruction_set_is_refused_with_the_known_ones);
    tcase_add_test(tcase, test_a_long_name_of_an_instruction_set_is_cut);
    tcase_add_test(tcase, test_defaults_are_every_processor_and_the_best_kernel);
    tcase_add_test(tcase, test_as_many_models_as_the_limit_says);
    tcase_add_test(tcase, test_a_session_ends_at_its_last_frame);
    tcase_add_test(tcase, test_the_frame_counter_does_not_wrap);
    tcase_add_test(tcase, test_an_empty_block_does_nothing);
    tcase_add_loop_test(tcase, test_groups_say_when_they_were_finished, 0, schedules);
    tcase_add_loop_test(tcase, test_several_nodes_compute_what_one_does, 0, schedules);
    tcase_add_loop_test(tcase, test_sessions_live_where_workers_are, 0, 2);
    tcase_add_test(tcase, test_sessions_stay_when_a_model_is_loaded);
    suite_add_tcase(suite, tcase);
    return suite;
}
