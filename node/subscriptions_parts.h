/* What the two files of subscriptions share: the registry and the telling. */
#ifndef ERX_NODE_SUBSCRIPTIONS_PARTS_H
#define ERX_NODE_SUBSCRIPTIONS_PARTS_H

#include "node/subscriptions.h"

#define ERX_SUBSCRIPTION_BUCKETS 1024u /* a power of two */
#define ERX_SUBSCRIPTION_FILTERS 4u

typedef struct erx_subscription erx_subscription_t;

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
};

/* First subscription of the bucket that a key or signature falls in. */
uint32_t erx_subscription_key_bucket(const erx_pubkey_t *key);
uint32_t erx_subscription_signature_bucket(const uint8_t signature[ERX_SIGNATURE_SIZE]);

/* Unlinks and frees one. */
void erx_subscription_end(erx_subscriptions_t *subscriptions, erx_subscription_t *subscription);

#endif
