/* sendTransaction and requestAirdrop: handing transactions over, and answering
 * when enough is known of their fate.
 *
 * With preflight a transaction is tried on the state of the last block. Where that
 * goes well, the answer leaves when its signatures are verified; where not, it
 * waits for the block: transactions before it may have changed everything, and
 * execution says what happened, with its logs. Without preflight the answer is the
 * signature, at once. */
#include "node/rpc_parts.h"

#include "node/airdrop.h"
#include "node/base64.h"
#include "node/native_programs.h"
#include "node/node_clock.h"
#include "node/packet_view.h"
#include "node/transaction_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is tried on the network thread takes some ten microseconds; what needs more
 * units than this waits for its block. */
#define TRIED_UNITS_MAX UINT64_C(20000)
#define LOADED_SIZE_KEY "loadedAccountsDataSize"

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

void erx_rpc_answer_signature_failure(erx_rpc_request_t *request)
{
    erx_rpc_fail(request, ERX_RPC_SIGNATURE_FAILURE, "Transaction signature verification failure");
}

static void answer_failure(erx_rpc_request_t *request, const erx_transaction_outcome_t *outcome)
{
    char reason[ERX_TRANSACTION_TEXT_MAX];
    char message[ERX_TRANSACTION_TEXT_MAX + 32];
    if (outcome->code == ERX_TX_SIGNATURE_FAILURE) {
        erx_rpc_answer_signature_failure(request);
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

void erx_rpc_answer_signature(erx_rpc_request_t *request,
                              const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    erx_json_base58(erx_rpc_result(request), signature, ERX_SIGNATURE_SIZE);
}

void erx_rpc_answer_fate(erx_rpc_request_t *request, const erx_transaction_outcome_t *outcome)
{
    if (outcome->code == ERX_TX_OK)
        erx_rpc_answer_signature(request, outcome->signature);
    else
        answer_failure(request, outcome);
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

static void refuse(erx_rpc_request_t *request, int32_t status)
{
    erx_telemetry_add(request->node->telemetry, ERX_METRIC_TRANSACTIONS_REFUSED, 1);
    if (status == ERX_STATUS_FORMAT || status == ERX_STATUS_RANGE) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "failed to deserialize the transaction: %s",
                     erx_last_error());
        return;
    }
    request->is_busy = true;
    erx_rpc_fail(request, ERX_RPC_UNHEALTHY,
                 status == ERX_STATUS_FULL
                     ? "Node is busy: too many transactions wait for a block; "
                       "send this one again"
                     : "Node is unhealthy: it takes no transactions now");
}

/* Whether every account that a transaction names is here, or need not be. */
static bool has_accounts(const erx_transaction_outcome_t *outcome)
{
    for (uint32_t i = 0; i < outcome->balance_count; i++)
        if (outcome->balances[i].lamports_before == 0 &&
            erx_native_program(outcome->balances[i].key.bytes) == ERX_PROGRAM_OTHER)
            return false;
    return true;
}

/* Whether a transaction would go well after the last block, as far as that can be
 * said quickly: not where an account may have to be cloned from the base layer. */
static bool is_foreseen(erx_rpc_request_t *request, const uint8_t *packet, size_t size)
{
    erx_simulation_t *simulation = NULL;
    const erx_simulation_config_t how = {
        .struct_size = sizeof how, .units_max = TRIED_UNITS_MAX, .never_waits = true};
    if (erx_rollup_simulate(request->node->rollup, packet, size, &how, &simulation) !=
        ERX_STATUS_OK)
        return false;
    const erx_transaction_outcome_t *outcome = erx_simulation_result(simulation);
    bool is_good = outcome->code == ERX_TX_OK &&
                   (request->node->config->base_url[0] == '\0' || has_accounts(outcome));
    erx_simulation_close(simulation);
    return is_good;
}

/* When the sender has its answer. */
typedef enum {
    AT_ONCE,
    WHEN_FORESEEN, /* or executed */
    WHEN_EXECUTED,
} answer_time_t;

/* Hands a packet over, and answers. */
static void submit(erx_rpc_request_t *request, const uint8_t *packet, size_t size,
                   answer_time_t when)
{
    bool waits = when != AT_ONCE;
    uint8_t signature[ERX_SIGNATURE_SIZE];
    erx_rpc_t *rpc = request->rpc;
    uint64_t since = erx_node_now();
    if (waits)
        erx_verdicts_want(rpc->node.verdicts);
    int32_t status = rpc->is_stopping
                         ? ERX_STATUS_STATE
                         : erx_rollup_submit(rpc->node.rollup, packet, size, signature);
    erx_rpc_underway_t *underway = NULL;
    if (status == ERX_STATUS_OK) {
        erx_subscriptions_received(rpc->node.subscriptions, signature);
        underway = erx_rpc_add_underway(rpc, signature, since);
    } else {
        refuse(request, status);
    }
    if (waits && underway != NULL)
        underway->request = erx_rpc_defer(request);
    if (waits && (underway == NULL || underway->request == NULL))
        erx_verdicts_want_no_more(rpc->node.verdicts);
    if (request->is_deferred)
        underway->is_foreseen =
            when == WHEN_FORESEEN && !underway->has_copy && is_foreseen(request, packet, size);
    else if (!request->is_answered)
        erx_rpc_answer_signature(request, signature);
}

void erx_rpc_send_transaction(erx_rpc_request_t *request)
{
    const json_t *options;
    erx_rpc_view_t view;
    uint8_t packet[ERX_PACKET_MAX];
    size_t size;
    if (erx_rpc_options(request, 1, &options) && erx_rpc_view(request, options, &view) &&
        erx_rpc_read_packet(request, options, packet, &size))
        submit(request, packet, size,
               json_is_true(json_object_get(options, "skipPreflight")) ? AT_ONCE : WHEN_FORESEEN);
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
    uint8_t blockhash[ERX_HASH_SIZE];
    size_t size = 0;
    if (erx_rollup_blockhash(node->rollup, blockhash, NULL, NULL) != ERX_STATUS_OK ||
        !erx_airdrop_packet(node->faucet_key, &key, lamports, ++request->rpc->airdrops, blockhash,
                            packet, &size)) {
        erx_rpc_fail(request, ERX_RPC_INTERNAL_ERROR, "airdrop request failed: it was not signed");
        return;
    }
    submit(request, packet, size, WHEN_EXECUTED);
}
