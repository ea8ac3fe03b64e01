/* Sessions that play themselves: they are created at start, fed with a policy or
 * with scripted players, and begun anew when they end. Control thread. */
#ifndef ERX_NODE_EXHIBITION_H
#define ERX_NODE_EXHIBITION_H

#include "abi/erx.h"
#include "node/config.h"

typedef struct erx_exhibition erx_exhibition_t;

/* Finds or creates config->bots sessions of the rollup's first model. */
bool erx_exhibition_open(const erx_config_t *config, erx_rollup_t *rollup,
                         erx_exhibition_t **exhibition_out, erx_failure_t *failure);

/* Before a tick: controllers for its frames; ended sessions begin anew. */
void erx_exhibition_play(erx_exhibition_t *exhibition, uint64_t tick, int64_t timestamp);

/* NULL is allowed. */
void erx_exhibition_close(erx_exhibition_t *exhibition);

#endif
