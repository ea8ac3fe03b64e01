/* What the three files of subscriptions share: the registry, the telling, and
 * what is told between frames. */
#ifndef ERX_NODE_SUBSCRIPTIONS_PARTS_H
#define ERX_NODE_SUBSCRIPTIONS_PARTS_H

#include "node/interpolation.h"
#include "node/subscriptions.h"

#define ERX_SUBSCRIPTION_BUCKETS 1024u /* a power of two */
#define ERX_SUBSCRIPTION_FILTERS 4u

typedef struct erx_subscription erx_subscription_t;
typedef struct erx_followed erx_followed_t; /* subscriptions_between.c */

/* The subscriptions of a connection: its user pointer. */
typedef struct {
    erx_subscription_t *first;
    uint32_t count;
} erx_subscriber_t;

struct erx_subscription {
    uint64_t id;
    erx_subscription_request_t request;
    erx_account_filter_t filters[ERX_SUBSCRIPTION_FILTERS];
    uint8_t *filter_bytes; /* owned */
    erx_connection_t *connection;
    erx_feed_t feed;
    erx_subscription_t *next, *previous; /* in its bucket */
    erx_subscription_t *next_of_connection, *previous_of_connection;
};

struct erx_subscriptions {
    const erx_rollup_t *rollup;
    erx_watch_filter_t *filter;
    erx_history_t *history;
    erx_telemetry_t *telemetry;
    uint32_t per_connection_max;
    uint64_t last_id;
    uint32_t counts[ERX_SUBSCRIBE_KINDS];
    uint32_t unsettled; /* signatures that landed before they were subscribed to */
    erx_subscription_t *buckets[ERX_SUBSCRIBE_KINDS][ERX_SUBSCRIPTION_BUCKETS];
    erx_text_t text; /* of the notification being made */
    uint8_t *account_data;
    size_t account_capacity;
    bool interpolates;
    erx_followed_t *followed[ERX_SUBSCRIPTION_BUCKETS];
    uint32_t followed_count;
};

/* What is told of one account. */
typedef struct {
    uint64_t slot;
    uint64_t since_ns;
    bool is_durable;
    bool is_both; /* whatever the commitment */
    const erx_pubkey_t *key;
    const erx_account_t *account;
} erx_account_news_t;

/* Tells those who watch the account itself. */
void erx_subscriptions_tell_account(erx_subscriptions_t *subscriptions,
                                    const erx_account_news_t *news);

/* Whether an executed change is told by erx_subscriptions_tell_between in place
 * of now. */
bool erx_subscriptions_hold_back(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                                 const erx_account_change_t *change);

/* After the changes of an executed block: the states between frames that are due
 * at its tick. */
void erx_subscriptions_tell_between(erx_subscriptions_t *subscriptions,
                                    const erx_block_event_t *event);

/* Forgets what sessions looked like: every one begins anew. */
void erx_subscriptions_unfollow(erx_subscriptions_t *subscriptions);

/* First subscription of the bucket that a key or signature falls in. */
uint32_t erx_subscription_key_bucket(const erx_pubkey_t *key);
uint32_t erx_subscription_signature_bucket(const uint8_t signature[ERX_SIGNATURE_SIZE]);

/* Unlinks and frees one. */
void erx_subscription_end(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription);

#endif
