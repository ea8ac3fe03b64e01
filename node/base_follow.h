/* The accounts that are asked for or followed, each with its delegation record:
 * what must be fetched, what is subscribed to, and what was last known.
 *
 * A notification only says that something changed; what it is, is fetched, the
 * account and its record at one slot. An account is also fetched again when its
 * subscriptions stand, for it may have changed before; so nothing is missed when
 * the connection was away. Without a connection everything is fetched now and
 * then. Keys that are followed are kept in a file, for the clones outlive the
 * process.
 *
 * Any thread. */
#ifndef ERX_NODE_BASE_FOLLOW_H
#define ERX_NODE_BASE_FOLLOW_H

#include "node/base_layer.h"

#define ERX_FOLLOW_ACCOUNTS_MAX 4096u /* one more puts out the one that came first */

typedef struct erx_follow erx_follow_t;

/* path names the file of keys. */
erx_follow_t *erx_follow_open(const char *path, erx_failure_t *failure);
void erx_follow_close(erx_follow_t *follow);

/* Asks for an account. True where another one is followed no longer because of
 * it: put_out says which. */
bool erx_follow_want(erx_follow_t *follow, const erx_pubkey_t *key, erx_pubkey_t *put_out);

/* --------------------------------------------- the thread that fetches */

typedef struct {
    erx_pubkey_t key, record;
    bool was_asked; /* a transaction waits for it */
} erx_follow_ticket_t;

/* Waits until something is to be fetched, at most until due_ns of erx_node_now
 * or erx_follow_stop, and takes up to capacity of it; returns how many. */
uint32_t erx_follow_take(erx_follow_t *follow, uint64_t due_ns, erx_follow_ticket_t *tickets,
                         uint32_t capacity);
void erx_follow_stop(erx_follow_t *follow);

/* Waits until due_ns or erx_follow_stop. */
void erx_follow_pause(erx_follow_t *follow, uint64_t due_ns);

/* What was taken could not be fetched: it is to be fetched again. */
void erx_follow_put_back(erx_follow_t *follow, const erx_follow_ticket_t *tickets, uint32_t count);

/* Notes what was fetched; delegation is NULL where there is none. True where it is
 * news: it must be handed on. An account that does not exist or is delegated to
 * us is followed no longer. */
bool erx_follow_note(erx_follow_t *follow, const erx_follow_ticket_t *ticket,
                     const erx_base_account_t *account, const erx_delegation_t *delegation);

/* Writes the file where the keys have changed; before what was noted is handed on. */
bool erx_follow_save(erx_follow_t *follow, erx_failure_t *failure);

/* --------------------------------------------- the thread that listens */

typedef struct {
    bool is_subscribe;
    uint64_t id;           /* of the request */
    erx_pubkey_t key;      /* to subscribe to */
    uint64_t subscription; /* to end */
} erx_follow_request_t;

/* The next request to send; false: there is none. */
bool erx_follow_next(erx_follow_t *follow, erx_follow_request_t *request_out);
void erx_follow_confirmed(erx_follow_t *follow, uint64_t id, uint64_t subscription);
void erx_follow_notified(erx_follow_t *follow, uint64_t subscription, uint64_t slot);
void erx_follow_connected(erx_follow_t *follow, bool is_connected);

/* The delegation of an account that is followed. */
bool erx_follow_delegation(erx_follow_t *follow, const erx_pubkey_t *key,
                           erx_delegation_t *delegation_out);

#endif
