#include "node/key_set.h"

#include "node/watch_filter.h"

#include <string.h>

/* The bucket that has the key, or the free one where it belongs. */
static uint16_t *find(erx_key_set_t *set, const erx_pubkey_t *key)
{
    uint64_t at = erx_key_hash(key);
    for (;; at++) {
        uint16_t *bucket = &set->buckets[at % ERX_KEY_SET_BUCKETS];
        if (*bucket == 0 || memcmp(&set->keys[*bucket - 1], key, sizeof *key) == 0)
            return bucket;
    }
}

bool erx_key_set_add(erx_key_set_t *set, const erx_pubkey_t *key)
{
    uint16_t *bucket = find(set, key);
    if (*bucket != 0)
        return true;
    if (set->count == ERX_KEY_SET_MAX)
        return false;
    set->keys[set->count++] = *key;
    *bucket = (uint16_t)set->count;
    return true;
}

void erx_key_set_clear(erx_key_set_t *set)
{
    if (set->count == 0)
        return;
    memset(set->buckets, 0, sizeof set->buckets);
    set->count = 0;
}
