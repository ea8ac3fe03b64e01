/* A region: one anonymous mapping, in huge pages where the system gives them,
 * bound to a NUMA node where one is named. Everything that the frame path
 * touches is taken from a region before it is sealed; nothing is taken after.
 *
 * States: open (take allowed) -> sealed (take asserts) -> closed. */
#ifndef ERX_MEM_REGION_H
#define ERX_MEM_REGION_H

#include "mem/status.h"

#define ERX_NODE_ANY (-1)

typedef struct {
    uint8_t *base;
    size_t bytes; /* mapped, a multiple of the page size that was used */
    size_t taken; /* prefix handed out so far */
    bool sealed;
} erx_region_t;

/* Maps bytes (> 0) of zeroed memory, 2 MiB aligned, binds it to NUMA node (the
 * operating system's number; ERX_NODE_ANY: where it is first touched) and
 * touches every page, so that no page fault is left for the frame path. A node
 * that cannot be bound to is not an error: the memory is then wherever the
 * kernel puts it. Errors: ERX_ERR_MEMORY, naming the number of bytes. Thread
 * rule: one thread, control plane. */
erx_status_t erx_region_open(erx_region_t *region_out, size_t bytes, int node, erx_error_t *error);

/* The same without pages, which come when they are first written: for memory
 * that several threads fill, each with what it reads, and that is soon closed. */
erx_status_t erx_region_open_empty(erx_region_t *region_out, size_t bytes, erx_error_t *error);

/* Hands out the next bytes at alignment (a power of two, at most 2 MiB). Asserts that the region is
 * open and large enough: sizes are planned first. */
void *erx_region_take(erx_region_t *region, size_t bytes, size_t alignment);

/* Ends the taking: the memory stays, erx_region_take asserts from now on. */
void erx_region_seal(erx_region_t *region);

/* Unmaps. A region that was never opened (all zero) is allowed. */
void erx_region_close(erx_region_t *region);

#endif
