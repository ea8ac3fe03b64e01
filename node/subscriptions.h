/* Who wants to be told what. Belongs to the network thread.
 *
 * A block is told twice: when it is executed, to subscriptions at commitment
 * processed, and when it is durable, to the others. What is told of an account
 * is its state after that block. */
#ifndef ERX_NODE_SUBSCRIPTIONS_H
#define ERX_NODE_SUBSCRIPTIONS_H

#include "node/account_json.h"
#include "node/block_event.h"
#include "node/history.h"
#include "node/server.h"

typedef struct erx_subscriptions erx_subscriptions_t;

typedef enum {
    ERX_SUBSCRIBE_ACCOUNT,
    ERX_SUBSCRIBE_PROGRAM,
    ERX_SUBSCRIBE_SIGNATURE,
    ERX_SUBSCRIBE_LOGS, /* all, or those that mention a key */
    ERX_SUBSCRIBE_SLOT,
    ERX_SUBSCRIBE_KINDS
} erx_subscription_kind_t;

typedef struct {
    erx_subscription_kind_t kind;
    bool is_processed; /* told when executed, not when durable */
    erx_pubkey_t key;  /* account, owner, or who is mentioned */
    bool is_all;       /* logs of every transaction */
    bool is_eager;     /* a signature: told also when its transaction arrives here */
    uint8_t signature[ERX_SIGNATURE_SIZE];
    erx_account_view_t view;
    uint32_t filter_count; /* of a program's accounts */
    const erx_account_filter_t *filters;
} erx_subscription_request_t;

/* filter learns which accounts are watched; rollup is read when notifications
 * were lost. interpolates: who watches a session with a frame in only some ticks at
 * commitment processed is told of states in between, one frame late. NULL where
 * there is no memory. */
erx_subscriptions_t *erx_subscriptions_open(const erx_rollup_t *rollup, erx_watch_filter_t *filter,
                                            erx_history_t *history, erx_telemetry_t *telemetry,
                                            uint32_t per_connection_max, bool interpolates);

/* Every connection is gone. */
void erx_subscriptions_close(erx_subscriptions_t *subscriptions);

/* Subscribes; copies what the request leads to. Returns the subscription's
 * number, from 1; 0 where the connection has as many as it may, or there is no
 * memory. */
uint64_t erx_subscriptions_add(erx_subscriptions_t *subscriptions, erx_connection_t *connection,
                               const erx_subscription_request_t *request);

/* After the answer to subscribing is queued: tells signatures that had landed
 * before. */
void erx_subscriptions_settle(erx_subscriptions_t *subscriptions, erx_connection_t *connection);

/* A transaction has arrived and waits for a block: tells who asked for that. */
void erx_subscriptions_received(erx_subscriptions_t *subscriptions,
                                const uint8_t signature[ERX_SIGNATURE_SIZE]);

/* False where the connection has no such subscription of that kind. */
bool erx_subscriptions_remove(erx_subscriptions_t *subscriptions, erx_connection_t *connection,
                              erx_subscription_kind_t kind, uint64_t id);

/* A connection is gone. */
void erx_subscriptions_forget(erx_subscriptions_t *subscriptions, erx_connection_t *connection);

/* Tells a block that was executed, or is durable now. */
void erx_subscriptions_tell(erx_subscriptions_t *subscriptions, const erx_block_event_t *event,
                            bool is_durable);

/* Blocks were lost on the way: tells every watched account as it is now. */
void erx_subscriptions_resync(erx_subscriptions_t *subscriptions, uint64_t slot);

/* Subscriptions by kind, and drops of the slowest, in Prometheus' text format. */
void erx_subscriptions_write_metrics(const erx_subscriptions_t *subscriptions, erx_text_t *text);

#endif
