#include "tests/support/rng.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/calibration_fit.h"
#include "tools/quantizer_rounding.h"

#include <math.h>
#include <string.h>

#define WIDTH   48u
#define SAMPLES 400u

static float samples[SAMPLES * WIDTH], smooth[WIDTH], rounded[SAMPLES * WIDTH];
static double square[WIDTH];
static float row[WIDTH];
static erx_activation_range_t input;
static erx_rng_t rng;

static float draw(void)
{
    return (float)erx_rng_range(&rng, -1000, 1000) / 1000.0f;
}

/* Channels that are mixtures of few sources, as activations are. */
static void make_input(void)
{
    rng = erx_rng_open(3);
    float mixture[WIDTH][6];
    for (uint32_t i = 0; i < WIDTH; i++) {
        smooth[i] = 1.0f + 0.5f * draw();
        row[i] = draw();
        square[i] = 0.0;
        for (uint32_t k = 0; k < 6; k++)
            mixture[i][k] = draw();
    }
    for (uint32_t s = 0; s < SAMPLES; s++) {
        float sources[6];
        for (uint32_t k = 0; k < 6; k++)
            sources[k] = draw();
        for (uint32_t i = 0; i < WIDTH; i++) {
            float *value = &samples[s * WIDTH + i];
            *value = 0.1f * draw();
            for (uint32_t k = 0; k < 6; k++)
                *value += mixture[i][k] * sources[k];
            square[i] += (double)*value * (double)*value;
        }
    }
    input = (erx_activation_range_t){.square = square,
                                     .smooth = smooth,
                                     .samples = samples,
                                     .scale = 4.0 / ERX_ACTIVATION_MAX,
                                     .full = ERX_ACTIVATION_MAX,
                                     .width = WIDTH};
    for (uint32_t s = 0; s < SAMPLES; s++)
        erx_calibration_round(&input, samples + s * WIDTH, rounded + s * WIDTH);
}

/* Mean squared error of the row's product with the inputs. */
static double product_error(const int8_t *weights, double scale)
{
    double sum = 0.0;
    for (uint32_t s = 0; s < SAMPLES; s++) {
        double error = 0.0;
        for (uint32_t i = 0; i < WIDTH; i++)
            error += ((double)(row[i] / smooth[i]) - weights[i] * scale) *
                     (double)rounded[s * WIDTH + i];
        sum += error * error;
    }
    return sum / SAMPLES;
}

START_TEST(test_compensation_halves_the_error_of_related_inputs)
{
    erx_rounding_t rounding;
    erx_error_t error;
    int8_t compensated[WIDTH], nearest[WIDTH];
    make_input();
    ck_assert_int_eq(erx_rounding_open(&rounding, &input, SAMPLES, &error), ERX_OK);
    double scale = erx_rounding_row(&rounding, row, compensated);
    for (uint32_t i = 0; i < WIDTH; i++)
        nearest[i] = (int8_t)fmax(fmin(rint((double)(row[i] / smooth[i]) / scale), 127.0), -127.0);
    ck_assert_double_lt(product_error(compensated, scale), 0.5 * product_error(nearest, scale));
    erx_rounding_close(&rounding);
}
END_TEST

START_TEST(test_silent_inputs_round_to_the_nearest)
{
    erx_rounding_t rounding;
    erx_error_t error;
    int8_t weights[WIDTH];
    make_input();
    memset(samples, 0, sizeof samples);
    memset(square, 0, sizeof square);
    ck_assert_int_eq(erx_rounding_open(&rounding, &input, SAMPLES, &error), ERX_OK);
    double scale = erx_rounding_row(&rounding, row, weights);
    for (uint32_t i = 0; i < WIDTH; i++)
        ck_assert_double_lt(fabs((double)(row[i] / smooth[i]) - weights[i] * scale),
                            0.5001 * scale);
    erx_rounding_close(&rounding);
}
END_TEST

START_TEST(test_rounding_uses_the_block_exponent)
{
    const float values[3] = {1.0f, -0.26f, 0.004f}, loud[3] = {100.0f, 0.3f, -100.0f};
    float ones[3] = {1.0f, 1.0f, 1.0f}, to[3];
    const erx_activation_range_t range = {
        .smooth = ones, .scale = 1.0 / ERX_ACTIVATION_MAX, .full = ERX_ACTIVATION_MAX, .width = 3};
    erx_calibration_round(&range, values, to);
    ck_assert_float_eq(to[0], 127.0f);
    ck_assert_float_eq(to[1], -33.0f);
    ck_assert_float_eq(to[2], 1.0f);
    /* The greatest exponent, at which what is too large is cut. */
    erx_calibration_round(&range, loud, to);
    ck_assert_float_eq(to[0], 127.0f * 32.0f);
    ck_assert_float_eq(to[1], 32.0f);
    ck_assert_float_eq(to[2], -127.0f * 32.0f);
}
END_TEST

Suite *quantizer_rounding_suite(void)
{
    Suite *suite = suite_create("quantizer_rounding");
    TCase *tests = tcase_create("rows");
    tcase_add_test(tests, test_compensation_halves_the_error_of_related_inputs);
    tcase_add_test(tests, test_silent_inputs_round_to_the_nearest);
    tcase_add_test(tests, test_rounding_uses_the_block_exponent);
    suite_add_tcase(suite, tests);
    return suite;
}
