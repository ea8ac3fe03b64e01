/* What the validator's files share. */
#ifndef ERX_NODE_VALIDATOR_PARTS_H
#define ERX_NODE_VALIDATOR_PARTS_H

#include "node/base_link.h"
#include "node/crank.h"
#include "node/event_ring.h"
#include "node/exhibition.h"
#include "node/keypair.h"
#include "node/network.h"
#include "node/validator.h"

#include <pthread.h>

/* Blocks whose end is remembered for the latency of their commit: far more than
 * are ever under way. */
#define ERX_VALIDATOR_BLOCKS 4096u

typedef struct {
    const erx_config_t *config;
    erx_rollup_t *rollup;
    erx_telemetry_t *telemetry;
    erx_base_link_t *base;
    erx_exhibition_t *exhibition;
    _Atomic(erx_network_t *) network;
    pthread_mutex_t network_lock; /* of who wakes it from a thread that outlives it */
    erx_keypair_t identity;
    erx_keypair_t faucet;
    erx_pubkey_t program;
    erx_event_ring_t events;
    erx_verdicts_t verdicts;
    erx_watch_filter_t filter;
    erx_recordings_t *recordings;
    uint64_t slot;   /* of the newest block */
    bool has_failed; /* the storage: nothing is executed any more */
    uint64_t measured_ns;
    _Atomic uint64_t finished_ns[ERX_VALIDATOR_BLOCKS];
} erx_validator_t;

/* Whether a signal asked to stop (validator.c). */
bool erx_validator_is_stopped(void);

/* Seals blocks until it is stopped, then ends in order (validator_loop.c). */
bool erx_validator_loop(erx_validator_t *validator, erx_failure_t *failure);

#endif
