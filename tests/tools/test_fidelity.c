#include "tests/support/file.h"
#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/fidelity_plot.h"
#include "tools/quantizer.h"

#include <stdlib.h>
#include <string.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_sequences_t sequences;
static erx_model_draft_t draft;
static erx_integer_model_t integers;
static erx_fidelity_t fidelity;
static erx_error_t error;

static void setup(void)
{
    size_t size;
    erx_calibration_t calibration;
    erx_quantizer_report_t report;
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "games.safetensors");
    uint8_t *bytes = erx_sequences_fixture_file(4, 300, &size);
    erx_file_write(path, bytes, size);
    free(bytes);
    ck_assert_int_eq(erx_sequences_open(&sequences, path, &error), ERX_OK);
    erx_parameters_fixture(&erx_fixture_micro, 6, &checkpoint);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_calibration_run(&calibration, &model, &sequences, 0, &error), ERX_OK);
    ck_assert_int_eq(erx_quantizer_report_open(&report, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_model_draft_open(&draft, &model.shape, "x", &error), ERX_OK);
    ck_assert_int_eq(erx_quantizer_run(&model, &calibration, 0, &report, &draft, &error), ERX_OK);
    ck_assert_int_eq(erx_integer_model_open(&integers, &draft.tensors, &error), ERX_OK);
    erx_quantizer_report_close(&report);
    erx_calibration_close(&calibration);
}

static void teardown(void)
{
    erx_integer_model_close(&integers);
    erx_model_draft_close(&draft);
    erx_sequences_close(&sequences);
    erx_parameters_close(&checkpoint);
    erx_scratch_remove(directory);
}

static void measure(uint32_t threads)
{
    const erx_fidelity_options_t wanted = {threads, 200, 40, 20, 150};
    ck_assert_int_eq(
        erx_fidelity_measure(&fidelity, &model, &integers, &sequences, &wanted, &error), ERX_OK);
}

START_TEST(test_any_number_of_threads_gives_the_same_figures)
{
    measure(1);
    json_t *one = erx_fidelity_json(&fidelity);
    measure(3);
    json_t *three = erx_fidelity_json(&fidelity);
    ck_assert(json_equal(one, three));
    json_decref(one);
    json_decref(three);
}
END_TEST

START_TEST(test_only_test_games_are_measured)
{
    measure(0);
    ck_assert(fidelity.uses_test_games);
    ck_assert_uint_eq(fidelity.game_count, 2);
    ck_assert_uint_eq((uint32_t)fidelity.frame_count, 400);
    ck_assert_uint_eq((uint32_t)fidelity.compared[ERX_REGRESSION_HEADS], 400);
    ck_assert_uint_eq(fidelity.stage_count, model.shape.layer_count + 1);
}
END_TEST

START_TEST(test_rollouts_drift_apart_from_a_common_start)
{
    measure(0);
    ck_assert_uint_gt(fidelity.rollout_count, 0);
    ck_assert_uint_eq(fidelity.horizon_rollouts[0], fidelity.rollout_count);
    ck_assert_uint_eq(fidelity.horizon_rollouts[1], 0);
    /* After one step the two models are close, and both are off the real game. */
    ck_assert_double_lt(fidelity.curve[0].integer_float, 0.1 * fidelity.curve[0].float_real);
    ck_assert_double_gt(fidelity.curve[0].float_real, 0.0);
    ck_assert_double_gt(fidelity.horizons[0].integer_float, fidelity.curve[0].integer_float);
}
END_TEST

/* A model that is not what the checkpoint was made into is found out. */
START_TEST(test_damage_is_seen)
{
    measure(0);
    double before = erx_fidelity_power_db(&fidelity.all);
    int8_t *weights = erx_model_draft_layer(&draft, 0, "Wo");
    for (uint32_t i = 0; i < 32 * 64; i++)
        weights[i] = (int8_t)-weights[i];
    erx_integer_model_close(&integers);
    ck_assert_int_eq(erx_integer_model_open(&integers, &draft.tensors, &error), ERX_OK);
    measure(0);
    ck_assert_double_lt(erx_fidelity_power_db(&fidelity.all), before - 10.0);
    ck_assert_double_gt(erx_fidelity_power_db(&fidelity.stages[0]), 50.0); /* the embedding */
    ck_assert_double_lt(erx_fidelity_power_db(&fidelity.stages[1]), 20.0); /* the layer */
}
END_TEST

START_TEST(test_other_shapes_are_refused)
{
    const erx_fidelity_options_t wanted = {1, 10, 10, 1, 60};
    model.shape.d_state = 4;
    ck_assert_int_eq(
        erx_fidelity_measure(&fidelity, &model, &integers, &sequences, &wanted, &error),
        ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "differ in shape"));
}
END_TEST

START_TEST(test_pictures_are_drawn)
{
    char plots[ERX_SCRATCH_PATH_MAX];
    if (erx_fidelity_plot_check(&error) != ERX_OK) {
        ck_assert_ptr_nonnull(strstr(error.text, "gnuplot-nox"));
        return;
    }
    measure(0);
    (void)snprintf(plots, sizeof plots, "%s", erx_scratch_file(directory, "it's plots"));
    ck_assert_msg(erx_fidelity_plot(&fidelity, plots, &error) == ERX_OK, "%s", error.text);
    ck_assert_int_eq(erx_scratch_count(plots), 6);
    erx_scratch_remove(plots);
}
END_TEST

Suite *fidelity_suite(void)
{
    Suite *suite = suite_create("fidelity");
    TCase *tests = tcase_create("measure");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_any_number_of_threads_gives_the_same_figures);
    tcase_add_test(tests, test_only_test_games_are_measured);
    tcase_add_test(tests, test_rollouts_drift_apart_from_a_common_start);
    tcase_add_test(tests, test_damage_is_seen);
    tcase_add_test(tests, test_other_shapes_are_refused);
    tcase_add_test(tests, test_pictures_are_drawn);
    suite_add_tcase(suite, tests);
    return suite;
}
