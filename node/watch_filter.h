/* Which accounts anybody watches, roughly: the network thread counts the keys
 * and owners that subscriptions name, the control thread asks before it copies
 * an account. It may say yes wrongly, never no. */
#ifndef ERX_NODE_WATCH_FILTER_H
#define ERX_NODE_WATCH_FILTER_H

#include "abi/erx.h"

#include <stdatomic.h>

#define ERX_WATCH_FILTER_SLOTS 4096u /* a power of two, far more than accounts watched at once */

typedef struct {
    _Atomic uint32_t counts[ERX_WATCH_FILTER_SLOTS];
} erx_watch_filter_t;

/* A key's hash: keys are hashes or curve points, so any eight bytes will do; the
 * last ones also differ between well-known programs. */
uint64_t erx_key_hash(const erx_pubkey_t *key);

/* Network thread. */
void erx_watch_filter_add(erx_watch_filter_t *filter, const erx_pubkey_t *key);
void erx_watch_filter_remove(erx_watch_filter_t *filter, const erx_pubkey_t *key);

/* Any thread. */
bool erx_watch_filter_has(const erx_watch_filter_t *filter, const erx_pubkey_t *key);

#endif
