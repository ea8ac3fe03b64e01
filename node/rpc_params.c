/* Parameters that many methods share. */
#include "node/native_programs.h"
#include "node/rpc_parts.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ACCOUNT_BYTES ((size_t)64 << 10)

const json_t *erx_rpc_param(const erx_rpc_request_t *request, size_t i)
{
    const json_t *value = json_array_get(request->params, i);
    return json_is_null(value) ? NULL : value;
}

bool erx_rpc_options(erx_rpc_request_t *request, size_t i, const json_t **options_out)
{
    *options_out = erx_rpc_param(request, i);
    if (*options_out == NULL || json_is_object(*options_out))
        return true;
    erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: parameter %zu must be an object",
                 i + 1);
    return false;
}

bool erx_rpc_key_param(erx_rpc_request_t *request, size_t i, erx_pubkey_t *key_out)
{
    const json_t *value = erx_rpc_param(request, i);
    if (erx_key_read(value, key_out))
        return true;
    if (value == NULL)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "`params` should have at least %zu argument(s)", i + 1);
    else
        erx_rpc_fail_base58(request, value);
    return false;
}

void erx_rpc_fail_base58(erx_rpc_request_t *request, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: invalid type: a string in base58 is expected");
    else
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid param: %s",
                     erx_is_base58(text) ? "WrongSize" : "Invalid");
}

/* Words that ask for the newest executed block, also those of old clients. */
static bool read_commitment(const json_t *options, bool *is_processed_out)
{
    static const char *const processed[] = {"processed", "recent"};
    static const char *const durable[] = {"confirmed", "finalized", "max",
                                          "root",      "single",    "singleGossip"};
    *is_processed_out = false;
    const json_t *value = erx_json_member(options, "commitment");
    if (value == NULL)
        value = erx_json_member(options, "preflightCommitment");
    const char *word = json_string_value(value);
    if (word == NULL)
        return value == NULL;
    for (size_t i = 0; i < ERX_ARRAY_COUNT(processed); i++)
        if (strcmp(word, processed[i]) == 0)
            return *is_processed_out = true;
    for (size_t i = 0; i < ERX_ARRAY_COUNT(durable); i++)
        if (strcmp(word, durable[i]) == 0)
            return true;
    return false;
}

bool erx_rpc_view(erx_rpc_request_t *request, const json_t *options, erx_rpc_view_t *view_out)
{
    const erx_rollup_t *rollup = request->node->rollup;
    if (!read_commitment(options, &view_out->is_processed)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: commitment must be processed, confirmed or finalized");
        return false;
    }
    view_out->slot = view_out->is_processed ? erx_rollup_processed_slot(rollup)
                                            : erx_rollup_confirmed_slot(rollup);
    const json_t *least = erx_json_member(options, "minContextSlot");
    uint64_t slot = 0;
    if (least != NULL && !erx_json_to_unsigned(least, &slot)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: minContextSlot must be a whole number");
        return false;
    }
    if (slot <= view_out->slot)
        return true;
    erx_json_writer_t *writer = erx_rpc_begin_fail(request, ERX_RPC_MIN_CONTEXT_SLOT,
                                                   "Minimum context slot has not been reached");
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "contextSlot", view_out->slot);
    erx_json_object_end(writer);
    erx_rpc_end_fail(request);
    return false;
}

void erx_rpc_gate(erx_rpc_request_t *request, erx_rpc_view_t *view, uint64_t slot)
{
    if (view->is_processed || slot <= view->slot)
        return;
    view->slot = slot;
    if (slot > request->call->gate_slot)
        request->call->gate_slot = slot;
}

static bool grow_account_data(erx_rpc_t *rpc, size_t needed)
{
    size_t capacity = rpc->account_capacity > 0 ? rpc->account_capacity : FIRST_ACCOUNT_BYTES;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(rpc->account_data, capacity);
    if (data == NULL)
        return false;
    rpc->account_data = data;
    rpc->account_capacity = capacity;
    return true;
}

/* An account that is not in the rollup: a native program, or one that is not here any
 * more, as it was settled. */
static bool read_elsewhere(erx_rpc_t *rpc, const erx_pubkey_t *key, erx_account_t *account_out,
                           uint64_t *slot_out)
{
    const erx_base_layer_view_t *base = &rpc->node.base;
    erx_base_account_t account;
    *slot_out = 0; /* final, in both cases */
    if (erx_native_program_account(key, account_out))
        return true;
    if (base->account == NULL || !base->account(base->context, key, &account))
        return false;
    bool is_read = grow_account_data(rpc, account.data_size);
    if (is_read && account.data_size > 0)
        memcpy(rpc->account_data, account.data, account.data_size);
    *account_out = (erx_account_t){
        .owner = account.owner,
        .lamports = account.lamports,
        .data = rpc->account_data,
        .data_size = (uint32_t)account.data_size,
        .executable = account.executable,
    };
    erx_base_account_free(&account);
    return is_read;
}

bool erx_rpc_read_account(erx_rpc_t *rpc, const erx_pubkey_t *key, erx_account_t *account_out,
                          uint64_t *slot_out)
{
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size = 0;
    if (rpc->account_data == NULL && !grow_account_data(rpc, 1))
        return false;
    for (;;) {
        if (erx_rollup_read_account(rpc->node.rollup, key, &info, 0, rpc->account_data,
                                    rpc->account_capacity, &size) != ERX_STATUS_OK)
            return read_elsewhere(rpc, key, account_out, slot_out);
        if (size >= info.space)
            break;
        if (!grow_account_data(rpc, info.space))
            return false;
    }
    *account_out = (erx_account_t){
        .owner = info.owner,
        .lamports = info.lamports,
        .data = rpc->account_data,
        .data_size = (uint32_t)size,
        .executable = info.executable,
    };
    *slot_out = info.slot;
    return true;
}
