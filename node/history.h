/* The newest transactions, for getTransaction, getSignaturesForAddress and
 * signature statuses. The oldest makes way for the newest. Belongs to the
 * network thread. */
#ifndef ERX_NODE_HISTORY_H
#define ERX_NODE_HISTORY_H

#include "node/block_event.h"

typedef struct erx_history erx_history_t;

/* Room for capacity transactions. NULL where there is no memory. */
erx_history_t *erx_history_open(uint32_t capacity);
void erx_history_close(erx_history_t *history);

/* Adds a transaction that landed; the history owns it from now on. */
void erx_history_add(erx_history_t *history, erx_transaction_record_t *record);

/* The newest record of a signature; NULL when there is none. */
const erx_transaction_record_t *erx_history_find(const erx_history_t *history,
                                                 const uint8_t signature[ERX_SIGNATURE_SIZE]);

/* The newest record that names an account and is older than the record of
 * sequence before (UINT64_MAX: the newest of all); NULL when there is none. */
const erx_transaction_record_t *erx_history_older(const erx_history_t *history,
                                                  const erx_pubkey_t *key, uint64_t before);

#endif
