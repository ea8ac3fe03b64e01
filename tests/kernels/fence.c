#include "tests/kernels/fence.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/image.h"

#define PAGE_BYTES ((size_t)4096)
#define GARBAGE    0x5a

void erx_fence_open(erx_fence_t *fence)
{
    fence->count = 0;
}

/* One page at least of guard bytes, the block, one page without access. */
void *erx_fence_take(erx_fence_t *fence, size_t bytes)
{
    ck_assert_uint_lt(fence->count, ERX_FENCE_BLOCKS_MAX);
    size_t open_bytes = PAGE_BYTES + ERX_ALIGN_UP(bytes, PAGE_BYTES);
    erx_fence_block_t *block = &fence->blocks[fence->count++];
    block->mapping_bytes = open_bytes + PAGE_BYTES;
    block->mapping = mmap(NULL, block->mapping_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(block->mapping, MAP_FAILED);
    ck_assert_int_eq(mprotect(block->mapping + open_bytes, PAGE_BYTES, PROT_NONE), 0);
    memset(block->mapping, GARBAGE, open_bytes);
    block->block = block->mapping + open_bytes - bytes;
    return block->block;
}

int16_t *erx_fence_i16(erx_fence_t *fence, uint32_t count)
{
    return erx_fence_take(fence, ERX_ALIGN_UP((size_t)count, ERX_PANEL_ROWS) * sizeof(int16_t));
}

int32_t *erx_fence_i32(erx_fence_t *fence, uint32_t count)
{
    return erx_fence_take(fence, ERX_ALIGN_UP((size_t)count, ERX_PANEL_ROWS) * sizeof(int32_t));
}

void *erx_fence_copy(erx_fence_t *fence, const void *source, size_t bytes)
{
    void *block = erx_fence_take(fence, bytes);
    memcpy(block, source, bytes);
    return block;
}

void erx_fence_close(erx_fence_t *fence)
{
    for (uint32_t i = 0; i < fence->count; i++) {
        const erx_fence_block_t *block = &fence->blocks[i];
        const uint8_t *guard = block->mapping;
        while (guard < block->block && *guard == GARBAGE)
            guard++;
        ck_assert_msg(guard == block->block, "a kernel wrote %td bytes in front of a block",
                      block->block - guard);
        ck_assert_int_eq(munmap(block->mapping, block->mapping_bytes), 0);
    }
    fence->count = 0;
}
