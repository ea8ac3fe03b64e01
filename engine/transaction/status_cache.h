/* The transactions of the recent past and how they ended: tells a repeated one,
 * and answers for signatures. Fixed capacity, taken at open.
 *
 * A repeated transaction is one with the same message: who signs may sign one
 * message twice with different signatures, and it must run once all the same.
 * A transaction has to stay at least as long as its blockhash is accepted. One
 * thread at a time. */
#ifndef ERX_ENGINE_TRANSACTION_STATUS_CACHE_H
#define ERX_ENGINE_TRANSACTION_STATUS_CACHE_H

#include "engine/transaction/key.h"
#include "engine/transaction/transaction_error.h"
#include "mem/status.h"

#define ERX_STATUS_CACHE_CAPACITY_MAX (1u << 22) /* transactions, some 700 MB */

typedef struct erx_status_cache erx_status_cache_t;

/* How a transaction ended, and in which slot. */
typedef struct {
    uint64_t slot;
    erx_transaction_result_t result;
} erx_status_cache_entry_t;

/* A cache of capacity transactions, from 1. seed is random: with it, nobody can
 * choose signatures that are slow to find. Errors: ERX_ERR_RANGE (the message
 * names the capacity), ERX_ERR_MEMORY. */
erx_status_t erx_status_cache_open(uint32_t capacity, uint64_t seed, erx_status_cache_t **cache_out,
                                   erx_error_t *error);

/* NULL is allowed. */
void erx_status_cache_close(erx_status_cache_t *cache);

/* Transactions that the cache holds, and that it still has room for. */
uint32_t erx_status_cache_count(const erx_status_cache_t *cache);
uint32_t erx_status_cache_room(const erx_status_cache_t *cache);

/* Adds a transaction: its first signature, SHA-256 of its message, and how it
 * ended. Slots never go down (asserted). Returns ERX_ERR_FULL, with nothing
 * added, where there is no room: forgetting an older one early would let it run
 * again. */
erx_status_t erx_status_cache_insert(erx_status_cache_t *cache, const erx_signature_t *signature,
                                     const erx_key_t *message_hash,
                                     const erx_status_cache_entry_t *entry);

/* Whether a transaction with that message is in the cache. */
bool erx_status_cache_has_message(const erx_status_cache_t *cache, const erx_key_t *message_hash);

/* The transaction with that first signature; false where there is none. */
bool erx_status_cache_find(const erx_status_cache_t *cache, const erx_signature_t *signature,
                           erx_status_cache_entry_t *entry_out);

/* Forgets the transactions of slots before first_slot. */
void erx_status_cache_purge(erx_status_cache_t *cache, uint64_t first_slot);

#endif
