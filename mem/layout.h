/* Lays objects out one after the other in one block of memory. The same walk
 * with a NULL base only counts bytes, so that size and placement cannot
 * disagree. */
#ifndef ERX_MEM_LAYOUT_H
#define ERX_MEM_LAYOUT_H

#include "mem/base.h"

typedef struct {
    uint8_t *base; /* NULL: count only */
    size_t offset;
} erx_layout_t;

static inline erx_layout_t erx_layout_begin(void *base)
{
    return (erx_layout_t){.base = base};
}

/* Place of the next bytes, at the next cache line; NULL while counting. */
static inline void *erx_layout_take(erx_layout_t *layout, size_t bytes)
{
    size_t offset = layout->offset;
    layout->offset = ERX_ALIGN_UP(offset + bytes, (size_t)ERX_CACHE_LINE);
    return layout->base == NULL ? NULL : layout->base + offset;
}

/* Bytes taken so far, a multiple of the cache line. */
static inline size_t erx_layout_bytes(const erx_layout_t *layout)
{
    return layout->offset;
}

#endif
