/* What base_follow*.c share. */
#ifndef ERX_NODE_BASE_FOLLOW_PARTS_H
#define ERX_NODE_BASE_FOLLOW_PARTS_H

#include "node/base_follow.h"

#include <pthread.h>

/* Subscriptions that wait to be ended; one more is ended when it next tells. */
#define ERX_FOLLOW_ENDS_MAX 1024u

typedef enum {
    ERX_SUBSCRIPTION_WANTED,
    ERX_SUBSCRIPTION_ASKED,
    ERX_SUBSCRIPTION_ON,
} erx_subscription_state_t;

typedef struct {
    erx_subscription_state_t state;
    uint64_t id; /* of the request, then of the subscription */
} erx_subscription_t;

typedef struct {
    bool is_used;
    bool is_asked;    /* a transaction waits */
    bool is_dirty;    /* to be fetched */
    bool is_busy;     /* being fetched */
    bool is_followed; /* known to exist, and not ours */
    erx_pubkey_t key, record;
    uint64_t order;                      /* in which they came */
    uint64_t digest;                     /* of what was handed on; 0: nothing yet */
    uint64_t min_slot;                   /* an answer of an earlier slot is out of date */
    erx_subscription_t subscriptions[2]; /* of key and record */
    erx_delegation_t delegation;
} erx_followed_t;

struct erx_follow {
    char *path;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    bool is_connected;
    bool is_unsaved;
    uint64_t polled_ns;
    uint64_t next_order;
    uint64_t next_request;
    uint32_t next_take; /* entry to look at first */
    uint64_t ends[ERX_FOLLOW_ENDS_MAX];
    uint32_t end_count;
    uint32_t used; /* entries in front that may be used */
    erx_followed_t entries[ERX_FOLLOW_ACCOUNTS_MAX];
};

/* With the lock. NULL where it is not there. */
erx_followed_t *erx_follow_find(erx_follow_t *follow, const erx_pubkey_t *key);

/* With the lock: makes an entry; NULL where there is no room or no memory. */
erx_followed_t *erx_follow_add(erx_follow_t *follow, const erx_pubkey_t *key);

/* With the lock: ends its subscriptions and forgets it. */
void erx_follow_drop(erx_follow_t *follow, erx_followed_t *entry);

/* Reads the file of keys; what it names is fetched and followed. */
bool erx_follow_load(erx_follow_t *follow, erx_failure_t *failure);

#endif
