#include "abi/handle.h"

#include <stdatomic.h>

/* A tag is 0 where the entry is free; else generation, index + 1 and kind: the
 * handle itself. */
#define KIND_BITS  3u
#define INDEX_BITS 14u

ERX_STATIC_ASSERT(ERX_HANDLES_MAX < 1u << INDEX_BITS, "an index fits its bits");

typedef struct {
    _Atomic uint64_t tag;
    _Atomic uint64_t generation;
    void *_Atomic object;
} entry_t;

static entry_t entries[ERX_HANDLES_MAX];
static _Atomic uint32_t search_start;

static uint64_t tag_of(const void *handle)
{
    return (uint64_t)(uintptr_t)handle;
}

static entry_t *find(erx_handle_kind_t kind, uint64_t tag)
{
    uint64_t index = tag >> KIND_BITS & ((1u << INDEX_BITS) - 1);
    bool plausible = (tag & ((1u << KIND_BITS) - 1)) == kind && index - 1 < ERX_HANDLES_MAX;
    if (!plausible)
        return NULL;
    entry_t *entry = &entries[index - 1];
    return atomic_load_explicit(&entry->tag, memory_order_acquire) == tag ? entry : NULL;
}

/* The object is published before the tag: CLAIMED keeps others out meanwhile. */
#define CLAIMED UINT64_C(1)

ERX_STATIC_ASSERT(ERX_HANDLE_ROLLUP >= 1 && ERX_HANDLE_SEAT < 1 << KIND_BITS, "a kind fits");

void *erx_handle_make(erx_handle_kind_t kind, void *object)
{
    uint32_t start = atomic_fetch_add_explicit(&search_start, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < ERX_HANDLES_MAX; i++) {
        uint32_t index = (start + i) % ERX_HANDLES_MAX;
        entry_t *entry = &entries[index];
        uint64_t free = 0;
        if (!atomic_compare_exchange_strong(&entry->tag, &free, CLAIMED))
            continue;
        uint64_t generation = atomic_fetch_add(&entry->generation, 1) + 1;
        uint64_t tag =
            generation << (KIND_BITS + INDEX_BITS) | (uint64_t)(index + 1) << KIND_BITS | kind;
        atomic_store(&entry->object, object);
        atomic_store_explicit(&entry->tag, tag, memory_order_release);
        return (void *)(uintptr_t)tag;
    }
    return NULL;
}

void *erx_handle_object(erx_handle_kind_t kind, const void *handle)
{
    entry_t *entry = find(kind, tag_of(handle));
    return entry == NULL ? NULL : atomic_load_explicit(&entry->object, memory_order_acquire);
}

void *erx_handle_end(erx_handle_kind_t kind, void *handle)
{
    uint64_t tag = tag_of(handle);
    entry_t *entry = find(kind, tag);
    if (entry == NULL)
        return NULL;
    void *object = atomic_load(&entry->object);
    return atomic_compare_exchange_strong(&entry->tag, &tag, 0) ? object : NULL;
}
