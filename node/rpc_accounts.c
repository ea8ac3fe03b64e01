/* Methods that read accounts. */
#include "node/rpc_parts.h"

#include <string.h>

#define ACCOUNTS_AT_ONCE_MAX 100u                 /* as Solana */
#define RENT_OVERHEAD_BYTES  128u                 /* what an account costs beside its data */
#define RENT_PER_BYTE        UINT64_C(6960)       /* lamports for two years */
#define SPACE_MAX            ((uint64_t)10 << 20) /* of an account */

static void fail_too_long(erx_rpc_request_t *request)
{
    erx_rpc_fail(request, ERX_RPC_INVALID_REQUEST,
                 "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 "
                 "encoding.");
}

/* The view of the options at i, and commitment. */
static bool read_views(erx_rpc_request_t *request, const json_t *options,
                       erx_account_view_t *account_view_out, erx_rpc_view_t *view_out)
{
    const char *fault = erx_account_view_read(options, account_view_out);
    if (fault != NULL) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", fault);
        return false;
    }
    return erx_rpc_view(request, options, view_out);
}

void erx_rpc_get_account_info(erx_rpc_request_t *request)
{
    erx_pubkey_t key;
    const json_t *options;
    erx_account_view_t account_view;
    erx_rpc_view_t view;
    if (!erx_rpc_key_param(request, 0, &key) || !erx_rpc_options(request, 1, &options) ||
        !read_views(request, options, &account_view, &view))
        return;
    erx_account_t account;
    uint64_t slot;
    bool exists = erx_rpc_read_account(request->rpc, &key, &account, &slot);
    if (exists)
        erx_rpc_gate(request, &view, slot);
    erx_json_writer_t *writer = erx_rpc_begin_value(request, view.slot);
    if (!exists)
        erx_json_null(writer);
    else if (!erx_account_json(writer, &account, &account_view)) {
        fail_too_long(request);
        return;
    }
    erx_rpc_end_value(request);
}

/* The newest slot in which one of several accounts changed. */
static uint64_t newest_change(erx_rpc_t *rpc, const json_t *keys)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        erx_pubkey_t key;
        erx_account_info_t info = {.struct_size = sizeof info};
        size_t size;
        if (erx_key_read(json_array_get(keys, i), &key) &&
            erx_rollup_read_account(rpc->node.rollup, &key, &info, 0, NULL, 0, &size) ==
                ERX_STATUS_OK &&
            info.slot > newest)
            newest = info.slot;
    }
    return newest;
}

void erx_rpc_get_multiple_accounts(erx_rpc_request_t *request)
{
    const json_t *keys = erx_rpc_param(request, 0);
    const json_t *options;
    erx_account_view_t account_view;
    erx_rpc_view_t view;
    if (!json_is_array(keys)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: a list of keys is needed");
        return;
    }
    if (json_array_size(keys) > ACCOUNTS_AT_ONCE_MAX) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Too many inputs provided; max %u",
                     ACCOUNTS_AT_ONCE_MAX);
        return;
    }
    if (!erx_rpc_options(request, 1, &options) ||
        !read_views(request, options, &account_view, &view))
        return;
    erx_rpc_gate(request, &view, newest_change(request->rpc, keys));
    erx_json_writer_t *writer = erx_rpc_begin_value(request, view.slot);
    erx_json_array_begin(writer);
    for (size_t i = 0; i < json_array_size(keys); i++) {
        erx_pubkey_t key;
        erx_account_t account;
        uint64_t slot;
        if (!erx_key_read(json_array_get(keys, i), &key)) {
            erx_rpc_fail_base58(request, json_array_get(keys, i));
            return;
        }
        if (!erx_rpc_read_account(request->rpc, &key, &account, &slot)) {
            erx_json_null(writer);
        } else if (!erx_account_json(writer, &account, &account_view)) {
            fail_too_long(request);
            return;
        } else {
            erx_rpc_gate(request, &view, slot); /* it may have changed meanwhile */
        }
    }
    erx_json_array_end(writer);
    erx_rpc_end_value(request);
}

typedef struct {
    erx_rpc_request_t *request;
    erx_json_writer_t *writer;
    const erx_account_view_t *account_view;
    erx_rpc_view_t *view;
    bool is_too_long;
} scan_t;

static bool on_account(void *context, const erx_pubkey_t *key)
{
    scan_t *scan = context;
    erx_account_t account;
    uint64_t slot;
    if (!erx_rpc_read_account(scan->request->rpc, key, &account, &slot))
        return true; /* gone meanwhile */
    erx_json_object_begin(scan->writer);
    erx_json_key(scan->writer, "pubkey");
    erx_json_key_text(scan->writer, key);
    erx_json_key(scan->writer, "account");
    scan->is_too_long = !erx_account_json(scan->writer, &account, scan->account_view);
    erx_json_object_end(scan->writer);
    erx_rpc_gate(scan->request, scan->view, slot);
    return !scan->is_too_long && !scan->writer->text->overflowed;
}

void erx_rpc_get_program_accounts(erx_rpc_request_t *request)
{
    erx_pubkey_t owner;
    const json_t *options;
    erx_account_view_t account_view;
    erx_rpc_view_t view;
    if (!erx_rpc_key_param(request, 0, &owner) || !erx_rpc_options(request, 1, &options) ||
        !read_views(request, options, &account_view, &view))
        return;
    erx_rpc_filters_t filters;
    const char *fault = erx_rpc_filters_read(options, &filters);
    if (fault != NULL) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", fault);
        return;
    }
    bool with_context = json_is_true(json_object_get(options, "withContext"));
    erx_json_writer_t *writer =
        with_context ? erx_rpc_begin_value(request, view.slot) : erx_rpc_result(request);
    scan_t scan = {request, writer, &account_view, &view, false};
    erx_json_array_begin(writer);
    int32_t status = erx_rollup_scan_accounts(request->node->rollup, &owner, filters.filters,
                                              filters.count, on_account, &scan);
    if (status != ERX_STATUS_OK) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", erx_last_error());
        return;
    }
    if (scan.is_too_long) {
        fail_too_long(request);
        return;
    }
    erx_json_array_end(writer);
    if (with_context)
        erx_rpc_end_value(request);
}

void erx_rpc_get_balance(erx_rpc_request_t *request)
{
    erx_pubkey_t key;
    const json_t *options;
    erx_rpc_view_t view;
    if (!erx_rpc_key_param(request, 0, &key) || !erx_rpc_options(request, 1, &options) ||
        !erx_rpc_view(request, options, &view))
        return;
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size;
    if (erx_rollup_read_account(request->node->rollup, &key, &info, 0, NULL, 0, &size) !=
        ERX_STATUS_OK)
        info.lamports = 0;
    erx_rpc_gate(request, &view, info.slot);
    erx_json_unsigned(erx_rpc_begin_value(request, view.slot), info.lamports);
    erx_rpc_end_value(request);
}

void erx_rpc_get_rent_minimum(erx_rpc_request_t *request)
{
    uint64_t space;
    if (!erx_json_to_unsigned(erx_rpc_param(request, 0), &space) || space > SPACE_MAX) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: a size in bytes of at most 10 MiB is needed");
        return;
    }
    erx_json_unsigned(erx_rpc_result(request), (space + RENT_OVERHEAD_BYTES) * RENT_PER_BYTE);
}
