/* Calls to the base layer's node, counted; and what its answers say of accounts.
 * A wire belongs to one thread; calls block, up to a few seconds. */
#ifndef ERX_NODE_BASE_WIRE_H
#define ERX_NODE_BASE_WIRE_H

#include "node/base_layer.h"
#include "node/rpc_client.h"

#include <jansson.h>

#define ERX_BASE_COMMITMENT "confirmed" /* of everything that is read or waited for */
#define ERX_BASE_KEYS_MAX   100u        /* of a getMultipleAccounts, as nodes limit it */

typedef struct {
    erx_rpc_client_t *client;
    erx_telemetry_t *telemetry;
} erx_base_wire_t;

bool erx_base_wire_open(const erx_config_t *config, erx_telemetry_t *telemetry,
                        erx_base_wire_t *wire_out, erx_failure_t *failure);
void erx_base_wire_close(erx_base_wire_t *wire);

/* As erx_rpc_client_call; params holds an array, and is terminated by the call. */
json_t *erx_base_call(erx_base_wire_t *wire, const char *method, erx_text_t *params,
                      erx_failure_t *failure);

/* Notes whether the node answers; a change is logged. */
void erx_base_reached(erx_telemetry_t *telemetry, bool is_reached, const char *reason);

/* Reads accounts at one slot. Their data is the caller's, to be freed with
 * erx_base_account_free; nothing is, where it fails. Whether they are delegated is
 * not looked at. */
bool erx_base_read_accounts(erx_base_wire_t *wire, const erx_pubkey_t *keys, uint32_t count,
                            erx_base_account_t *accounts_out, erx_failure_t *failure);

#endif
