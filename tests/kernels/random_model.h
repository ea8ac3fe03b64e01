/* Tensors that are legal but far from trained: every value may be at the end
 * of its range, every shift at the end of its own. What a kernel may rely on
 * holds (CONTRACT.md), nothing else does. */
#ifndef ERX_TESTS_KERNELS_RANDOM_MODEL_H
#define ERX_TESTS_KERNELS_RANDOM_MODEL_H

#include "kernels/kernel.h"
#include "tests/kernels/fence.h"
#include "tests/support/rng.h"

#define ERX_TEST_SHAPES 15

/* Sizes of real models and odd ones: the least of everything, heads of every
 * width, channels that do not fill a vector, the greatest of everything. */
extern const erx_shape_t erx_test_shapes[ERX_TEST_SHAPES];

/* Fills tensors_out; its memory belongs to fence. */
void erx_random_model(erx_fence_t *fence, erx_rng_t *rng, const erx_shape_t *shape,
                      erx_tensors_t *tensors_out);

/* Packs and maps the image of tensors for kernel in memory of fence. */
void erx_random_image(erx_fence_t *fence, const erx_kernel_t *kernel, const erx_tensors_t *tensors,
                      erx_image_t *image_out);

#endif
