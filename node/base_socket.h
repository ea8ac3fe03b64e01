/* The WebSocket to the base layer's node, on a thread of its own: it subscribes to
 * what is followed, notes what has changed, and comes back when the connection
 * was lost. */
#ifndef ERX_NODE_BASE_SOCKET_H
#define ERX_NODE_BASE_SOCKET_H

#include "node/base_follow.h"

typedef struct erx_base_socket erx_base_socket_t;

/* follow and telemetry outlive it. The failure names the setting whose address is
 * none. A node that does not answer is no failure. */
bool erx_base_socket_open(const erx_config_t *config, erx_follow_t *follow,
                          erx_telemetry_t *telemetry, erx_base_socket_t **socket_out,
                          erx_failure_t *failure);

/* There is something to subscribe to, or to end. Any thread. */
void erx_base_socket_wake(erx_base_socket_t *socket);

/* NULL is allowed. */
void erx_base_socket_close(erx_base_socket_t *socket);

#endif
