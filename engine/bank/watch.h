/* Watching accounts: bounded queues of what changed, for readers that are slower
 * than blocks.
 *
 * A queue holds each account at most once: of one that changes faster than it is
 * read only the newest state is told. An account that finds the queue full is
 * passed over. Both are counted.
 *
 * Thread rule: under the runtime's lock. */
#ifndef ERX_ENGINE_BANK_WATCH_H
#define ERX_ENGINE_BANK_WATCH_H

#include "engine/transaction/key.h"
#include "mem/status.h"

#define ERX_WATCH_QUEUE_MAX 65536u

typedef struct erx_account_watch erx_account_watch_t;

typedef struct {
    erx_key_t key;
    uint64_t slot;
    uint64_t version;
    uint64_t dropped; /* by this watch so far */
    bool removed;
} erx_account_news_t;

/* Which accounts: of a key, or of an owner; the other is NULL. queue_accounts is
 * 1 to ERX_WATCH_QUEUE_MAX. Errors: ERX_ERR_RANGE, ERX_ERR_MEMORY. */
erx_status_t erx_account_watch_open(const erx_key_t *key, const erx_key_t *owner,
                                    uint32_t queue_accounts, erx_account_watch_t **watch_out,
                                    erx_error_t *error);

/* NULL is allowed. */
void erx_account_watch_close(erx_account_watch_t *watch);

/* Tells a watch of a change. owner: of the account; NULL where it was removed,
 * and then every watch of an owner is told. Returns the drops that this caused. */
uint32_t erx_account_watch_tell(erx_account_watch_t *watch, const erx_account_news_t *news,
                                const erx_key_t *owner);

/* Takes the oldest news; false where there is none. */
bool erx_account_watch_next(erx_account_watch_t *watch, erx_account_news_t *news_out);

#endif
