/* Transactions between their arrival and their fate, and the answers that wait for
 * it. They are known by their signature; copies of one are told apart by their
 * order, which is that of their fates in blocks. */
#include "node/rpc_parts.h"

#include "node/node_clock.h"

#include <stdlib.h>
#include <string.h>

/* Longer than any block takes; a transaction that waits for the base layer is
 * told as accepted then. */
#define FATE_WAIT_NS (4 * ERX_SECOND_NS)
#define UNDERWAY_MAX 65536u

static uint32_t bucket_of(const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    return ((uint32_t)signature[0] | (uint32_t)signature[1] << 8) % ERX_RPC_UNDERWAY_BUCKETS;
}

static bool is_of(const erx_rpc_underway_t *underway, const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    return memcmp(underway->signature, signature, ERX_SIGNATURE_SIZE) == 0;
}

erx_rpc_underway_t *
erx_rpc_add_underway(erx_rpc_t *rpc, const uint8_t signature[ERX_SIGNATURE_SIZE], uint64_t since_ns)
{
    erx_rpc_underway_t *added =
        rpc->underway_count < UNDERWAY_MAX ? calloc(1, sizeof *added) : NULL;
    if (added == NULL)
        return NULL;
    memcpy(added->signature, signature, ERX_SIGNATURE_SIZE);
    added->since_ns = since_ns;
    added->give_up_ns = since_ns + FATE_WAIT_NS;
    erx_rpc_underway_t **place = &rpc->underway[bucket_of(signature)];
    for (; *place != NULL; place = &(*place)->next) {
        if (!is_of(*place, signature))
            continue;
        /* Which verdict is whose is not known then; their fates have an order. */
        (*place)->has_copy = true;
        added->has_copy = true;
    }
    *place = added;
    rpc->underway_count++;
    return added;
}

/* Ends an answer's wait; the request has its answer. */
static void resolve(erx_rpc_t *rpc, erx_rpc_underway_t *underway)
{
    erx_rpc_request_t *request = underway->request;
    underway->request = NULL;
    erx_verdicts_want_no_more(rpc->node.verdicts);
    erx_rpc_resolve(request);
}

static void take_out(erx_rpc_t *rpc, erx_rpc_underway_t **place)
{
    erx_rpc_underway_t *underway = *place;
    *place = underway->next;
    rpc->underway_count--;
    free(underway);
}

void erx_rpc_tell_verdict(erx_rpc_t *rpc, const erx_verdict_t *verdict)
{
    erx_rpc_underway_t *underway = rpc->underway[bucket_of(verdict->signature)];
    while (underway != NULL && !is_of(underway, verdict->signature))
        underway = underway->next;
    if (underway == NULL || underway->request == NULL || underway->has_copy)
        return;
    if (!verdict->is_good)
        erx_rpc_answer_signature_failure(underway->request);
    else if (underway->is_foreseen)
        erx_rpc_answer_signature(underway->request, underway->signature);
    else
        return;
    resolve(rpc, underway);
}

void erx_rpc_tell_fate(erx_rpc_t *rpc, const erx_transaction_record_t *record, uint64_t finished_ns)
{
    const erx_transaction_outcome_t *outcome = &record->outcome;
    erx_rpc_underway_t **place = &rpc->underway[bucket_of(outcome->signature)];
    while (*place != NULL && !is_of(*place, outcome->signature))
        place = &(*place)->next;
    erx_rpc_underway_t *underway = *place;
    if (underway == NULL)
        return;
    if (record->landed && finished_ns > underway->since_ns)
        erx_telemetry_observe(rpc->node.telemetry, ERX_TIMING_INGEST,
                              finished_ns - underway->since_ns);
    if (underway->request != NULL) {
        erx_rpc_answer_fate(underway->request, outcome);
        resolve(rpc, underway);
    }
    take_out(rpc, place);
}

void erx_rpc_expire_underway(erx_rpc_t *rpc, uint64_t now_ns)
{
    for (uint32_t i = 0; i < ERX_RPC_UNDERWAY_BUCKETS && rpc->underway_count > 0; i++) {
        erx_rpc_underway_t **place = &rpc->underway[i];
        while (*place != NULL) {
            erx_rpc_underway_t *underway = *place;
            if (underway->give_up_ns > now_ns) {
                place = &underway->next;
                continue;
            }
            if (underway->request != NULL) {
                erx_rpc_answer_signature(underway->request, underway->signature);
                resolve(rpc, underway);
            }
            take_out(rpc, place);
        }
    }
}
