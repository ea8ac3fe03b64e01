/* The operations that own recurrent state: several frames in a row, and after
 * each the whole state is compared. The state lies in memory of exactly its
 * size, as in an account, where the next byte belongs to somebody else. */
#include "tests/kernels/draw.h"
#include "tests/kernels/suites.h"
#include "tests/kernels/trial.h"

#include <stdlib.h>
#include <string.h>

#define MODELS 3 /* a shape */
#define FRAMES 6 /* a state */

static erx_conv_out_t take_conv_out(const erx_trial_t *trial)
{
    const erx_shape_t *shape = &trial->image->shape;
    return (erx_conv_out_t){
        .x = erx_fence_i16(trial->fence, shape->d_inner),
        .B = erx_fence_i16(trial->fence, shape->d_state),
        .C = erx_fence_i16(trial->fence, shape->d_state),
    };
}

static void try_conv(const erx_trial_t *trial)
{
    const erx_shape_t *shape = &trial->image->shape;
    uint32_t channels = erx_shape_conv_dim(shape);
    size_t state_bytes = (size_t)3 * channels * sizeof(int16_t);
    size_t di_bytes = shape->d_inner * sizeof(int16_t);
    size_t N_bytes = shape->d_state * sizeof(int16_t);
    erx_conv_out_t actual = take_conv_out(trial);
    erx_conv_out_t expected = take_conv_out(trial);
    int16_t *c = erx_fence_i16(trial->fence, channels);
    int16_t *state = erx_fence_take(trial->fence, state_bytes);
    erx_draw_i16(trial->rng, state, (size_t)3 * channels, -ERX_SAT16_MAX, ERX_SAT16_MAX);
    int16_t *reference_state = erx_fence_copy(trial->fence, state, state_bytes);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        erx_draw_i16(trial->rng, c, channels, -ERX_SAT16_MAX, ERX_SAT16_MAX);
        trial->kernel->conv(trial->image, &trial->image->layers[trial->layer], c, state, &actual);
        erx_kernel_scalar.conv(trial->reference, &trial->reference->layers[trial->layer], c,
                               reference_state, &expected);
        erx_trial_expect(trial, "state", state, reference_state, state_bytes);
        erx_trial_expect(trial, "x", actual.x, expected.x, di_bytes);
        erx_trial_expect(trial, "B", actual.B, expected.B, N_bytes);
        erx_trial_expect(trial, "C", actual.C, expected.C, N_bytes);
    }
}

static void try_scan(const erx_trial_t *trial)
{
    const erx_shape_t *shape = &trial->image->shape;
    uint32_t di = shape->d_inner;
    uint32_t N = shape->d_state;
    int32_t Cmax = trial->image->Cmax;
    size_t state_bytes = (size_t)di * N * sizeof(int16_t);
    erx_conv_out_t in = take_conv_out(trial);
    int32_t *dt = erx_fence_i32(trial->fence, shape->head_count);
    int16_t *actual = erx_fence_i16(trial->fence, di);
    int16_t *expected = erx_fence_i16(trial->fence, di);
    int16_t *state = erx_fence_take(trial->fence, state_bytes);
    erx_draw_i16(trial->rng, state, (size_t)di * N, INT16_MIN, INT16_MAX);
    int16_t *reference_state = erx_fence_copy(trial->fence, state, state_bytes);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        /* Half of the time in the range where softplus bends, else anything. */
        int64_t limit = erx_rng_range(trial->rng, 0, 1) != 0 ? 1 << 20 : 1 << 30;
        erx_draw_i32(trial->rng, dt, shape->head_count, -limit, limit);
        erx_draw_i16(trial->rng, in.x, di, -ERX_SAT16_MAX, ERX_SAT16_MAX);
        erx_draw_i16(trial->rng, in.B, N, -ERX_SAT16_MAX, ERX_SAT16_MAX);
        erx_draw_i16(trial->rng, in.C, N, -Cmax, Cmax);
        trial->kernel->scan(trial->image, &trial->image->layers[trial->layer], dt, &in, state,
                            actual);
        erx_kernel_scalar.scan(trial->reference, &trial->reference->layers[trial->layer], dt, &in,
                               reference_state, expected);
        erx_trial_expect(trial, "state", state, reference_state, state_bytes);
        erx_trial_expect(trial, "y", actual, expected, di * sizeof *actual);
    }
}

START_TEST(test_conv)
{
    erx_trial_run((uint32_t)_i, MODELS, 1, try_conv);
}
END_TEST

START_TEST(test_scan)
{
    erx_trial_run((uint32_t)_i, MODELS, 1, try_scan);
}
END_TEST

/* With one tap of 16383, a multiplier of 2^s / 16383 and no bias the
 * convolution is the identity, so each tap is told apart. */
START_TEST(test_conv_sees_the_right_frame)
{
    const erx_shape_t *shape = &erx_test_shapes[4];
    uint32_t channels = erx_shape_conv_dim(shape);
    erx_rng_t rng = erx_rng_open((uint64_t)_i);
    erx_fence_t fence;
    erx_tensors_t tensors;
    erx_image_t image;
    erx_fence_open(&fence);
    erx_random_model(&fence, &rng, shape, &tensors);
    erx_layer_tensors_t *layer = &tensors.layers[0];
    int16_t *Wc = erx_fence_take(&fence, channels * ERX_CONV_TAPS * sizeof *Wc);
    int32_t *Wc_m = erx_fence_take(&fence, channels * sizeof *Wc_m);
    int32_t *bc = erx_fence_take(&fence, channels * sizeof *bc);
    int16_t *state = erx_fence_take(&fence, (size_t)3 * channels * sizeof *state);
    int16_t *c = erx_fence_i16(&fence, channels);
    for (uint32_t i = 0; i < channels; i++) {
        for (uint32_t tap = 0; tap < ERX_CONV_TAPS; tap++)
            Wc[i * ERX_CONV_TAPS + tap] = (int32_t)tap == _i ? 16383 : 0;
        Wc_m[i] = (1 << 28) / 16383 + 1;
        bc[i] = 0;
    }
    layer->Wc = Wc;
    layer->Wc_m = Wc_m;
    layer->bc = bc;
    layer->Wc_s = 28;
    layer->fx = 8;
    memset(state, 0, (size_t)3 * channels * sizeof *state);
    const erx_conv_out_t out = {erx_fence_i16(&fence, shape->d_inner),
                                erx_fence_i16(&fence, shape->d_state),
                                erx_fence_i16(&fence, shape->d_state)};
    erx_random_image(&fence, &erx_kernel_scalar, &tensors, &image);
    /* Far above zero SiLU is the identity but for a part in 32768. */
    for (int16_t frame = 0; frame < 8; frame++) {
        for (uint32_t i = 0; i < channels; i++)
            c[i] = (int16_t)(10000 + 1000 * frame);
        erx_kernel_scalar.conv(&image, &image.layers[0], c, state, &out);
        int32_t seen = frame - (3 - _i);
        ck_assert_int_le(abs(out.x[0] - (seen < 0 ? 0 : 10000 + 1000 * seen)), 1);
    }
    erx_fence_close(&fence);
}
END_TEST

Suite *state_ops_suite(void)
{
    Suite *suite = suite_create("state ops");
    TCase *tcase = tcase_create("state ops");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_conv, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_scan, 0, ERX_TEST_SHAPES);
    tcase_add_loop_test(tcase, test_conv_sees_the_right_frame, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
