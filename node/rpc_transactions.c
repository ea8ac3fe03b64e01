/* Methods that look at transactions, past ones or simulated ones. */
#include "node/rpc_parts.h"

#include "node/base64.h"
#include "node/packet_view.h"
#include "node/transaction_json.h"

#include <string.h>

#define STATUSES_MAX           256u  /* as Solana */
#define SIGNATURES_MAX         1000u /* as Solana */
#define SIMULATED_ACCOUNTS_MAX 64u

/* ------------------------------------------------------------ simulation */

typedef struct {
    erx_simulation_config_t config;
    erx_pubkey_t accounts[SIMULATED_ACCOUNTS_MAX];
    erx_account_view_t account_view;
    bool wants_accounts;
    bool wants_inner_instructions;
} simulation_options_t;

static const char *read_simulated_accounts(const json_t *accounts, simulation_options_t *options)
{
    const json_t *keys = json_object_get(accounts, "addresses");
    const char *fault = erx_account_view_read(accounts, &options->account_view);
    if (fault != NULL)
        return fault;
    if (options->account_view.encoding == ERX_ENCODING_BASE58) {
        if (erx_json_member(accounts, "encoding") != NULL)
            return "base58 encoding not supported"; /* as Solana */
        options->account_view.encoding = ERX_ENCODING_BASE64;
    }
    if (json_array_size(keys) > SIMULATED_ACCOUNTS_MAX)
        return "Too many accounts provided; max 64";
    for (size_t i = 0; i < json_array_size(keys); i++)
        if (!erx_key_read(json_array_get(keys, i), &options->accounts[i]))
            return "accounts.addresses must be keys";
    options->wants_accounts = true;
    options->config.accounts = options->accounts;
    options->config.account_count = (uint32_t)json_array_size(keys);
    return NULL;
}

static const char *read_simulation_options(const json_t *json, simulation_options_t *options)
{
    *options = (simulation_options_t){
        .config =
            {
                .struct_size = sizeof options->config,
                .verify_signatures = json_is_true(json_object_get(json, "sigVerify")),
                .replace_blockhash = json_is_true(json_object_get(json, "replaceRecentBlockhash")),
            },
        .wants_inner_instructions = json_is_true(json_object_get(json, "innerInstructions")),
    };
    if (options->config.verify_signatures && options->config.replace_blockhash)
        return "sigVerify may not be used with replaceRecentBlockhash";
    const json_t *accounts = erx_json_member(json, "accounts");
    return accounts != NULL ? read_simulated_accounts(accounts, options) : NULL;
}

static void write_simulated_accounts(erx_json_writer_t *writer, const erx_simulation_t *simulation,
                                     const simulation_options_t *options)
{
    erx_json_key(writer, "accounts");
    if (!options->wants_accounts) {
        erx_json_null(writer);
        return;
    }
    erx_json_array_begin(writer);
    for (uint32_t i = 0; i < options->config.account_count; i++) {
        const erx_simulated_account_t *simulated = erx_simulation_account(simulation, i);
        if (simulated == NULL || !simulated->exists) {
            erx_json_null(writer);
            continue;
        }
        erx_account_t account = {simulated->owner, simulated->lamports, simulated->data,
                                 simulated->data_size, simulated->executable};
        (void)erx_account_json(writer, &account, &options->account_view); /* never base58 */
    }
    erx_json_array_end(writer);
}

static void write_replacement(erx_rpc_request_t *request, erx_json_writer_t *writer,
                              const simulation_options_t *options)
{
    uint8_t hash[ERX_HASH_SIZE];
    uint64_t last_valid;
    erx_json_key(writer, "replacementBlockhash");
    if (!options->config.replace_blockhash ||
        erx_rollup_blockhash(request->node->rollup, hash, &last_valid, NULL) != ERX_STATUS_OK) {
        erx_json_null(writer);
        return;
    }
    erx_json_object_begin(writer);
    erx_json_key(writer, "blockhash");
    erx_json_base58(writer, hash, sizeof hash);
    erx_json_put_unsigned(writer, "lastValidBlockHeight", last_valid);
    erx_json_object_end(writer);
}

static void write_simulation(erx_rpc_request_t *request, const erx_simulation_t *simulation,
                             const simulation_options_t *options)
{
    const erx_transaction_outcome_t *outcome = erx_simulation_result(simulation);
    if (outcome->code == ERX_TX_SIGNATURE_FAILURE) {
        erx_rpc_fail(request, ERX_RPC_SIGNATURE_FAILURE,
                     "Transaction signature verification failure");
        return;
    }
    uint64_t slot = erx_rollup_processed_slot(request->node->rollup);
    erx_json_writer_t *writer = erx_rpc_begin_value(request, slot);
    erx_json_object_begin(writer);
    erx_json_key(writer, "err");
    erx_fate_json(writer, erx_outcome_fate(outcome));
    erx_json_key(writer, "logs");
    erx_logs_json(writer, outcome);
    write_simulated_accounts(writer, simulation, options);
    erx_json_put_unsigned(writer, "unitsConsumed", outcome->units);
    erx_json_put_unsigned(writer, "loadedAccountsDataSize", outcome->loaded_size);
    erx_json_key(writer, "returnData");
    erx_return_data_json(writer, outcome);
    erx_json_key(writer, "innerInstructions");
    if (options->wants_inner_instructions) {
        erx_json_array_begin(writer); /* native programs call no others */
        erx_json_array_end(writer);
    } else {
        erx_json_null(writer);
    }
    write_replacement(request, writer, options);
    erx_json_object_end(writer);
    erx_rpc_end_value(request);
}

void erx_rpc_simulate_transaction(erx_rpc_request_t *request)
{
    const json_t *json;
    erx_rpc_view_t view;
    uint8_t packet[ERX_PACKET_MAX];
    size_t size;
    simulation_options_t options;
    if (!erx_rpc_options(request, 1, &json) || !erx_rpc_view(request, json, &view) ||
        !erx_rpc_read_packet(request, json, packet, &size))
        return;
    const char *fault = read_simulation_options(json, &options);
    if (fault != NULL) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", fault);
        return;
    }
    erx_simulation_t *simulation = NULL;
    int32_t status =
        erx_rollup_simulate(request->node->rollup, packet, size, &options.config, &simulation);
    if (status != ERX_STATUS_OK) {
        erx_rpc_fail(request,
                     status == ERX_STATUS_FORMAT ? ERX_RPC_INVALID_PARAMS : ERX_RPC_INTERNAL_ERROR,
                     "failed to deserialize the transaction: %s", erx_last_error());
        return;
    }
    write_simulation(request, simulation, &options);
    erx_simulation_close(simulation);
}

void erx_rpc_get_fee_for_message(erx_rpc_request_t *request)
{
    const json_t *value = erx_rpc_param(request, 0);
    const json_t *options;
    erx_rpc_view_t view;
    uint8_t message[ERX_PACKET_MAX];
    size_t size;
    erx_packet_view_t packet;
    if (!erx_rpc_options(request, 1, &options) || !erx_rpc_view(request, options, &view))
        return;
    if (!json_is_string(value) ||
        !erx_base64_decode(json_string_value(value), json_string_length(value), message,
                           sizeof message, &size) ||
        !erx_message_view_read(message, size, &packet)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: a message in base64 is needed");
        return;
    }
    erx_json_writer_t *writer = erx_rpc_begin_value(request, view.slot);
    if (erx_rollup_blockhash_valid(request->node->rollup, packet.blockhash))
        erx_json_unsigned(writer, request->node->fee_per_signature * packet.required_signatures);
    else
        erx_json_null(writer);
    erx_rpc_end_value(request);
}

/* -------------------------------------------------------------- statuses */

static const char *confirmation(const erx_rpc_request_t *request, uint64_t slot)
{
    bool is_durable = slot <= erx_rollup_confirmed_slot(request->node->rollup);
    return is_durable ? "finalized" : "processed";
}

/* The status of a signature, from the history or from the rollup itself, which
 * remembers after a restart too. */
static bool find_status(const erx_rpc_request_t *request,
                        const uint8_t signature[ERX_SIGNATURE_SIZE], uint64_t *slot_out,
                        erx_transaction_fate_t *fate_out)
{
    const erx_transaction_record_t *record = erx_history_find(request->node->history, signature);
    if (record != NULL) {
        *slot_out = record->slot;
        *fate_out = erx_outcome_fate(&record->outcome);
        return true;
    }
    erx_signature_status_t status = {.struct_size = sizeof status};
    if (erx_rollup_signature_status(request->node->rollup, signature, &status) != ERX_STATUS_OK)
        return false;
    *slot_out = status.slot;
    *fate_out = (erx_transaction_fate_t){status.code, status.instruction_index,
                                         status.instruction_code, status.instruction_custom};
    return true;
}

static void write_status(erx_rpc_request_t *request, erx_json_writer_t *writer, uint64_t slot,
                         erx_transaction_fate_t fate)
{
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "slot", slot);
    erx_json_put_null(writer, "confirmations");
    erx_json_key(writer, "status");
    erx_fate_status_json(writer, fate);
    erx_json_key(writer, "err");
    erx_fate_json(writer, fate);
    erx_json_put_text(writer, "confirmationStatus", confirmation(request, slot));
    erx_json_object_end(writer);
}

void erx_rpc_get_signature_statuses(erx_rpc_request_t *request)
{
    const json_t *list = erx_rpc_param(request, 0);
    if (!json_is_array(list) || json_array_size(list) > STATUSES_MAX) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     json_is_array(list) ? "Too many inputs provided; max 256"
                                         : "Invalid params: a list of signatures is needed");
        return;
    }
    uint64_t processed = erx_rollup_processed_slot(request->node->rollup);
    erx_json_writer_t *writer = erx_rpc_begin_value(request, processed);
    erx_json_array_begin(writer);
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint8_t signature[ERX_SIGNATURE_SIZE];
        uint64_t slot;
        erx_transaction_fate_t fate;
        if (!erx_signature_read(json_array_get(list, i), signature)) {
            erx_rpc_fail_base58(request, json_array_get(list, i));
            return;
        }
        if (find_status(request, signature, &slot, &fate))
            write_status(request, writer, slot, fate);
        else
            erx_json_null(writer);
    }
    erx_json_array_end(writer);
    erx_rpc_end_value(request);
}

/* --------------------------------------------------------------- history */

static bool read_signature_param(erx_rpc_request_t *request, const json_t *value,
                                 uint8_t signature_out[ERX_SIGNATURE_SIZE])
{
    if (erx_signature_read(value, signature_out))
        return true;
    if (value == NULL)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "`params` should have at least 1 argument(s)");
    else
        erx_rpc_fail_base58(request, value);
    return false;
}

static bool read_transaction_encoding(erx_rpc_request_t *request, const json_t *options,
                                      erx_transaction_encoding_t *encoding_out)
{
    static const char *const names[] = {"json", "jsonParsed", "base58", "base64", "binary"};
    const char *name = erx_json_member_text(options, "encoding");
    *encoding_out = ERX_TRANSACTION_JSON;
    for (size_t i = 0; name != NULL && i < ERX_ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *encoding_out = i == 4 ? ERX_TRANSACTION_BASE58 : (erx_transaction_encoding_t)i;
            return true;
        }
    }
    if (name != NULL)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: encoding must be json, jsonParsed, base58 or base64");
    return name == NULL;
}

void erx_rpc_get_transaction(erx_rpc_request_t *request)
{
    uint8_t signature[ERX_SIGNATURE_SIZE];
    const json_t *first = erx_rpc_param(request, 1);
    const json_t *options = NULL;
    erx_rpc_view_t view;
    erx_transaction_encoding_t encoding;
    json_t *made = json_is_string(first) ? json_pack("{s:O}", "encoding", first) : NULL;
    bool is_read = made != NULL || erx_rpc_options(request, 1, &options);
    is_read = is_read && read_signature_param(request, erx_rpc_param(request, 0), signature) &&
              erx_rpc_view(request, options, &view) &&
              read_transaction_encoding(request, made != NULL ? made : options, &encoding);
    json_decref(made);
    if (!is_read)
        return;
    const erx_transaction_record_t *record = erx_history_find(request->node->history, signature);
    if (record == NULL || (!view.is_processed && record->slot > view.slot)) {
        erx_json_null(erx_rpc_result(request));
        return;
    }
    bool takes_versions = erx_json_member(options, "maxSupportedTransactionVersion") != NULL;
    if (!takes_versions &&
        erx_packet_is_versioned(record->outcome.packet, record->outcome.packet_size)) {
        erx_rpc_fail(request, ERX_RPC_UNSUPPORTED_VERSION,
                     "Transaction version (0) is not supported by the requesting client. Please "
                     "try the request again with the following configuration parameter: "
                     "\"maxSupportedTransactionVersion\": 0");
        return;
    }
    erx_transaction_record_json(erx_rpc_result(request), record, encoding);
}

static void write_signature(erx_rpc_request_t *request, erx_json_writer_t *writer,
                            const erx_transaction_record_t *record)
{
    const uint8_t *memo;
    size_t memo_size;
    erx_json_object_begin(writer);
    erx_json_key(writer, "signature");
    erx_json_base58(writer, record->outcome.signature, ERX_SIGNATURE_SIZE);
    erx_json_put_unsigned(writer, "slot", record->slot);
    erx_json_key(writer, "err");
    erx_fate_json(writer, erx_outcome_fate(&record->outcome));
    erx_json_key(writer, "memo");
    if (erx_packet_memo(record->outcome.packet, record->outcome.packet_size, &memo, &memo_size)) {
        char text[ERX_PACKET_MAX + 16];
        int length = snprintf(text, sizeof text, "[%zu] %.*s", memo_size, (int)memo_size,
                              (const char *)memo);
        erx_json_string(writer, text, length > 0 ? (size_t)length : 0);
    } else {
        erx_json_null(writer);
    }
    erx_json_put_signed(writer, "blockTime", record->timestamp);
    erx_json_put_text(writer, "confirmationStatus", confirmation(request, record->slot));
    erx_json_object_end(writer);
}

/* Reads {limit, before, until}; sequences of the bounds, 0 and UINT64_MAX where
 * there is none. A signature that is not known ends the list at once. */
static bool read_bounds(erx_rpc_request_t *request, const json_t *options, uint64_t *limit,
                        uint64_t *before, uint64_t *until)
{
    uint8_t signature[ERX_SIGNATURE_SIZE];
    const json_t *value = erx_json_member(options, "limit");
    *limit = SIGNATURES_MAX;
    *before = UINT64_MAX;
    *until = 0;
    if (value != NULL &&
        (!erx_json_to_unsigned(value, limit) || *limit == 0 || *limit > SIGNATURES_MAX)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid limit; max %u", SIGNATURES_MAX);
        return false;
    }
    value = erx_json_member(options, "before");
    if (value != NULL) {
        if (!read_signature_param(request, value, signature))
            return false;
        const erx_transaction_record_t *record =
            erx_history_find(request->node->history, signature);
        *before = record != NULL ? record->sequence : 0;
    }
    value = erx_json_member(options, "until");
    if (value != NULL) {
        if (!read_signature_param(request, value, signature))
            return false;
        const erx_transaction_record_t *record =
            erx_history_find(request->node->history, signature);
        *until = record != NULL ? record->sequence : 0;
    }
    return true;
}

void erx_rpc_get_signatures_for_address(erx_rpc_request_t *request)
{
    erx_pubkey_t key;
    const json_t *options;
    erx_rpc_view_t view;
    uint64_t limit, before, until;
    if (!erx_rpc_key_param(request, 0, &key) || !erx_rpc_options(request, 1, &options) ||
        !erx_rpc_view(request, options, &view) ||
        !read_bounds(request, options, &limit, &before, &until))
        return;
    const erx_history_t *history = request->node->history;
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_array_begin(writer);
    const erx_transaction_record_t *record = erx_history_older(history, &key, before);
    while (record != NULL && record->sequence > until && limit > 0) {
        if (view.is_processed || record->slot <= view.slot) {
            write_signature(request, writer, record);
            limit--;
        }
        record = erx_history_older(history, &key, record->sequence);
    }
    erx_json_array_end(writer);
}
