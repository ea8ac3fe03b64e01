/* The reference validator: a rollup, its base layer, the crank and the network.
 *
 *   control thread (the caller's)   crank: bots, base layer, seal, results
 *        | events, one a block            ^ transactions, simulations, reads
 *        v                                | (functions that any thread may call)
 *   network thread                  HTTP, WebSocket, JSON-RPC, subscriptions
 *
 * The rollup adds workers, verifiers and the commit thread; the base layer has a
 * thread of its own. */
#ifndef ERX_NODE_VALIDATOR_H
#define ERX_NODE_VALIDATOR_H

#include "node/config.h"

/* Runs until SIGINT, SIGTERM or config->seconds are over: then no transaction is
 * taken any more, what was taken is executed, sessions are settled, everything
 * is made durable. False with a reason where it could not start or did not end
 * in order. */
bool erx_validator_run(const erx_config_t *config, erx_failure_t *failure);

#endif
