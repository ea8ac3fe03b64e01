#include "tests/support/file.h"
#include "tests/support/scratch.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/mlp_float.h"
#include "tools/mlp_quantizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const erx_shape_t shapes[] = {
    {.stack = {1, 48, 40, {4, 4, 4, 4, 4, 4, 4, 4}, 1}},
    {.stack = {5, 96, 64, {4, 4, 4, 4, 4, 4, 4, 4}, 1}},
};

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_sequences_t sequences;
static erx_quantizer_report_t report;
static erx_model_draft_t draft;
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
    erx_parameters_fixture(shape, 7, &checkpoint);
    ck_assert_msg(erx_float_model_bind(&model, &checkpoint, &error) == ERX_OK, "%s", error.text);
}

static void quantize(void)
{
    ck_assert_int_eq(erx_quantizer_report_open(&report, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_model_draft_open(&draft, &model.shape, "fixture", &error), ERX_OK);
    ck_assert_msg(erx_mlp_quantize(&model, &sequences, &report, &draft, &error) == ERX_OK, "%s",
                  error.text);
}

static void close_fixture(void)
{
    erx_model_draft_close(&draft);
    erx_quantizer_report_close(&report);
    erx_sequences_close(&sequences);
    erx_parameters_close(&checkpoint);
    erx_scratch_remove(directory);
}

START_TEST(test_the_shape_is_that_of_the_tensors)
{
    open_fixture(&shapes[1], 2, 20);
    ck_assert_mem_eq(&model.shape, &shapes[1], sizeof model.shape);
    ck_assert_uint_eq(model.input_width, ERX_FEATURES + 4 * ERX_CATEGORICALS);
    checkpoint.context_len = 6;
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "context_len is 6"));
    close_fixture();
}
END_TEST

START_TEST(test_integers_follow_the_floats)
{
    static erx_fidelity_t fidelity;
    erx_integer_model_t integers;
    open_fixture(&shapes[_i], 4, 300);
    quantize();
    ck_assert_int_eq(erx_integer_model_open(&integers, &draft.tensors, &error), ERX_OK);
    ck_assert_int_eq(erx_mlp_fidelity(&fidelity, &model, &integers, &sequences, 1000, &error),
                     ERX_OK);
    ck_assert_double_gt(erx_fidelity_power_db(&fidelity.all), 30.0);
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
        ck_assert_double_gt(erx_fidelity_power_db(&fidelity.heads[head]), 25.0);
    ck_assert_uint_eq(fidelity.frame_count, 2 * 299);
    for (uint32_t k = 0; k < checkpoint.count; k++)
        ck_assert_double_gt(erx_snr_db(report.errors[k].signal, report.errors[k].noise), 30.0);
    erx_integer_model_close(&integers);
    close_fixture();
}
END_TEST

/* The first layer of the float model by its definition, at a game's start. */
START_TEST(test_frames_before_the_first_repeat_it)
{
    erx_mlp_pass_t pass;
    open_fixture(&shapes[1], 2, 20);
    const erx_mlp_moment_t moments[] = {{&sequences.games[0], 0}, {&sequences.games[0], 2}};
    ck_assert_int_eq(erx_mlp_pass_open(&pass, &model, &error), ERX_OK);
    erx_mlp_float_run(&model, &sequences, moments, 2, &pass);
    for (uint32_t i = 0; i < model.input_width; i++) {
        const float *column = pass.input + (size_t)i * ERX_MLP_GROUP;
        const size_t frame = (size_t)model.input_width * ERX_MLP_GROUP;
        ck_assert_float_eq(column[0], column[4 * frame]);
        ck_assert_float_eq(column[1], column[frame + 1]);
        ck_assert_float_eq(column[0], column[2 * frame + 1]);
    }
    double unit = (double)model.hidden_bias[3];
    uint32_t columns = model.shape.stack.context * model.input_width + ERX_CONTROLS;
    for (uint32_t i = 0; i < columns; i++)
        unit += (double)model.hidden[3 * columns + i] * (double)pass.input[i * ERX_MLP_GROUP];
    ck_assert_double_eq_tol((double)pass.hidden[3 * ERX_MLP_GROUP], fmax(unit, 0.0), 1e-4);
    erx_mlp_pass_close(&pass);
    close_fixture();
}
END_TEST

START_TEST(test_training_games_are_needed)
{
    open_fixture(&shapes[0], 1, 1);
    ck_assert_int_eq(erx_quantizer_report_open(&report, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_model_draft_open(&draft, &model.shape, "fixture", &error), ERX_OK);
    ck_assert_int_eq(erx_mlp_quantize(&model, &sequences, &report, &draft, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "no training game"));
    close_fixture();
}
END_TEST

Suite *mlp_quantizer_suite(void)
{
    Suite *suite = suite_create("mlp_quantizer");
    TCase *tests = tcase_create("run");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_the_shape_is_that_of_the_tensors);
    tcase_add_loop_test(tests, test_integers_follow_the_floats, 0, (int)ERX_COUNT(shapes));
    tcase_add_test(tests, test_frames_before_the_first_repeat_it);
    tcase_add_test(tests, test_training_games_are_needed);
    suite_add_tcase(suite, tests);
    return suite;
}
