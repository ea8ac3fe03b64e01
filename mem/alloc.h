/* The engine's heap, for the control plane only: a jemalloc arena of its own,
 * so that its use can be told apart from the embedder's. The frame path never
 * calls it; the per-thread counter lets a test prove that. Built with a
 * sanitizer, it is the sanitizer's malloc. */
#ifndef ERX_MEM_ALLOC_H
#define ERX_MEM_ALLOC_H

#include "mem/base.h"

/* Zeroed memory, 64-byte aligned. NULL when there is none (callers report
 * ERX_ERR_MEMORY) or when count * size overflows. Nothing asked for is still a
 * pointer to free. Any thread. */
void *erx_alloc(size_t count, size_t size);

/* Frees what erx_alloc gave; NULL is allowed. Any thread. */
void erx_free(void *memory);

/* Bytes that the calling thread has ever allocated through jemalloc, by any
 * caller (also libc and libraries of this process). 0 where jemalloc is not in
 * the build. */
uint64_t erx_alloc_thread_bytes(void);

/* Bytes now allocated from the engine's own arena, over all threads. 0 where
 * jemalloc is not in the build. */
size_t erx_alloc_arena_bytes(void);

#endif
