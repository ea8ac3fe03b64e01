/* Runs an operation of every kernel beside the scalar reference. */
#ifndef ERX_TESTS_KERNELS_TRIAL_H
#define ERX_TESTS_KERNELS_TRIAL_H

#include "tests/kernels/random_model.h"

#define ERX_SAT16_MAX 32767

/* A kernel and the reference with the same model, each in its own layout. */
typedef struct {
    const erx_kernel_t *kernel;
    const erx_image_t *image;
    const erx_kernel_t *reference_kernel;
    const erx_image_t *reference;
    uint32_t layer; /* the one to try */
    erx_rng_t *rng;
    erx_fence_t *fence; /* for the operands; closed after the trial */
} erx_trial_t;

typedef void (*erx_trial_fn)(const erx_trial_t *trial);

/* Fails the test, naming kernel, shape and place, unless the bytes are equal. */
void erx_trial_expect(const erx_trial_t *trial, const char *what, const void *actual,
                      const void *expected, size_t bytes);

/* Tries every kernel of this machine with several models of the test shape
 * with this index, and several times with each model. */
void erx_trial_run(uint32_t shape_index, uint32_t model_count, uint32_t repeat_count,
                   erx_trial_fn body);

/* The same for the kernels of profile i16ssm-2. */
void erx_trial_run_wide(uint32_t shape_index, uint32_t model_count, uint32_t repeat_count,
                        erx_trial_fn body);

#endif
