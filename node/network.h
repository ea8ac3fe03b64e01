/* The network thread: the server, JSON-RPC, subscriptions and pages, fed with
 * the control thread's blocks. */
#ifndef ERX_NODE_NETWORK_H
#define ERX_NODE_NETWORK_H

#include "node/base_layer.h"
#include "node/event_ring.h"
#include "node/keypair.h"
#include "node/recordings.h"
#include "node/telemetry.h"
#include "node/verdicts.h"

typedef struct erx_network erx_network_t;

typedef struct {
    const erx_config_t *config;
    erx_rollup_t *rollup;
    erx_telemetry_t *telemetry;
    erx_event_ring_t *events;
    erx_watch_filter_t *filter;
    erx_verdicts_t *verdicts;
    erx_recordings_t *recordings; /* the network thread's from now on; NULL: none */
    erx_base_layer_view_t base;
    erx_keypair_t faucet;
    erx_pubkey_t identity;
    uint8_t genesis[ERX_HASH_SIZE];
    uint64_t fee_per_signature;
} erx_network_config_t;

/* Binds the ports and starts the thread. What config leads to outlives it. */
bool erx_network_open(const erx_network_config_t *config, erx_network_t **network_out,
                      erx_failure_t *failure);

/* The port that was bound. */
uint16_t erx_network_port(const erx_network_t *network);

/* There is something in the ring, or more is durable. Any thread. */
void erx_network_wake(erx_network_t *network);

/* Refuses further transactions; everything else is still answered. Any thread. */
void erx_network_drain(erx_network_t *network);

/* Sends what is due, ends the thread and frees. NULL is allowed. */
void erx_network_close(erx_network_t *network);

#endif
