/* Methods that subscribe and unsubscribe; over WebSocket only. */
#include "node/rpc_parts.h"

#include <string.h>

static void subscribe(erx_rpc_request_t *request, const erx_subscription_request_t *wanted)
{
    uint64_t id = erx_subscriptions_add(request->node->subscriptions, request->connection, wanted);
    if (id == 0)
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Too many subscriptions on this connection; max %u",
                     request->node->config->subscriptions_max);
    else
        erx_json_unsigned(erx_rpc_result(request), id);
}

/* The options at 1 that all kinds have. */
static bool read_options(erx_rpc_request_t *request, const json_t **options_out,
                         erx_subscription_request_t *wanted)
{
    erx_rpc_view_t view;
    if (!erx_rpc_options(request, 1, options_out) || !erx_rpc_view(request, *options_out, &view))
        return false;
    wanted->is_processed = view.is_processed;
    const char *fault = erx_account_view_read(*options_out, &wanted->view);
    if (fault == NULL)
        return true;
    erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", fault);
    return false;
}

void erx_rpc_account_subscribe(erx_rpc_request_t *request)
{
    const json_t *options;
    erx_subscription_request_t wanted = {.kind = ERX_SUBSCRIBE_ACCOUNT};
    if (erx_rpc_key_param(request, 0, &wanted.key) && read_options(request, &options, &wanted))
        subscribe(request, &wanted);
}

void erx_rpc_program_subscribe(erx_rpc_request_t *request)
{
    const json_t *options;
    erx_rpc_filters_t filters;
    erx_subscription_request_t wanted = {.kind = ERX_SUBSCRIBE_PROGRAM};
    if (!erx_rpc_key_param(request, 0, &wanted.key) || !read_options(request, &options, &wanted))
        return;
    const char *fault = erx_rpc_filters_read(options, &filters);
    if (fault != NULL) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: %s", fault);
        return;
    }
    wanted.filters = filters.filters;
    wanted.filter_count = filters.count;
    subscribe(request, &wanted);
}

void erx_rpc_signature_subscribe(erx_rpc_request_t *request)
{
    const json_t *options;
    erx_subscription_request_t wanted = {.kind = ERX_SUBSCRIBE_SIGNATURE};
    if (!erx_signature_read(erx_rpc_param(request, 0), wanted.signature)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid Request: Invalid signature provided");
        return;
    }
    if (!read_options(request, &options, &wanted))
        return;
    wanted.is_eager = json_is_true(json_object_get(options, "enableReceivedNotification"));
    subscribe(request, &wanted);
}

void erx_rpc_logs_subscribe(erx_rpc_request_t *request)
{
    const json_t *options;
    const json_t *filter = erx_rpc_param(request, 0);
    const char *word = json_string_value(filter);
    const json_t *mentions = json_object_get(filter, "mentions");
    erx_subscription_request_t wanted = {.kind = ERX_SUBSCRIBE_LOGS};
    wanted.is_all = word != NULL && (strcmp(word, "all") == 0 || strcmp(word, "allWithVotes") == 0);
    bool is_one =
        json_array_size(mentions) == 1 && erx_key_read(json_array_get(mentions, 0), &wanted.key);
    if (!wanted.is_all && !is_one) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid Request: logs of \"all\", or {\"mentions\": [one key]}");
        return;
    }
    if (read_options(request, &options, &wanted))
        subscribe(request, &wanted);
}

void erx_rpc_slot_subscribe(erx_rpc_request_t *request)
{
    erx_subscription_request_t wanted = {.kind = ERX_SUBSCRIBE_SLOT, .is_processed = true};
    subscribe(request, &wanted);
}

static void unsubscribe(erx_rpc_request_t *request, erx_subscription_kind_t kind)
{
    uint64_t id;
    if (!erx_json_to_unsigned(erx_rpc_param(request, 0), &id)) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS,
                     "Invalid params: a subscription's number is needed");
        return;
    }
    erx_json_bool(erx_rpc_result(request), erx_subscriptions_remove(request->node->subscriptions,
                                                                    request->connection, kind, id));
}

void erx_rpc_account_unsubscribe(erx_rpc_request_t *request)
{
    unsubscribe(request, ERX_SUBSCRIBE_ACCOUNT);
}

void erx_rpc_program_unsubscribe(erx_rpc_request_t *request)
{
    unsubscribe(request, ERX_SUBSCRIBE_PROGRAM);
}

void erx_rpc_signature_unsubscribe(erx_rpc_request_t *request)
{
    unsubscribe(request, ERX_SUBSCRIBE_SIGNATURE);
}

void erx_rpc_logs_unsubscribe(erx_rpc_request_t *request)
{
    unsubscribe(request, ERX_SUBSCRIBE_LOGS);
}

void erx_rpc_slot_unsubscribe(erx_rpc_request_t *request)
{
    unsubscribe(request, ERX_SUBSCRIBE_SLOT);
}
