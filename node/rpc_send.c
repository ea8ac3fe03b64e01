/* sendTransaction and requestAirdrop: handing transactions over, and answering
 * when their fate is known.
 *
 * With preflight the answer waits for the block: execution itself says what a
 * simulation would have said, with its logs, and signatures are verified once.
 * Without preflight the answer is the signature, at once. */
#include "node/rpc_parts.h"

#include "node/airdrop.h"
#include "node/base64.h"
#include "node/node_clock.h"
#include "node/packet_view.h"
#include "node/transaction_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any block takes; a transaction that waits for the base layer is
 * told as accepted then. */
#define FATE_WAIT_NS    (4 * ERX_SECOND_NS)
#define WAITS_MAX       65536u
#define LOADED_SIZE_KEY "loadedAccountsDataSize"

static uint32_t bucket_of(const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    return ((uint32_t)signature[0] | (uint32_t)signature[1] << 8) % ERX_RPC_WAIT_BUCKETS;
}

static bool add_wait(erx_rpc_request_t *request, const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    erx_rpc_t *rpc = request->rpc;
    erx_rpc_wait_t *wait = rpc->wait_count < WAITS_MAX ? calloc(1, sizeof *wait) : NULL;
    if (wait == NULL)
        return false;
    wait->request = erx_rpc_defer(request);
    if (wait->request == NULL) {
        free(wait);
        return false;
    }
    memcpy(wait->signature, signature, ERX_SIGNATURE_SIZE);
    wait->give_up_ns = erx_node_now() + FATE_WAIT_NS;
    erx_rpc_wait_t **bucket = &rpc->waits[bucket_of(signature)];
    wait->next = *bucket;
    *bucket = wait;
    rpc->wait_count++;
    return true;
}

static void write_failure_data(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome)
{
    erx_json_object_begin(writer);
    erx_json_put_null(writer, "accounts");
    erx_json_key(writer, "err");
    erx_fate_json(writer, erx_outcome_fate(outcome));
    erx_json_put_null(writer, "innerInstructions");
    erx_json_put_unsigned(writer, LOADED_SIZE_KEY, outcome->loaded_size);
    erx_json_key(writer, "logs");
    erx_logs_json(writer, outcome);
    erx_json_put_null(writer, "replacementBlockhash");
    erx_json_key(writer, "returnData");
    erx_return_data_json(writer, outcome);
    erx_json_put_unsigned(writer, "unitsConsumed", outcome->units);
    erx_json_object_end(writer);
}

static void answer_failure(erx_rpc_request_t *request, const erx_transaction_outcome_t *outcome)
{
    char reason[ERX_TRANSACTION_TEXT_MAX];
    char message[ERX_TRANSACTION_TEXT_MAX + 32];
    if (outcome->code == ERX_TX_SIGNATURE_FAILURE) {
        erx_rpc_fail(request, ERX_RPC_SIGNATURE_FAILURE,
                     "Transaction signature verification failure");
        return;
    }
    erx_fate_text(erx_outcome_fate(outcome), reason);
    if (outcome->code == ERX_TX_SANITIZE_FAILURE) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "invalid transaction: %s", reason);
        return;
    }
    (void)snprintf(message, sizeof message, "Transaction simulation failed: %s", reason);
    erx_json_writer_t *writer = erx_rpc_begin_fail(request, ERX_RPC_SIMULATION_FAILED, message);
    write_failure_data(writer, outcome);
    erx_rpc_end_fail(request);
}

static void answer_signature(erx_rpc_request_t *request,
                             const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    erx_json_base58(erx_rpc_result(request), signature, ERX_SIGNATURE_SIZE);
}

void erx_rpc_answer_waits(erx_rpc_t *rpc, const erx_transaction_record_t *record)
{
    const erx_transaction_outcome_t *outcome = &record->outcome;
    erx_rpc_wait_t **place = &rpc->waits[bucket_of(outcome->signature)];
    while (*place != NULL) {
        erx_rpc_wait_t *wait = *place;
        if (memcmp(wait->signature, outcome->signature, ERX_SIGNATURE_SIZE) != 0) {
            place = &wait->next;
            continue;
        }
        *place = wait->next;
        rpc->wait_count--;
        if (outcome->code == ERX_TX_OK)
            answer_signature(wait->request, outcome->signature);
        else
            answer_failure(wait->request, outcome);
        erx_rpc_resolve(wait->request);
        free(wait);
        return; /* a second sender of the same bytes has an outcome of its own */
    }
}

void erx_rpc_expire_waits(erx_rpc_t *rpc, uint64_t now_ns)
{
    for (uint32_t i = 0; i < ERX_RPC_WAIT_BUCKETS && rpc->wait_count > 0; i++) {
        erx_rpc_wait_t **place = &rpc->waits[i];
        while (*place != NULL) {
            erx_rpc_wait_t *wait = *place;
            if (wait->give_up_ns > now_ns) {
                place = &wait->next;
                continue;
            }
            *place = wait->next;
            rpc->wait_count--;
            answer_signature(wait->request, wait->signature);
            erx_rpc_resolve(wait->request);
            free(wait);
        }
    }
}

/* Reads a transaction from the first parameter. */
bool erx_rpc_read_packet(erx_rpc_request_t *request, const json_t *options,
                         uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out)
{
    const json_t *value = erx_rpc_param(request, 0);
    const char *text = json_string_value(value);
    const char *encoding = erx_json_member_text(options, "encoding");
    bool is_base64 = encoding != NULL && strcmp(encoding, "base64") == 0;
    if (text == NULL) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: a transaction as text is needed");
        return false;
    }
    if (encoding != NULL && !is_base64 && strcmp(encoding, "base58") != 0) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "unsupported encoding: %.32s. Supported encodings: base58, base64", encoding);
        return false;
    }
    size_t length = json_string_length(value);
    if (length > erx_base64_length(ERX_PACKET_MAX) + ERX_PACKET_MAX) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "%s encoded transaction too large: %zu bytes (max: encoded/raw %zu/%d)",
                     is_base64 ? "base64" : "base58", length, erx_base64_length(ERX_PACKET_MAX),
                     ERX_PACKET_MAX);
        return false;
    }
    bool is_read = is_base64
                       ? erx_base64_decode(text, length, packet_out, ERX_PACKET_MAX, size_out)
                       : erx_base58_long_read(text, length, packet_out, ERX_PACKET_MAX, size_out);
    if (!is_read)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "invalid %s encoding, or more than %d bytes",
                     is_base64 ? "base64" : "base58", ERX_PACKET_MAX);
    return is_read;
}

/* Hands a packet over; false, answered, where it is refused. */
static bool submit(erx_rpc_request_t *request, const uint8_t *packet, size_t size,
                   uint8_t signature_out[ERX_SIGNATURE_SIZE])
{
    uint64_t since = erx_node_now();
    int32_t status = request->rpc->is_stopping
                         ? ERX_STATUS_STATE
                         : erx_rollup_submit(request->node->rollup, packet, size, signature_out);
    if (status == ERX_STATUS_OK) {
        erx_arrivals_add(&request->rpc->arrivals, signature_out, since);
        erx_subscriptions_received(request->node->subscriptions, signature_out);
        return true;
    }
    erx_telemetry_add(request->node->telemetry, ERX_METRIC_TRANSACTIONS_REFUSED, 1);
    if (status == ERX_STATUS_FORMAT || status == ERX_STATUS_RANGE) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "failed to deserialize the transaction: %s",
                     erx_last_error());
        return false;
    }
    request->is_busy = true;
    erx_rpc_fail(request, ERX_RPC_UNHEALTHY,
                 status == ERX_STATUS_FULL
                     ? "Node is busy: too many transactions wait for a block; "
                       "send this one again"
                     : "Node is unhealthy: it takes no transactions now");
    return false;
}

void erx_rpc_send_transaction(erx_rpc_request_t *request)
{
    const json_t *options;
    erx_rpc_view_t view;
    uint8_t packet[ERX_PACKET_MAX];
    uint8_t signature[ERX_SIGNATURE_SIZE];
    size_t size;
    if (!erx_rpc_options(request, 1, &options) || !erx_rpc_view(request, options, &view) ||
        !erx_rpc_read_packet(request, options, packet, &size) ||
        !submit(request, packet, size, signature))
        return;
    bool skips_preflight = json_is_true(json_object_get(options, "skipPreflight"));
    if (skips_preflight || !add_wait(request, signature)) {
        if (!request->is_answered)
            answer_signature(request, signature);
    }
}

void erx_rpc_request_airdrop(erx_rpc_request_t *request)
{
    erx_pubkey_t key;
    const json_t *options;
    erx_rpc_view_t view;
    uint64_t lamports;
    if (!erx_rpc_key_param(request, 0, &key) || !erx_rpc_options(request, 2, &options) ||
        !erx_rpc_view(request, options, &view))
        return;
    const erx_rpc_config_t *node = request->node;
    if (!erx_json_to_unsigned(erx_rpc_param(request, 1), &lamports)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: lamports are needed");
        return;
    }
    if (node->faucet_key == NULL || lamports > node->config->airdrop_lamports_max) {
        erx_rpc_fail(request, ERX_RPC_INVALID_REQUEST,
                     "airdrop request failed: at most %" PRIu64 " lamports at once",
                     node->config->airdrop_lamports_max);
        return;
    }
    uint8_t packet[ERX_PACKET_MAX];
    uint8_t signature[ERX_SIGNATURE_SIZE];
    uint8_t blockhash[ERX_HASH_SIZE];
    size_t size = 0;
    if (erx_rollup_blockhash(node->rollup, blockhash, NULL, NULL) != ERX_STATUS_OK ||
        !erx_airdrop_packet(node->faucet_key, &key, lamports, ++request->rpc->airdrops, blockhash,
                            packet, &size)) {
        erx_rpc_fail(request, ERX_RPC_INTERNAL_ERROR, "airdrop request failed: it was not signed");
        return;
    }
    if (submit(request, packet, size, signature) && !add_wait(request, signature) &&
        !request->is_answered)
        answer_signature(request, signature);
}
