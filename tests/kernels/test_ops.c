/* Operations without recurrent state: every kernel's bytes against the scalar
 * reference's, on operands that are legal and no more. */
#include "kernels/select.h"
#include "kernels/silu.h"
#include "kernels/world.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/suites.h"
#include "tests/kernels/trial.h"

#include <string.h>

#define MODELS        3 /* a shape */
#define REPEATS       4 /* a model */
#define VECTOR_MAX    (1 << 26)
#define GATE_WIDTH    256u
#define ARGMAX_COUNTS 150u

static uint8_t *take_activations(const erx_trial_t *trial, const erx_kernel_t *kernel,
                                 uint32_t count)
{
    return erx_fence_take(trial->fence,
                          ERX_ALIGN_UP((size_t)count, ERX_PANEL_ROWS) * kernel->activation_bytes);
}

/* The kernel's form of the activations that the reference wrote as plain
 * integers. What lies between and behind them is nobody's. */
static void check_activations(const erx_trial_t *trial, uint8_t *actual, const uint8_t *expected,
                              uint32_t count)
{
    const erx_kernel_t *kernel = trial->kernel;
    size_t bytes = ERX_ALIGN_UP((size_t)count, ERX_PANEL_ROWS) * kernel->activation_bytes;
    uint8_t *packed = take_activations(trial, kernel, count);
    memcpy(packed, actual, bytes);
    if (kernel->activation_pack_wide != NULL)
        kernel->activation_pack_wide(packed, (const int16_t *)(const void *)expected, count);
    else
        kernel->activation_pack(packed, (const int8_t *)expected, count);
    erx_trial_expect(trial, "activation", actual, packed, bytes);
}

static int16_t *take_i16(const erx_trial_t *trial, uint32_t count)
{
    int16_t *values = erx_fence_i16(trial->fence, count);
    erx_draw_i16(trial->rng, values, count, -ERX_SAT16_MAX, ERX_SAT16_MAX);
    return values;
}

static int32_t *take_i32(const erx_trial_t *trial, uint32_t count, int32_t limit)
{
    int32_t *values = erx_fence_i32(trial->fence, count);
    erx_draw_i32(trial->rng, values, count, -limit, limit);
    return values;
}

static void try_embed(const erx_trial_t *trial)
{
    uint32_t d = trial->image->shape.d_model;
    uint16_t categories[ERX_CATEGORICALS];
    int16_t *features = erx_fence_i16(trial->fence, ERX_FEATURES_PADDED);
    int32_t *actual = erx_fence_i32(trial->fence, d);
    int32_t *expected = erx_fence_i32(trial->fence, d);
    memset(features, 0, ERX_FEATURES_PADDED * sizeof *features);
    erx_draw_i16(trial->rng, features, ERX_FEATURES, -ERX_SAT16_MAX, ERX_SAT16_MAX);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        categories[k] = (uint16_t)erx_draw_scalar(trial->rng, 0, erx_category_counts[k] - 1);
    trial->kernel->embed(trial->image, features, categories, actual);
    erx_kernel_scalar.embed(trial->reference, features, categories, expected);
    erx_trial_expect(trial, "result", actual, expected, d * sizeof *actual);
}

static void try_head_hidden(const erx_trial_t *trial)
{
    uint32_t d = trial->image->shape.d_model;
    int32_t *x = take_i32(trial, d, ERX_RESIDUAL_MAX);
    int16_t *controls = erx_fence_i16(trial->fence, ERX_CONTROLS_PADDED);
    int16_t *actual = erx_fence_i16(trial->fence, d);
    int16_t *expected = erx_fence_i16(trial->fence, d);
    memset(controls, 0, ERX_CONTROLS_PADDED * sizeof *controls);
    erx_draw_i16(trial->rng, controls, ERX_CONTROLS, -ERX_SAT16_MAX, ERX_SAT16_MAX);
    trial->kernel->head_hidden(trial->image, x, controls, actual);
    erx_kernel_scalar.head_hidden(trial->reference, x, controls, expected);
    erx_trial_expect(trial, "result", actual, expected, d * sizeof *actual);
}

static void try_regress(const erx_trial_t *trial)
{
    int16_t *hidden = take_i16(trial, trial->image->shape.d_model);
    int32_t *actual = erx_fence_i32(trial->fence, ERX_REGRESSIONS);
    int32_t *expected = erx_fence_i32(trial->fence, ERX_REGRESSIONS);
    trial->kernel->regress(trial->image, hidden, actual);
    erx_kernel_scalar.regress(trial->reference, hidden, expected);
    erx_trial_expect(trial, "result", actual, expected, ERX_REGRESSIONS * sizeof *actual);
}

static void try_head_quantize(const erx_trial_t *trial)
{
    uint32_t d = trial->image->shape.d_model;
    int16_t *hidden = take_i16(trial, d);
    uint8_t *actual = take_activations(trial, trial->kernel, d);
    uint8_t *expected = take_activations(trial, trial->reference_kernel, d);
    ERX_EXPECT(trial->kernel->head_quantize(trial->image, hidden, actual), ==,
               trial->reference_kernel->head_quantize(trial->reference, hidden, expected));
    check_activations(trial, actual, expected, d);
}

/* Where the greatest product is just what exponent e holds, or one more. Gains
 * of 1 and -1 make the products what is wanted; 14 bits need greater ones. */
static void check_threshold(const erx_trial_t *trial, int32_t gain_shift, int32_t e)
{
    erx_image_t image = *trial->image;
    uint32_t d = image.shape.d_model;
    uint32_t place = (uint32_t)erx_rng_range(trial->rng, 0, d - 1);
    int16_t *gain = erx_fence_i16(trial->fence, d);
    int16_t *hidden = erx_fence_i16(trial->fence, d);
    uint8_t *activation = take_activations(trial, trial->kernel, d);
    int32_t limit = erx_profile_activation_max(image.shape.profile);
    int32_t shift = gain_shift + e - 1;
    int32_t gain_size = limit == ERX_ACTIVATION_MAX ? 1 : 1 << shift;
    int32_t threshold = ((2 * limit + 1) << shift) / gain_size;
    image.Gh = gain;
    image.Gh_s = gain_shift;
    for (uint32_t i = 0; i < d; i++) {
        gain[i] = (int16_t)(erx_rng_range(trial->rng, 0, 1) != 0 ? gain_size : -gain_size);
        hidden[i] = (int16_t)erx_rng_range(trial->rng, 1 - threshold, threshold - 1);
    }
    hidden[place] = (int16_t)(1 - threshold);
    ERX_EXPECT(trial->kernel->head_quantize(&image, hidden, activation), ==, e);
    hidden[place] = (int16_t)-threshold;
    ERX_EXPECT(trial->kernel->head_quantize(&image, hidden, activation), ==, e + 1);
}

static void try_thresholds(const erx_trial_t *trial)
{
    for (int32_t gain_shift = 3; gain_shift <= 10; gain_shift++)
        for (int32_t e = ERX_EXPONENT_MIN; e < ERX_EXPONENT_MAX && gain_shift + e <= 8; e++)
            check_threshold(trial, gain_shift, e);
}

/* The three norms of a layer's lifetime: in front of in_proj, of out_proj, and
 * with operands of no model at all. */
static void try_norm_of(const erx_trial_t *trial, uint32_t n, int64_t eps, const int16_t *gain,
                        int32_t gain_shift, int32_t limit)
{
    int32_t *v = take_i32(trial, n, limit);
    uint8_t *actual = take_activations(trial, trial->kernel, n);
    uint8_t *expected = take_activations(trial, trial->reference_kernel, n);
    ERX_EXPECT(trial->kernel->norm(v, n, eps, gain, gain_shift, actual), ==,
               trial->reference_kernel->norm(v, n, eps, gain, gain_shift, expected));
    check_activations(trial, actual, expected, n);
}

static void try_norm(const erx_trial_t *trial)
{
    const erx_image_t *image = trial->image;
    const erx_layer_t *layer = &image->layers[trial->layer];
    uint32_t d = image->shape.d_model;
    uint32_t di = image->shape.d_inner;
    try_norm_of(trial, d, image->eps1, layer->G1, layer->G1_s, ERX_RESIDUAL_MAX);
    try_norm_of(trial, di, layer->eps2, layer->G2, layer->G2_s, 1 << 22);
    int32_t gain_shift = erx_draw_scalar(trial->rng, 3, 24);
    int64_t eps = INT64_C(1) << erx_rng_range(trial->rng, 0, 62);
    try_norm_of(trial, di, eps, take_i16(trial, di), gain_shift, VECTOR_MAX);
    try_norm_of(trial, d, 1, take_i16(trial, d), gain_shift, 1);
}

START_TEST(test_embed)
{
    erx_trial_run((uint32_t)_i, MODELS, REPEATS, try_embed);
}
END_TEST

START_TEST(test_norm)
{
    erx_trial_run((uint32_t)_i, MODELS, REPEATS, try_norm);
    erx_trial_run_wide((uint32_t)_i, MODELS, REPEATS, try_norm);
}
END_TEST

START_TEST(test_head_hidden)
{
    erx_trial_run((uint32_t)_i, MODELS, REPEATS, try_head_hidden);
}
END_TEST

START_TEST(test_regress)
{
    erx_trial_run((uint32_t)_i, MODELS, REPEATS, try_regress);
}
END_TEST

START_TEST(test_head_quantize)
{
    erx_trial_run((uint32_t)_i, MODELS, REPEATS, try_head_quantize);
    erx_trial_run_wide((uint32_t)_i, MODELS, REPEATS, try_head_quantize);
}
END_TEST

START_TEST(test_block_exponents_at_their_thresholds)
{
    erx_trial_run((uint32_t)_i, 1, 1, try_thresholds);
    erx_trial_run_wide((uint32_t)_i, 1, 1, try_thresholds);
}
END_TEST

static void check_gate(const erx_kernel_t *kernel, const int16_t *y, const int16_t *z, int32_t fz,
                       uint32_t n)
{
    erx_fence_t fence;
    erx_fence_open(&fence);
    int32_t *actual = erx_fence_i32(&fence, n);
    int32_t *expected = erx_fence_i32(&fence, n);
    kernel->gate(y, z, fz, n, actual);
    erx_kernel_scalar.gate(y, z, fz, n, expected);
    ck_assert_mem_eq(actual, expected, n * sizeof *actual);
    erx_fence_close(&fence);
}

START_TEST(test_gate)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    erx_fence_t fence;
    erx_fence_open(&fence);
    for (uint32_t n = 64; n <= GATE_WIDTH; n += 64) {
        int16_t *y = erx_fence_i16(&fence, n);
        int16_t *z = erx_fence_i16(&fence, n);
        erx_draw_i16(&rng, y, n, -ERX_SAT16_MAX, ERX_SAT16_MAX);
        erx_draw_i16(&rng, z, n, -ERX_SAT16_MAX, ERX_SAT16_MAX);
        for (uint32_t k = 0; k < kernel_count; k++)
            check_gate(kernels[k], y, z, _i, n);
    }
    erx_fence_close(&fence);
}
END_TEST

/* With y = 32767 the gate tells every value of SiLU apart: all z at once. */
START_TEST(test_silu_of_every_value)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    const uint32_t n = 65536;
    erx_fence_t fence;
    erx_fence_open(&fence);
    int16_t *y = erx_fence_i16(&fence, n);
    int16_t *z = erx_fence_i16(&fence, n);
    int32_t *pg = erx_fence_i32(&fence, n);
    for (uint32_t i = 0; i < n; i++) {
        y[i] = ERX_SAT16_MAX;
        z[i] = (int16_t)ERX_MAX((int32_t)i - 32768, -ERX_SAT16_MAX);
    }
    for (uint32_t k = 0; k < kernel_count; k++) {
        kernels[k]->gate(y, z, _i, n, pg);
        for (uint32_t i = 0; i < n; i++)
            ERX_EXPECT(pg[i], ==, (ERX_SAT16_MAX * erx_silu(z[i], _i) + 128) >> 8);
    }
    erx_fence_close(&fence);
}
END_TEST

/* First index of the maximum, with ties everywhere; beyond count lies garbage
 * that is greater than most. */
START_TEST(test_argmax)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(0);
    for (uint32_t count = 1; count <= ARGMAX_COUNTS; count++) {
        erx_fence_t fence;
        erx_fence_open(&fence);
        int32_t *values = erx_fence_i32(&fence, count);
        int64_t low = erx_rng_range(&rng, 0, 1) != 0 ? INT32_MIN : -2;
        erx_draw_i32(&rng, values, count, low, low == INT32_MIN ? INT32_MAX : 1);
        uint32_t first = 0;
        for (uint32_t i = 0; i < count; i++)
            first = values[i] > values[first] ? i : first;
        for (uint32_t k = 0; k < kernel_count; k++)
            ERX_EXPECT(kernels[k]->argmax(values, count), ==, first);
        erx_fence_close(&fence);
    }
}
END_TEST

Suite *ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *tcase = tcase_create("ops");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_embed, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_norm, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_head_hidden, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_regress, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_head_quantize, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_block_exponents_at_their_thresholds, 0, 4);
    tcase_add_loop_test(tcase, test_gate, 8, 13);
    tcase_add_loop_test(tcase, test_silu_of_every_value, 8, 13);
    tcase_add_test(tcase, test_argmax);
    suite_add_tcase(suite, tcase);
    return suite;
}
