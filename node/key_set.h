/* A bounded set of keys that is filled one by one and emptied whole. */
#ifndef ERX_NODE_KEY_SET_H
#define ERX_NODE_KEY_SET_H

#include "abi/erx.h"

#define ERX_KEY_SET_MAX     4096u
#define ERX_KEY_SET_BUCKETS 8192u /* a power of two, so that half are free */

/* Its owner embeds it, zeroed. */
typedef struct {
    uint32_t count;
    uint16_t buckets[ERX_KEY_SET_BUCKETS]; /* place in keys, from 1; 0: free */
    erx_pubkey_t keys[ERX_KEY_SET_MAX];
} erx_key_set_t;

/* False where the set is full and does not have the key. */
bool erx_key_set_add(erx_key_set_t *set, const erx_pubkey_t *key);

void erx_key_set_clear(erx_key_set_t *set);

#endif
