/* Finds the most recent of many keyed things that come in order and expire in
 * the same order: a ring of numbered places, each with a key, in chains of equal
 * hashes. What belongs to a key its owner keeps, place by place.
 *
 * Hashes are keyed with a seed, so that who chooses the keys cannot choose
 * their chains. Nothing is ever unlinked: chains lead from newer to older, and
 * end where the first expired place is met. One thread at a time. */
#ifndef ERX_ENGINE_TRANSACTION_RECENT_H
#define ERX_ENGINE_TRANSACTION_RECENT_H

#include "mem/status.h"

typedef struct erx_recent erx_recent_t;

/* Places of an index. */
#define ERX_RECENT_CAPACITY_MAX (1u << 24)

/* An index of capacity places (1 to ERX_RECENT_CAPACITY_MAX) for keys of
 * key_bytes. Errors: ERX_ERR_RANGE, ERX_ERR_MEMORY. */
erx_status_t erx_recent_open(uint32_t capacity, uint32_t key_bytes, uint64_t seed,
                             erx_recent_t **recent_out, erx_error_t *error);

/* NULL is allowed. */
void erx_recent_close(erx_recent_t *recent);

/* Things that have not expired, at most capacity. */
uint32_t erx_recent_count(const erx_recent_t *recent);
uint32_t erx_recent_capacity(const erx_recent_t *recent);

/* Adds the newest and returns its place. Not when full (asserted). */
uint32_t erx_recent_push(erx_recent_t *recent, const void *key);

/* Expires the oldest. Not when empty (asserted). */
void erx_recent_drop(erx_recent_t *recent);

/* Place and key of the thing that is so many older than the newest; age is
 * below the count. */
uint32_t erx_recent_place(const erx_recent_t *recent, uint32_t age);
const void *erx_recent_key(const erx_recent_t *recent, uint32_t age);

/* The age of the newest thing with that key; false where there is none. */
bool erx_recent_find(const erx_recent_t *recent, const void *key, uint32_t *age_out);

#endif
