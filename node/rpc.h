/* JSON-RPC 2.0 over the server: single requests and batches, the table of
 * methods, answers that come later. Runs on the network thread.
 *
 * An answer may have to wait: for the block that executes a transaction, or, at
 * commitment confirmed, for the block it speaks of to be durable (its gate). */
#ifndef ERX_NODE_RPC_H
#define ERX_NODE_RPC_H

#include "node/base_layer.h"
#include "node/history.h"
#include "node/server.h"
#include "node/subscriptions.h"
#include "node/verdicts.h"

typedef struct erx_rpc erx_rpc_t;

/* What the methods work on; all of it outlives the rpc. */
typedef struct {
    const erx_config_t *config;
    erx_rollup_t *rollup;
    erx_telemetry_t *telemetry;
    erx_history_t *history;
    erx_subscriptions_t *subscriptions;
    erx_verdicts_t *verdicts;
    erx_base_layer_view_t base; /* the base layer as methods see it */
    const uint8_t *faucet_key;  /* 64 bytes: seed and public key; NULL: no airdrops */
    erx_pubkey_t identity;
    uint64_t fee_per_signature; /* lamports */
    uint8_t genesis[ERX_HASH_SIZE];
} erx_rpc_config_t;

/* NULL where there is no memory. */
erx_rpc_t *erx_rpc_open(const erx_rpc_config_t *config);
void erx_rpc_close(erx_rpc_t *rpc);

/* The server that answers go to; set before the first message. */
void erx_rpc_set_server(erx_rpc_t *rpc, erx_server_t *server);

/* A POST body or WebSocket message. It is answered through the server. */
void erx_rpc_message(erx_rpc_t *rpc, const erx_server_message_t *message);

/* Signatures were verified: answers where that was all that was missing. */
void erx_rpc_verified(erx_rpc_t *rpc);

/* A block was executed: answers whoever waits for its transactions. Before the
 * records are given to the history. */
void erx_rpc_executed(erx_rpc_t *rpc, const erx_block_event_t *event);

/* Blocks up to slot are durable: sends the answers that waited for it. */
void erx_rpc_durable(erx_rpc_t *rpc, uint64_t slot);

/* Gives up on answers that waited too long. About ten times a second. */
void erx_rpc_beat(erx_rpc_t *rpc, uint64_t now_ns);

/* From now on transactions are refused: the validator stops. */
void erx_rpc_stop(erx_rpc_t *rpc);

/* Counts of requests by method, in Prometheus' text format. */
void erx_rpc_write_metrics(const erx_rpc_t *rpc, erx_text_t *text);

#endif
