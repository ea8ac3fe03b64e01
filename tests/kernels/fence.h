/* Memory that notices who leaves it. A block ends where a page without access
 * begins, so that one byte read or written too far is a fault in every build;
 * in front of it lie guard bytes, which are checked when the fence closes.
 *
 * Blocks have exactly the capacity that the contract of the kernels promises,
 * and hold garbage at first. */
#ifndef ERX_TESTS_KERNELS_FENCE_H
#define ERX_TESTS_KERNELS_FENCE_H

#include "mem/base.h"

#define ERX_FENCE_BLOCKS_MAX 256u

typedef struct {
    uint8_t *mapping;
    size_t mapping_bytes;
    uint8_t *block;
} erx_fence_block_t;

typedef struct {
    erx_fence_block_t blocks[ERX_FENCE_BLOCKS_MAX];
    uint32_t count;
} erx_fence_t;

void erx_fence_open(erx_fence_t *fence);

/* A block of its own; aligned to 64 bytes where bytes is a multiple of 64. */
void *erx_fence_take(erx_fence_t *fence, size_t bytes);

/* A block of count values, padded as kernels expect vectors to be. */
int16_t *erx_fence_i16(erx_fence_t *fence, uint32_t count);
int32_t *erx_fence_i32(erx_fence_t *fence, uint32_t count);

/* A block with the bytes of another one. */
void *erx_fence_copy(erx_fence_t *fence, const void *source, size_t bytes);

/* Checks every guard and frees every block. The fence may be used again. */
void erx_fence_close(erx_fence_t *fence);

#endif
