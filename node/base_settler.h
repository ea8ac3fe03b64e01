/* Settles to the base layer's node, on a thread of its own: many at a time, again
 * until the node has them, in a file until then. */
#ifndef ERX_NODE_BASE_SETTLER_H
#define ERX_NODE_BASE_SETTLER_H

#include "node/base_layer.h"

#define ERX_SETTLER_WAITING_MAX 65536u /* settlements; one more fails */

typedef struct erx_settler erx_settler_t;

/* Takes up what the file at path holds. events and telemetry outlive it. */
bool erx_settler_open(const erx_config_t *config, const char *path, const erx_keypair_t *identity,
                      const erx_base_events_t *events, erx_telemetry_t *telemetry,
                      erx_settler_t **settler_out, erx_failure_t *failure);

/* Any thread; does not block. */
void erx_settler_add(erx_settler_t *settler, const erx_settlement_t *settlement);

/* Waits for a call that is under way; what is not settled stays in the file. NULL
 * is allowed. */
void erx_settler_close(erx_settler_t *settler);

#endif
