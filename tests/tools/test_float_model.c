#include "tests/support/model_fixture.h"
#include "tests/support/shared.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/float_step.h"
#include "tools/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_HEADER    24u /* magic and four counts */
#define GOLDEN_FRAME     4380u
#define GOLDEN_WORLD     140u /* S, binaries, categories */
#define GOLDEN_TOLERANCE 1e-4

static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_error_t error;

/* The expected tensors, and how far the model is off: sums of squares. */
typedef struct {
    const uint8_t *residual;
    uint32_t first; /* frame of column 0 */
    double signal[ERX_LAYERS_MAX + 2], noise[ERX_LAYERS_MAX + 2];
} golden_t;

static void compare(golden_t *golden, uint32_t stage, const uint8_t *expected, const float *values,
                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        float reference;
        memcpy(&reference, expected + i * sizeof reference, sizeof reference);
        double difference = (double)reference - (double)values[i];
        golden->signal[stage] += (double)reference * (double)reference;
        golden->noise[stage] += difference * difference;
    }
}

static void see_residual(void *context, uint32_t column, uint32_t stage, const float *x)
{
    golden_t *golden = context;
    uint32_t d = model.shape.d_model, stages = model.shape.layer_count + 1;
    size_t row = (size_t)(golden->first + column) * stages + stage;
    compare(golden, stage, golden->residual + row * d * sizeof(float), x, d);
}

/* Runs the recorded inputs, in calls of up to ERX_FLOAT_COLUMNS frames. */
static void run_golden(const uint8_t *inputs, uint32_t frames, const uint8_t *outputs,
                       golden_t *golden)
{
    static float output[ERX_FLOAT_COLUMNS][ERX_FLOAT_OUTPUTS];
    erx_float_world_t worlds[ERX_FLOAT_COLUMNS];
    erx_float_column_t columns[ERX_FLOAT_COLUMNS];
    const erx_float_observer_t observer = {.context = golden, .residual = see_residual};
    erx_float_scratch_t *scratch = erx_float_scratch_open(&model.shape, model.input_width);
    float *state = calloc(erx_float_state_count(&model.shape), sizeof *state);
    for (uint32_t frame = 0; frame < frames; frame += ERX_FLOAT_COLUMNS) {
        uint32_t count = ERX_MIN(frames - frame, ERX_FLOAT_COLUMNS);
        for (uint32_t k = 0; k < count; k++) {
            const uint8_t *row = inputs + (size_t)(frame + k) * GOLDEN_FRAME;
            erx_world_t fixed = {0};
            memcpy(&fixed, row, GOLDEN_WORLD + sizeof fixed.control);
            erx_float_world_from_fixed(&fixed, &worlds[k]);
            const uint8_t *next = row + GOLDEN_WORLD + sizeof fixed.control;
            columns[k] = (erx_float_column_t){
                &worlds[k], (const uint8_t(*)[ERX_CONTROLLER_BYTES])next, state, output[k]};
        }
        golden->first = frame;
        erx_float_step(&model, scratch, columns, count, &observer);
        for (uint32_t k = 0; k < count; k++)
            compare(golden, ERX_LAYERS_MAX + 1,
                    outputs + (size_t)(frame + k) * ERX_FLOAT_OUTPUTS * sizeof(float), output[k],
                    ERX_FLOAT_OUTPUTS);
    }
    free(state);
    erx_float_scratch_close(scratch);
}

START_TEST(test_outputs_equal_the_golden_vectors)
{
    char path[ERX_SHARED_PATH_MAX];
    erx_shared_file_t inputs, expected;
    if (!erx_shared_path("models/checkpoints/tiny.safetensors", path) ||
        !erx_shared_map("golden/tiny_tf.bin", &inputs) ||
        !erx_shared_map("golden/tiny_fp32.safetensors", &expected))
        return;
    erx_safetensors_t file;
    static golden_t golden;
    uint32_t frames;
    ck_assert_int_eq(erx_parameters_open(&checkpoint, path, &error), ERX_OK);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_safetensors_read(expected.bytes, expected.size, &file, &error), ERX_OK);
    memcpy(&frames, inputs.bytes + 8, sizeof frames);
    ck_assert_uint_eq(inputs.size, GOLDEN_HEADER + (size_t)frames * GOLDEN_FRAME);
    golden.residual = erx_safetensors_find(&file, "residual")->bytes;
    run_golden(inputs.bytes + GOLDEN_HEADER, frames, erx_safetensors_find(&file, "out")->bytes,
               &golden);
    for (uint32_t stage = 0; stage < ERX_LAYERS_MAX + 2; stage++)
        if (stage <= model.shape.layer_count || stage == ERX_LAYERS_MAX + 1) {
            ck_assert_double_gt(golden.signal[stage], 0.0);
            ck_assert_double_lt(sqrt(golden.noise[stage] / golden.signal[stage]), GOLDEN_TOLERANCE);
        }
    erx_safetensors_close(&file);
    erx_parameters_close(&checkpoint);
    erx_shared_unmap(&inputs);
    erx_shared_unmap(&expected);
}
END_TEST

/* Frames of one session at once give the bits that they give one by one. */
START_TEST(test_columns_do_not_change_each_other)
{
    enum { FRAMES = 19 };
    static float together[FRAMES][ERX_FLOAT_OUTPUTS], alone[FRAMES][ERX_FLOAT_OUTPUTS];
    erx_float_world_t worlds[FRAMES] = {0};
    static const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES] = {
        {10, 20, 30, 40, 50, 60, 7, 8}, {1}};
    erx_float_column_t columns[FRAMES];
    erx_parameters_fixture(&erx_fixture_small, 2, &checkpoint);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    erx_float_scratch_t *scratch = erx_float_scratch_open(&model.shape, model.input_width);
    float *states = calloc(2 * erx_float_state_count(&model.shape), sizeof *states);
    float *second = states + erx_float_state_count(&model.shape);
    for (uint32_t k = 0; k < FRAMES; k++) {
        worlds[k].continuous[0][ERX_S_X] = (float)k;
        worlds[k].category[ERX_C_ACTION] = (uint16_t)(k * 7);
        columns[k] = (erx_float_column_t){&worlds[k], control, states, together[k]};
    }
    erx_float_step(&model, scratch, columns, FRAMES, NULL);
    for (uint32_t k = 0; k < FRAMES; k++) {
        const erx_float_column_t column = {&worlds[k], control, second, alone[k]};
        erx_float_step(&model, scratch, &column, 1, NULL);
    }
    ck_assert_mem_eq(together, alone, sizeof together);
    ck_assert_mem_eq(states, second, erx_float_state_count(&model.shape) * sizeof *states);
    ck_assert(memcmp(together[0], together[1], sizeof together[0]) != 0);
    free(states);
    erx_float_scratch_close(scratch);
    erx_parameters_close(&checkpoint);
}
END_TEST

START_TEST(test_the_loop_closes_as_in_integers)
{
    static float output[ERX_FLOAT_OUTPUTS];
    erx_float_world_t world = {0}, expected;
    erx_world_t fixed;
    const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES] = {{1, 2}, {3, 4}};
    int32_t regressions[ERX_REGRESSIONS];
    uint32_t choices[ERX_LOGIT_HEADS] = {0};
    erx_parameters_fixture(&erx_fixture_micro, 3, &checkpoint);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++) {
        regressions[r] = (r % 2 == 0 ? 3 : -400) * 65536;
        output[r] = (float)(regressions[r] / 65536) / model.output_scale[r];
    }
    choices[1] = 5;
    output[ERX_REGRESSIONS + 400 + 5] = 1.0f;
    erx_float_world_to_fixed(&world, &fixed);
    erx_world_advance(&fixed, regressions, choices, control);
    erx_float_advance(&model, &world, output, control);
    erx_float_world_from_fixed(&fixed, &expected);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            ck_assert_float_eq_tol(world.continuous[p][j], expected.continuous[p][j], 1e-3f);
    ck_assert_mem_eq(world.binary, expected.binary, sizeof world.binary);
    ck_assert_mem_eq(world.category, expected.category, sizeof world.category);
    ck_assert_mem_eq(world.control, expected.control, sizeof world.control);
    erx_parameters_close(&checkpoint);
}
END_TEST

Suite *float_model_suite(void)
{
    Suite *suite = suite_create("float_model");
    TCase *tests = tcase_create("step");
    tcase_add_test(tests, test_outputs_equal_the_golden_vectors);
    tcase_add_test(tests, test_columns_do_not_change_each_other);
    tcase_add_test(tests, test_the_loop_closes_as_in_integers);
    suite_add_tcase(suite, tests);
    return suite;
}
