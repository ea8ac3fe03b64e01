/* Methods about the chain and this validator. */
#include "node/rpc_parts.h"

#include <string.h>

#define SLOTS_PER_EPOCH     UINT64_C(432000)     /* as Solana */
#define FEATURE_SET         UINT64_C(3718597879) /* as the validators that clients know */
#define SOLANA_CORE_VERSION "4.0.0"

/* Commitment may stand in the first parameter. */
static bool first_view(erx_rpc_request_t *request, erx_rpc_view_t *view_out)
{
    const json_t *options;
    return erx_rpc_options(request, 0, &options) && erx_rpc_view(request, options, view_out);
}

void erx_rpc_get_slot(erx_rpc_request_t *request)
{
    erx_rpc_view_t view;
    if (first_view(request, &view))
        erx_json_unsigned(erx_rpc_result(request), view.slot);
}

/* Blocks up to the one that a view speaks of. */
static uint64_t block_height(const erx_rpc_request_t *request, const erx_rpc_view_t *view)
{
    uint8_t hash[ERX_HASH_SIZE];
    uint64_t height = 0;
    (void)erx_rollup_blockhash(request->node->rollup, hash, NULL, &height);
    uint64_t processed = erx_rollup_processed_slot(request->node->rollup);
    uint64_t behind = processed > view->slot ? processed - view->slot : 0;
    return height > behind ? height - behind : 0;
}

void erx_rpc_get_block_height(erx_rpc_request_t *request)
{
    erx_rpc_view_t view;
    if (first_view(request, &view))
        erx_json_unsigned(erx_rpc_result(request), block_height(request, &view));
}

static void write_blockhash(erx_json_writer_t *writer, const uint8_t hash[ERX_HASH_SIZE],
                            uint64_t last_valid)
{
    erx_json_key(writer, "blockhash");
    erx_json_base58(writer, hash, ERX_HASH_SIZE);
    erx_json_put_unsigned(writer, "lastValidBlockHeight", last_valid);
}

static bool read_blockhash(erx_rpc_request_t *request, uint8_t hash[ERX_HASH_SIZE],
                           uint64_t *last_valid)
{
    if (erx_rollup_blockhash(request->node->rollup, hash, last_valid, NULL) == ERX_STATUS_OK)
        return true;
    erx_rpc_fail(request, ERX_RPC_INTERNAL_ERROR, "%s", erx_last_error());
    return false;
}

void erx_rpc_get_latest_blockhash(erx_rpc_request_t *request)
{
    erx_rpc_view_t view;
    uint8_t hash[ERX_HASH_SIZE];
    uint64_t last_valid;
    if (!first_view(request, &view) || !read_blockhash(request, hash, &last_valid))
        return;
    erx_json_writer_t *writer = erx_rpc_begin_value(request, view.slot);
    erx_json_object_begin(writer);
    write_blockhash(writer, hash, last_valid);
    erx_json_object_end(writer);
    erx_rpc_end_value(request);
}

/* Both shapes that routers' clients read: flat, and with context and value. */
void erx_rpc_get_blockhash_for_accounts(erx_rpc_request_t *request)
{
    uint8_t hash[ERX_HASH_SIZE];
    uint64_t last_valid;
    if (!json_is_array(erx_rpc_param(request, 0))) {
        erx_rpc_fail(request, ERX_RPC_INVALID_PARAMS, "Invalid params: a list of keys is needed");
        return;
    }
    if (!read_blockhash(request, hash, &last_valid))
        return;
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    write_blockhash(writer, hash, last_valid);
    erx_json_key(writer, "context");
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "slot", erx_rollup_confirmed_slot(request->node->rollup));
    erx_json_object_end(writer);
    erx_json_key(writer, "value");
    erx_json_object_begin(writer);
    write_blockhash(writer, hash, last_valid);
    erx_json_object_end(writer);
    erx_json_object_end(writer);
}

void erx_rpc_is_blockhash_valid(erx_rpc_request_t *request)
{
    erx_pubkey_t hash; /* of a key's size */
    const json_t *options;
    erx_rpc_view_t view;
    if (!erx_rpc_key_param(request, 0, &hash) || !erx_rpc_options(request, 1, &options) ||
        !erx_rpc_view(request, options, &view))
        return;
    erx_json_bool(erx_rpc_begin_value(request, view.slot),
                  erx_rollup_blockhash_valid(request->node->rollup, hash.bytes));
    erx_rpc_end_value(request);
}

void erx_rpc_get_epoch_info(erx_rpc_request_t *request)
{
    erx_rpc_view_t view;
    if (!first_view(request, &view))
        return;
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "absoluteSlot", view.slot);
    erx_json_put_unsigned(writer, "blockHeight", block_height(request, &view));
    erx_json_put_unsigned(writer, "epoch", view.slot / SLOTS_PER_EPOCH);
    erx_json_put_unsigned(writer, "slotIndex", view.slot % SLOTS_PER_EPOCH);
    erx_json_put_unsigned(writer, "slotsInEpoch", SLOTS_PER_EPOCH);
    erx_json_put_unsigned(writer, "transactionCount",
                          erx_telemetry_get(request->node->telemetry, ERX_METRIC_TRANSACTIONS));
    erx_json_object_end(writer);
}

void erx_rpc_get_epoch_schedule(erx_rpc_request_t *request)
{
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "firstNormalEpoch", 0);
    erx_json_put_unsigned(writer, "firstNormalSlot", 0);
    erx_json_put_unsigned(writer, "leaderScheduleSlotOffset", 0);
    erx_json_put_unsigned(writer, "slotsPerEpoch", SLOTS_PER_EPOCH);
    erx_json_put_bool(writer, "warmup", false);
    erx_json_object_end(writer);
}

void erx_rpc_get_version(erx_rpc_request_t *request)
{
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    erx_json_put_text(writer, "solana-core", SOLANA_CORE_VERSION);
    erx_json_put_unsigned(writer, "feature-set", FEATURE_SET);
    erx_json_put_text(writer, "erx", erx_version());
    erx_json_object_end(writer);
}

void erx_rpc_get_health(erx_rpc_request_t *request)
{
    if (erx_rollup_health(request->node->rollup) == ERX_STATUS_OK) {
        erx_json_text(erx_rpc_result(request), "ok");
        return;
    }
    erx_json_writer_t *writer = erx_rpc_begin_fail(request, ERX_RPC_UNHEALTHY, "Node is unhealthy");
    erx_json_object_begin(writer);
    erx_json_put_null(writer, "numSlotsBehind");
    erx_json_object_end(writer);
    erx_rpc_end_fail(request);
}

static void write_identity(erx_rpc_request_t *request, erx_json_writer_t *writer, const char *name)
{
    erx_json_key(writer, name);
    erx_json_key_text(writer, &request->node->identity);
}

void erx_rpc_get_identity(erx_rpc_request_t *request)
{
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    write_identity(request, writer, "identity");
    erx_json_object_end(writer);
}

void erx_rpc_get_slot_leader(erx_rpc_request_t *request)
{
    erx_json_key_text(erx_rpc_result(request), &request->node->identity);
}

void erx_rpc_get_genesis_hash(erx_rpc_request_t *request)
{
    erx_json_base58(erx_rpc_result(request), request->node->genesis, ERX_HASH_SIZE);
}

void erx_rpc_get_transaction_count(erx_rpc_request_t *request)
{
    erx_json_unsigned(erx_rpc_result(request),
                      erx_telemetry_get(request->node->telemetry, ERX_METRIC_TRANSACTIONS));
}

void erx_rpc_get_first_available_block(erx_rpc_request_t *request)
{
    erx_json_unsigned(erx_rpc_result(request), 0);
}

typedef struct {
    char text[ERX_CONFIG_TEXT_MAX + 32];
} own_address_t;

/* Where this validator is reached, at so many ports above its own. */
static own_address_t own_address(const erx_rpc_request_t *request, const char *scheme,
                                 unsigned ports_above)
{
    own_address_t address;
    const char *host = erx_server_host(request->rpc->server);
    (void)snprintf(address.text, sizeof address.text,
                   strchr(host, ':') != NULL ? "%s[%s]:%u" : "%s%s:%u", scheme, host,
                   erx_server_port(request->rpc->server) + ports_above);
    return address;
}

static void write_own_url(erx_rpc_request_t *request, erx_json_writer_t *writer, const char *name)
{
    erx_json_put_text(writer, name, own_address(request, "http://", 0).text);
}

static void write_own_address(erx_rpc_request_t *request, erx_json_writer_t *writer,
                              const char *name, unsigned ports_above)
{
    erx_json_put_text(writer, name, own_address(request, "", ports_above).text);
}

void erx_rpc_get_routes(erx_rpc_request_t *request)
{
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_array_begin(writer);
    erx_json_object_begin(writer);
    write_identity(request, writer, "identity");
    write_own_url(request, writer, "fqdn");
    erx_json_put_unsigned(writer, "baseFee", 0);
    erx_json_put_unsigned(writer, "blockTimeMs", request->node->config->block_time_us / 1000);
    erx_json_put_text(writer, "countryCode", "ZZ"); /* unknown */
    erx_json_object_end(writer);
    erx_json_array_end(writer);
}

void erx_rpc_get_cluster_nodes(erx_rpc_request_t *request)
{
    static const char *const unknown[] = {
        "gossip",  "tvu",         "tpu",     "tpuQuic",  "tpuForwards", "tpuForwardsQuic",
        "tpuVote", "serveRepair", "version", "clientId", "featureSet",  "shredVersion"};
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_array_begin(writer);
    erx_json_object_begin(writer);
    write_identity(request, writer, "pubkey");
    write_own_address(request, writer, "rpc", 0);
    write_own_address(request, writer, "pubsub", 1);
    for (size_t i = 0; i < ERX_ARRAY_COUNT(unknown); i++)
        erx_json_put_null(writer, unknown[i]);
    erx_json_object_end(writer);
    erx_json_array_end(writer);
}

/* What is known of an account's delegation: a session that is played here is
 * this validator's; otherwise the base layer's word counts. */
static bool find_delegation(erx_rpc_request_t *request, const erx_pubkey_t *key,
                            erx_delegation_t *delegation_out)
{
    const erx_rpc_config_t *node = request->node;
    erx_session_info_t session = {.struct_size = sizeof session};
    erx_account_info_t info = {.struct_size = sizeof info};
    size_t size;
    *delegation_out = (erx_delegation_t){0};
    bool is_here =
        erx_rollup_read_account(node->rollup, key, &info, 0, NULL, 0, &size) == ERX_STATUS_OK;
    bool is_session = erx_rollup_find_session(node->rollup, key, &session) == ERX_STATUS_OK;
    if (is_here && (is_session || info.delegated)) {
        *delegation_out = (erx_delegation_t){
            .is_delegated = true,
            .authority = node->identity,
            .owner = info.owner,
            .slot = info.slot,
            .lamports = info.lamports,
        };
        return true;
    }
    return node->base.delegation != NULL &&
           node->base.delegation(node->base.context, key, delegation_out);
}

void erx_rpc_get_delegation_status(erx_rpc_request_t *request)
{
    erx_pubkey_t key;
    if (!erx_rpc_key_param(request, 0, &key))
        return;
    erx_delegation_t delegation;
    bool is_delegated = find_delegation(request, &key, &delegation) && delegation.is_delegated;
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    erx_json_put_bool(writer, "isDelegated", is_delegated);
    if (is_delegated) {
        write_own_url(request, writer, "fqdn");
        erx_json_key(writer, "delegationRecord");
        erx_json_object_begin(writer);
        erx_json_key(writer, "authority");
        erx_json_key_text(writer, &delegation.authority);
        erx_json_key(writer, "owner");
        erx_json_key_text(writer, &delegation.owner);
        erx_json_put_unsigned(writer, "delegationSlot", delegation.slot);
        erx_json_put_unsigned(writer, "lamports", delegation.lamports);
        erx_json_object_end(writer);
    }
    erx_json_object_end(writer);
}
