#include "tests/support/model_fixture.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/sensitivity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 600u

static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_float_world_t world;
static const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
static erx_error_t error;

static float *values_of(const char *name)
{
    return checkpoint.tensors[erx_parameters_find(&checkpoint, name) - checkpoint.tensors].values;
}

static float *kept_u;

static void see_residual(void *context, uint32_t column, uint32_t stage, const float *x)
{
    (void)column;
    if (context != NULL)
        erx_sensitivity_see_residual(context, stage, x);
}

static void see_layer(void *context, uint32_t column, uint32_t layer,
                      const erx_float_layer_view_t *view)
{
    (void)column;
    if (context != NULL)
        erx_sensitivity_see_layer(context, layer, view);
    if (layer == 0 && kept_u != NULL)
        memcpy(kept_u, view->u, model.shape.d_model * sizeof *kept_u);
}

/* One frame from a zero state; the sensitivity, where there is one, looks on. */
static void run(erx_sensitivity_t *sensitivity, float *output, float *u)
{
    erx_float_scratch_t *scratch = erx_float_scratch_open(&model.shape, model.input_width);
    float *state = calloc(erx_float_state_count(&model.shape), sizeof *state);
    const erx_float_column_t column = {&world, control, state, output};
    const erx_float_observer_t observer = {sensitivity, see_residual, see_layer, NULL};
    kept_u = u;
    erx_float_step(&model, scratch, &column, 1, &observer);
    erx_float_scratch_close(scratch);
    free(state);
}

/* Sum over a head's outputs of their squared slopes, by differences: the norm's
 * gain i is what its activation's channel i follows. */
static double slope_by_difference(uint32_t head, uint32_t i, const float *u)
{
    static float below[ERX_FLOAT_OUTPUTS], above[ERX_FLOAT_OUTPUTS];
    float *gain = values_of("layers.0.norm.weight");
    const float kept = gain[i], change = 0.01f;
    uint32_t first = 0;
    for (uint32_t h = 0; h < head; h++)
        first += erx_float_head_width(h);
    gain[i] = kept * (1.0f - change);
    run(NULL, below, NULL);
    gain[i] = kept * (1.0f + change);
    run(NULL, above, NULL);
    gain[i] = kept;
    double sum = 0.0;
    for (uint32_t r = first; r < first + erx_float_head_width(head); r++)
        sum += pow((double)(above[r] - below[r]) / (2.0 * (double)(change * u[i])), 2.0);
    return sum;
}

/* Only the newest tap: what the others bring later cannot show in one frame. */
static void silence_older_taps(void)
{
    for (uint32_t l = 0; l < model.shape.layer_count; l++) {
        char name[64];
        (void)snprintf(name, sizeof name, "layers.%u.mamba.conv1d.weight", l);
        float *taps = values_of(name);
        for (uint32_t i = 0; i < erx_shape_conv_dim(&model.shape); i++)
            memset(taps + (size_t)i * ERX_CONV_TAPS, 0, (ERX_CONV_TAPS - 1) * sizeof *taps);
    }
}

START_TEST(test_slopes_are_those_of_differences)
{
    static erx_calibration_t calibration;
    static float output[ERX_FLOAT_OUTPUTS], u[ERX_D_MODEL_MAX];
    const uint32_t heads[] = {0, 2, 4};
    erx_random_t random;
    erx_parameters_fixture(&erx_fixture_small, 5, &checkpoint);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    silence_older_taps();
    erx_random_seed(&random, 1, 0);
    for (uint32_t i = 0; i < ERX_CONTINUOUS; i++)
        world.continuous[i % ERX_PLAYERS][i] = (float)i - 4.0f;
    ck_assert_int_eq(erx_calibration_open(&calibration, &model.shape, &error), ERX_OK);
    erx_sensitivity_t *sensitivity = erx_sensitivity_open(&model);
    run(sensitivity, output, u);
    for (uint32_t draw = 0; draw < DRAWS; draw++)
        erx_sensitivity_add(sensitivity, &random, &calibration);
    for (uint32_t k = 0; k < ERX_COUNT(heads); k++) {
        double total = 0.0, expected = 0.0;
        for (uint32_t i = 0; i < model.shape.d_model; i++) {
            double slope =
                calibration.layers[0].u.slopes[(size_t)i * ERX_OUTPUT_HEADS + heads[k]] / DRAWS;
            double difference = slope_by_difference(heads[k], i, u);
            total += slope;
            expected += difference;
            ck_assert_double_lt(fabs(slope - difference), 0.3 * difference + 1e-6);
        }
        ck_assert_double_eq_tol(total, expected, 0.05 * expected);
    }
    erx_sensitivity_close(sensitivity);
    erx_calibration_close(&calibration);
    erx_parameters_close(&checkpoint);
}
END_TEST

Suite *sensitivity_suite(void)
{
    Suite *suite = suite_create("sensitivity");
    TCase *tests = tcase_create("slopes");
    tcase_add_test(tests, test_slopes_are_those_of_differences);
    suite_add_tcase(suite, tests);
    return suite;
}
