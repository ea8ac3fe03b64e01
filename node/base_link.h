/* Between the rollup and its base layer: what the rollup asks for on the control
 * thread goes to the base layer; what its threads found comes back and waits
 * for the control thread. */
#ifndef ERX_NODE_BASE_LINK_H
#define ERX_NODE_BASE_LINK_H

#include "node/base_layer.h"

typedef struct erx_base_link erx_base_link_t;

/* Chooses the base layer that config asks for and sets it as the rollup's.
 * program is the world program's id. Before the rollup starts. */
bool erx_base_link_open(const erx_config_t *config, erx_rollup_t *rollup,
                        const erx_keypair_t *identity, const erx_pubkey_t *program,
                        erx_telemetry_t *telemetry, erx_base_link_t **link_out,
                        erx_failure_t *failure);

/* Opens the base layer, and settles what recovery found to settle, and every
 * session that is over. After the rollup has started: the data directory is there
 * then. */
bool erx_base_link_start(erx_base_link_t *link, erx_failure_t *failure);

/* Puts what was fetched into the rollup, hands durable settlements over, locks
 * and releases what is settled for good. slot is the next block's. Control
 * thread, between blocks. */
void erx_base_link_run(erx_base_link_t *link, uint64_t slot);

/* A block was executed: notes which accounts there are to settle. Control thread. */
void erx_base_link_note(erx_base_link_t *link, const erx_block_result_t *result);

/* Has every session that is not over settled with the next block, as it stands, and
 * every other delegated account that changed, as it is now. Control thread. */
void erx_base_link_settle_all(erx_base_link_t *link);

/* Settlements that are not yet done. */
uint32_t erx_base_link_pending(erx_base_link_t *link);

/* Whether those are kept for the next start. */
bool erx_base_link_keeps_pending(const erx_base_link_t *link);

/* What the network thread may ask. */
erx_base_layer_view_t erx_base_link_view(erx_base_link_t *link);

/* Waits for what is under way, a few seconds at most. NULL is allowed. */
void erx_base_link_close(erx_base_link_t *link);

#endif
