#include "tests/kernels/trial.h"

#include <check.h>

#include "kernels/select.h"

void erx_trial_expect(const erx_trial_t *trial, const char *what, const void *actual,
                      const void *expected, size_t bytes)
{
    const erx_shape_t *shape = &trial->image->shape;
    const uint8_t *a = actual;
    const uint8_t *b = expected;
    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            ck_abort_msg("%s: %s is wrong from byte %zu of %zu on (d_model %u, d_state %u, "
                         "head_dim %u)",
                         trial->kernel->name, what, i, bytes, shape->d_model, shape->d_state,
                         shape->head_dim);
}

static void try_kernel(const erx_trial_t *trial, uint32_t repeat_count, erx_trial_fn body)
{
    for (uint32_t r = 0; r < repeat_count; r++) {
        erx_fence_open(trial->fence);
        body(trial);
        erx_fence_close(trial->fence);
    }
}

static void run(uint32_t shape_index, erx_profile_t profile, uint32_t model_count,
                uint32_t repeat_count, erx_trial_fn body)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    erx_shape_t shape = erx_test_shapes[shape_index];
    shape.profile = profile;
    const erx_kernel_t *reference_kernel = erx_kernel_for(&erx_kernel_scalar, &shape);
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(shape_index);
    erx_fence_t model, operands;
    erx_tensors_t tensors;
    erx_image_t reference, image;
    for (uint32_t m = 0; m < model_count; m++) {
        erx_fence_open(&model);
        erx_random_model(&model, &rng, &shape, &tensors);
        erx_random_image(&model, reference_kernel, &tensors, &reference);
        for (uint32_t k = 0; k < kernel_count; k++) {
            const erx_kernel_t *kernel = erx_kernel_for(kernels[k], &shape);
            erx_random_image(&model, kernel, &tensors, &image);
            const erx_trial_t trial = {
                .kernel = kernel,
                .image = &image,
                .reference_kernel = reference_kernel,
                .reference = &reference,
                .layer = m % shape.layer_count,
                .rng = &rng,
                .fence = &operands,
            };
            try_kernel(&trial, repeat_count, body);
        }
        erx_fence_close(&model);
    }
}

void erx_trial_run(uint32_t shape_index, uint32_t model_count, uint32_t repeat_count,
                   erx_trial_fn body)
{
    run(shape_index, ERX_PROFILE_1, model_count, repeat_count, body);
}

void erx_trial_run_wide(uint32_t shape_index, uint32_t model_count, uint32_t repeat_count,
                        erx_trial_fn body)
{
    run(shape_index, ERX_PROFILE_2, model_count, repeat_count, body);
}
