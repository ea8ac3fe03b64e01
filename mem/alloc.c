#include "mem/alloc.h"

#ifdef ERX_SANITIZED

#include <stdlib.h>
#include <string.h>

void *erx_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ERX_CACHE_LINE)
        return NULL;
    bytes = ERX_ALIGN_UP(ERX_MAX(bytes, 1), (size_t)ERX_CACHE_LINE);
    void *memory = aligned_alloc(ERX_CACHE_LINE, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

void erx_free(void *memory)
{
    free(memory);
}

uint64_t erx_alloc_thread_bytes(void)
{
    return 0;
}

size_t erx_alloc_arena_bytes(void)
{
    return 0;
}

#else

#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <stdio.h>

#define ARENA_NONE UINT32_MAX

static pthread_once_t arena_once = PTHREAD_ONCE_INIT;
static unsigned arena_index = ARENA_NONE;

static void arena_create(void)
{
    size_t bytes = sizeof arena_index;
    if (mallctl("arenas.create", &arena_index, &bytes, NULL, 0) != 0)
        arena_index = ARENA_NONE;
}

void *erx_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    (void)pthread_once(&arena_once, arena_create);
    if (arena_index == ARENA_NONE)
        return NULL;
    /* Without a thread cache, so that what is freed leaves the arena's count
     * at once; the control plane can afford the lock. */
    return mallocx(ERX_MAX(bytes, 1), MALLOCX_ARENA(arena_index) | MALLOCX_TCACHE_NONE |
                                          MALLOCX_ALIGN(ERX_CACHE_LINE) | MALLOCX_ZERO);
}

void erx_free(void *memory)
{
    if (memory != NULL)
        dallocx(memory, MALLOCX_TCACHE_NONE);
}

uint64_t erx_alloc_thread_bytes(void)
{
    uint64_t allocated = 0;
    size_t bytes = sizeof allocated;
    if (mallctl("thread.allocated", &allocated, &bytes, NULL, 0) != 0)
        return 0;
    return allocated;
}

/* One of the arena's statistics, 0 where jemalloc was built without them. */
static size_t arena_statistic(const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "stats.arenas.%u.%s", arena_index, name);
    size_t value = 0;
    size_t bytes = sizeof value;
    if (mallctl(path, &value, &bytes, NULL, 0) != 0)
        return 0;
    return value;
}

size_t erx_alloc_arena_bytes(void)
{
    (void)pthread_once(&arena_once, arena_create);
    if (arena_index == ARENA_NONE)
        return 0;
    /* jemalloc refreshes its statistics when the epoch is written. */
    uint64_t epoch = 1;
    (void)mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    return arena_statistic("small.allocated") + arena_statistic("large.allocated");
}

#endif
