#include "node/watch_filter.h"

#include <string.h>

uint64_t erx_key_hash(const erx_pubkey_t *key)
{
    uint64_t first, last;
    memcpy(&first, key->bytes, sizeof first);
    memcpy(&last, key->bytes + ERX_PUBKEY_SIZE - sizeof last, sizeof last);
    uint64_t hash = (first ^ last) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static _Atomic uint32_t *slot_of(const erx_watch_filter_t *filter, const erx_pubkey_t *key)
{
    return (_Atomic uint32_t *)&filter->counts[erx_key_hash(key) & (ERX_WATCH_FILTER_SLOTS - 1)];
}

/* A subscription may miss the block that executes while it is made, not later
 * ones: no stronger order is needed. */

void erx_watch_filter_add(erx_watch_filter_t *filter, const erx_pubkey_t *key)
{
    atomic_fetch_add_explicit(slot_of(filter, key), 1, memory_order_relaxed);
}

void erx_watch_filter_remove(erx_watch_filter_t *filter, const erx_pubkey_t *key)
{
    atomic_fetch_sub_explicit(slot_of(filter, key), 1, memory_order_relaxed);
}

bool erx_watch_filter_has(const erx_watch_filter_t *filter, const erx_pubkey_t *key)
{
    return atomic_load_explicit(slot_of(filter, key), memory_order_relaxed) > 0;
}
