/* Everything over HTTP that is not JSON-RPC: the web page, /health, /metrics,
 * /replay/SESSION, /auth/challenge and /auth/login. */
#ifndef ERX_NODE_ROUTES_H
#define ERX_NODE_ROUTES_H

#include "abi/erx.h"
#include "node/recordings.h"
#include "node/server.h"

typedef struct erx_routes erx_routes_t;

typedef struct {
    const erx_config_t *config;
    erx_rollup_t *rollup;
    const erx_recordings_t *recordings; /* NULL: nothing is recorded */
    void *context;
    void (*write_metrics)(void *context, erx_text_t *text);
} erx_routes_config_t;

/* NULL with a reason where a page's directory cannot be read. */
erx_routes_t *erx_routes_open(const erx_routes_config_t *config, erx_failure_t *failure);
void erx_routes_close(erx_routes_t *routes);

/* Answers a request. */
void erx_routes_answer(erx_routes_t *routes, const erx_server_message_t *message);

#endif
