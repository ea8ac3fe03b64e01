/* A JSON-RPC client over HTTP, for commands that talk to a validator and for the
 * base layer. One thread at a time; calls block up to their timeout. */
#ifndef ERX_NODE_RPC_CLIENT_H
#define ERX_NODE_RPC_CLIENT_H

#include "node/failure.h"
#include "node/text_buffer.h"

#include <jansson.h>

typedef struct erx_rpc_client erx_rpc_client_t;

/* NULL where there is no memory. Connects with the first call. */
erx_rpc_client_t *erx_rpc_client_open(const char *url, uint32_t timeout_ms);
void erx_rpc_client_close(erx_rpc_client_t *client);

/* Posts a body, or gets the URL where body is NULL; the answer replaces what
 * answer holds. False with a reason for everything but status 200. */
bool erx_rpc_client_exchange(erx_rpc_client_t *client, const erx_text_t *body, erx_text_t *answer,
                             erx_failure_t *failure);

/* Calls a method; params is a JSON array. Returns the result, which the caller
 * releases; NULL with a reason where the answer is an error. */
json_t *erx_rpc_client_call(erx_rpc_client_t *client, const char *method, const char *params,
                            erx_failure_t *failure);

#endif
