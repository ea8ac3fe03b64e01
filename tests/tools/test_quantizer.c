#include "tests/support/file.h"
#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/shared.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/fidelity.h"
#include "tools/quantizer.h"
#include "tools/quantizer_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_sequences_t sequences;
static erx_calibration_t calibration;
static erx_quantizer_report_t report;
static erx_error_t error;

static void open_fixture(const erx_shape_t *shape, uint32_t games, uint32_t frames)
{
    size_t size;
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "games.safetensors");
    uint8_t *bytes = erx_sequences_fixture_file(games, frames, &size);
    erx_file_write(path, bytes, size);
    free(bytes);
    ck_assert_int_eq(erx_sequences_open(&sequences, path, &error), ERX_OK);
    erx_parameters_fixture(shape, 5, &checkpoint);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
}

static void close_fixture(void)
{
    erx_sequences_close(&sequences);
    erx_parameters_close(&checkpoint);
    erx_scratch_remove(directory);
}

static void quantize(uint32_t threads, erx_model_draft_t *draft)
{
    ck_assert_int_eq(erx_calibration_run(&calibration, &model, &sequences, threads, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_quantizer_report_open(&report, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_model_draft_open(draft, &model.shape, "fixture", &error), ERX_OK);
    ck_assert_msg(erx_quantizer_run(&model, &calibration, threads, &report, draft, &error) ==
                      ERX_OK,
                  "%s", error.text);
    erx_calibration_close(&calibration);
}

START_TEST(test_any_number_of_threads_gives_the_same_bytes)
{
    erx_model_draft_t one, three;
    open_fixture(&erx_fixture_small, 9, 40);
    quantize(1, &one);
    erx_quantizer_report_close(&report);
    quantize(3, &three);
    ck_assert_mem_eq(one.weights, three.weights, one.manifest.weight_bytes);
    erx_quantizer_report_close(&report);
    erx_model_draft_close(&one);
    erx_model_draft_close(&three);
    close_fixture();
}
END_TEST

static void measure(const erx_model_draft_t *draft, uint32_t threads, erx_fidelity_t *fidelity)
{
    const erx_fidelity_options_t wanted = {threads, 10000, 60, 48, 600};
    erx_integer_model_t integers;
    ck_assert_int_eq(erx_integer_model_open(&integers, &draft->tensors, &error), ERX_OK);
    ck_assert_int_eq(erx_fidelity_measure(fidelity, &model, &integers, &sequences, &wanted, &error),
                     ERX_OK);
    erx_integer_model_close(&integers);
}

/* Shapes where every dimension differs: the integers follow the floats. */
START_TEST(test_integers_follow_the_floats)
{
    static erx_fidelity_t fidelity;
    const erx_shape_t shapes[] = {erx_fixture_micro, erx_fixture_small, {64, 128, 64, 2, 2, 64}};
    for (uint32_t i = 0; i < ERX_COUNT(shapes); i++) {
        erx_model_draft_t draft;
        open_fixture(&shapes[i], 4, 300);
        quantize(0, &draft);
        measure(&draft, 0, &fidelity);
        ck_assert_double_gt(erx_fidelity_power_db(&fidelity.all), 25.0);
        for (uint32_t stage = 0; stage < fidelity.stage_count; stage++)
            ck_assert_double_gt(erx_fidelity_power_db(&fidelity.stages[stage]), 25.0);
        for (uint32_t k = 0; k < checkpoint.count; k++)
            ck_assert_double_gt(erx_snr_db(report.errors[k].signal, report.errors[k].noise), 30.0);
        erx_quantizer_report_close(&report);
        erx_model_draft_close(&draft);
        close_fixture();
    }
}
END_TEST

/* The same checkpoint, more bits. */
START_TEST(test_profile_2_follows_closer)
{
    static erx_fidelity_t fidelity;
    double reached[ERX_PROFILES];
    open_fixture(&erx_fixture_small, 4, 300);
    for (uint32_t i = 0; i < ERX_PROFILES; i++) {
        erx_model_draft_t draft;
        model.shape.profile = (erx_profile_t)i;
        quantize(0, &draft);
        ck_assert_uint_eq(draft.tensors.shape.profile, i);
        measure(&draft, 0, &fidelity);
        reached[i] = erx_fidelity_power_db(&fidelity.all);
        erx_quantizer_report_close(&report);
        erx_model_draft_close(&draft);
    }
    ck_assert_double_gt(reached[ERX_PROFILE_2], reached[ERX_PROFILE_1] + 3.0);
    close_fixture();
}
END_TEST

START_TEST(test_training_games_are_needed)
{
    open_fixture(&erx_fixture_micro, 1, 1);
    ck_assert_int_eq(erx_calibration_run(&calibration, &model, &sequences, 1, &error),
                     ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "no training game"));
    close_fixture();
}
END_TEST

START_TEST(test_a_residual_out_of_range_is_refused)
{
    open_fixture(&erx_fixture_micro, 2, 20);
    erx_parameters_tensor_t *bias =
        &checkpoint
             .tensors[erx_parameters_find(&checkpoint, "frame_proj.bias") - checkpoint.tensors];
    bias->values[3] = 5000.0f;
    ck_assert_int_eq(erx_calibration_run(&calibration, &model, &sequences, 1, &error),
                     ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "residual stream reaches"));
    close_fixture();
}
END_TEST

START_TEST(test_a_report_rates_every_weight)
{
    erx_model_draft_t draft;
    open_fixture(&erx_fixture_micro, 4, 50);
    quantize(0, &draft);
    json_t *json = erx_quantizer_report_json(&report);
    const json_t *weights = json_object_get(json, "weights");
    const json_t *summary = json_object_get(json, "error_summary");
    ck_assert_uint_eq(json_array_size(weights), checkpoint.count);
    for (uint32_t i = 0; i < checkpoint.count; i++) {
        const json_t *entry = json_array_get(weights, i);
        double snr = json_number_value(json_object_get(entry, "snr_db"));
        ck_assert_str_eq(json_string_value(json_object_get(entry, "name")),
                         checkpoint.tensors[i].name);
        ck_assert_str_eq(json_string_value(json_object_get(entry, "rating")), erx_snr_rating(snr));
    }
    ck_assert_double_ge(json_number_value(json_object_get(summary, "mean_snr_db")),
                        json_number_value(json_object_get(summary, "min_snr_db")));
    json_decref(json);
    erx_quantizer_report_close(&report);
    erx_model_draft_close(&draft);
    close_fixture();
}
END_TEST

START_TEST(test_ratings_have_the_published_thresholds)
{
    ck_assert_str_eq(erx_snr_rating(40.1), "excellent");
    ck_assert_str_eq(erx_snr_rating(40.0), "good");
    ck_assert_str_eq(erx_snr_rating(30.0), "good");
    ck_assert_str_eq(erx_snr_rating(29.9), "acceptable");
    ck_assert_str_eq(erx_snr_rating(20.0), "acceptable");
    ck_assert_str_eq(erx_snr_rating(19.9), "investigate");
}
END_TEST

START_TEST(test_multipliers_take_the_largest_shift)
{
    const double factors[] = {0.75, -0.0001};
    const double huge = 1e9;
    int32_t multipliers[2], shift;
    ck_assert_int_eq(erx_multipliers_fill("x", factors, 2, 16, 32, multipliers, &shift, &error),
                     ERX_OK);
    ck_assert_int_eq(shift, 31);
    ck_assert_int_eq(multipliers[0], 3 << 29);
    ck_assert_int_eq(multipliers[1], (int32_t)lrint(-0.0001 * 2147483648.0));
    ck_assert_int_eq(erx_multipliers_fill("Win_m", &huge, 1, 16, 30, multipliers, &shift, &error),
                     ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "Win_m"));
}
END_TEST

/* What trained models reach on the test games, with some room: outputs of all
 * heads, velocities, and choices of actions. */
static const struct {
    const char *path;
    erx_profile_t profile;
    double all, velocity, actions;
} trained[] = {
    {"models/checkpoints/tiny.safetensors", ERX_PROFILE_1, 42.2, 30.0, 0.99},
    {"models/checkpoints/world.safetensors", ERX_PROFILE_1, 45.0, 30.0, 0.99},
    {"models/checkpoints/tiny.safetensors", ERX_PROFILE_2, 49.0, 37.5, 0.9979},
};

START_TEST(test_a_trained_model_stays_faithful)
{
    char checkpoint_path[ERX_SHARED_PATH_MAX], data_path[ERX_SHARED_PATH_MAX];
    static erx_fidelity_t fidelity;
    erx_model_draft_t draft;
    if (!erx_shared_path(trained[_i].path, checkpoint_path) ||
        !erx_shared_path("data/sequences.safetensors", data_path))
        return;
    ck_assert_int_eq(erx_parameters_open(&checkpoint, checkpoint_path, &error), ERX_OK);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_sequences_open(&sequences, data_path, &error), ERX_OK);
    model.shape.profile = trained[_i].profile;
    quantize(0, &draft);
    measure(&draft, 0, &fidelity);
    ck_assert_double_gt(erx_fidelity_power_db(&fidelity.all), trained[_i].all);
    ck_assert_double_gt(erx_fidelity_power_db(&fidelity.heads[2]), trained[_i].velocity);
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
        ck_assert_double_gt(erx_fidelity_agreement(&fidelity, head), 0.99);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        ck_assert_double_gt(erx_fidelity_agreement(&fidelity, ERX_REGRESSION_HEADS + p),
                            trained[_i].actions);
    for (uint32_t h = 0; h < 2; h++)
        ck_assert_double_lt(fidelity.horizons[h].integer_real,
                            1.05 * fidelity.horizons[h].float_real);
    erx_quantizer_report_close(&report);
    erx_model_draft_close(&draft);
    erx_sequences_close(&sequences);
    erx_parameters_close(&checkpoint);
}
END_TEST

Suite *quantizer_suite(void)
{
    Suite *suite = suite_create("quantizer");
    TCase *tests = tcase_create("run");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, test_any_number_of_threads_gives_the_same_bytes);
    tcase_add_test(tests, test_integers_follow_the_floats);
    tcase_add_test(tests, test_profile_2_follows_closer);
    tcase_add_test(tests, test_training_games_are_needed);
    tcase_add_test(tests, test_a_residual_out_of_range_is_refused);
    tcase_add_test(tests, test_a_report_rates_every_weight);
    tcase_add_test(tests, test_ratings_have_the_published_thresholds);
    tcase_add_test(tests, test_multipliers_take_the_largest_shift);
    tcase_add_loop_test(tests, test_a_trained_model_stays_faithful, 0, ERX_COUNT(trained));
    suite_add_tcase(suite, tests);
    return suite;
}
