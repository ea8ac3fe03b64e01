#include "tests/engine/bank/world_calls.h"

#include "engine/sha256.h"
#include "mem/assert.h"

#include <string.h>

void call_tag(const char *name, uint8_t tag_out[8])
{
    uint8_t digest[ERX_SHA256_BYTES];
    erx_error_t error;
    const erx_sha256_part_t part = {name, strlen(name)};
    ERX_ASSERT(erx_sha256(&part, 1, digest, &error) == ERX_OK);
    memcpy(tag_out, digest, 8);
}

static void put(call_t *call, const void *bytes, uint32_t size)
{
    ERX_ASSERT(size <= CALL_DATA_MAX - call->data_bytes);
    memcpy(call->data + call->data_bytes, bytes, size);
    call->data_bytes += size;
}

static void put_number(call_t *call, uint64_t value, uint32_t size)
{
    put(call, &value, size); /* little-endian, as this machine */
}

static call_t begin(const char *name)
{
    call_t call = {0};
    call_tag(name, call.data);
    call.data_bytes = 8;
    return call;
}

static void account(call_t *call, erx_key_t key, uint8_t flags)
{
    ERX_ASSERT(call->account_count < CALL_ACCOUNTS_MAX);
    call->accounts[call->account_count++] = (rig_account_t){key, flags};
}

static void session_accounts(call_t *call, uint64_t session)
{
    erx_key_t keys[3];
    bank_rig_session(session, keys);
    for (uint32_t i = 0; i < 3; i++)
        account(call, keys[i], RIG_WRITES);
}

static void shard_accounts(call_t *call, uint64_t model, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        account(call, bank_rig_weights(model, (uint8_t)i), 0);
}

call_t call_init_manifest(const call_manifest_t *manifest, const erx_key_t *authority)
{
    static const char name[32] = "micro";
    call_t call = begin("global:init_manifest");
    put_number(&call, manifest->model, 8);
    put(&call, name, sizeof name);
    put_number(&call, 1, 2); /* version */
    put_number(&call, bank_rig_shape.d_model, 2);
    put_number(&call, bank_rig_shape.d_inner, 2);
    put_number(&call, bank_rig_shape.d_state, 2);
    put_number(&call, bank_rig_shape.layer_count, 1);
    put_number(&call, bank_rig_shape.head_count, 1);
    put_number(&call, manifest->shard_count, 1);
    put_number(&call, 0x11, 1); /* num_continuous, and others that only clients read */
    put_number(&call, 0x2222, 2);
    put_number(&call, 0x33, 1);
    put_number(&call, 0x4444, 2);
    put_number(&call, 0x55555555, 4);
    put_number(&call, manifest->weight_bytes, 4);
    put_number(&call, manifest->json_bytes, 4);
    account(&call, bank_rig_manifest(manifest->model), RIG_WRITES);
    account(&call, *authority, RIG_SIGNS | RIG_WRITES);
    account(&call, erx_key_system, 0);
    return call;
}

static call_t upload(const char *name, erx_key_t target, const erx_key_t *authority,
                     uint32_t offset, const void *data, uint32_t bytes)
{
    call_t call = begin(name);
    put_number(&call, offset, 4);
    put_number(&call, bytes, 4);
    put(&call, data, bytes);
    account(&call, target, RIG_WRITES);
    account(&call, *authority, RIG_SIGNS);
    return call;
}

static call_t finalize(const char *name, erx_key_t target, const erx_key_t *authority,
                       const uint8_t hash[32])
{
    call_t call = begin(name);
    put(&call, hash, 32);
    account(&call, target, RIG_WRITES);
    account(&call, *authority, RIG_SIGNS);
    return call;
}

call_t call_upload_manifest(uint64_t model, const erx_key_t *authority, uint32_t offset,
                            const void *data, uint32_t bytes)
{
    return upload("global:upload_manifest", bank_rig_manifest(model), authority, offset, data,
                  bytes);
}

call_t call_finalize_manifest(uint64_t model, uint32_t shard_count, const erx_key_t *authority,
                              const uint8_t hash[32])
{
    call_t call = finalize("global:finalize_manifest", bank_rig_manifest(model), authority, hash);
    shard_accounts(&call, model, shard_count);
    return call;
}

call_t call_init_weights(uint64_t model, uint8_t shard, uint32_t bytes, const erx_key_t *authority)
{
    call_t call = begin("global:init_weights");
    put_number(&call, model, 8);
    put_number(&call, shard, 1);
    put_number(&call, bytes, 4);
    account(&call, bank_rig_weights(model, shard), RIG_WRITES);
    account(&call, *authority, RIG_SIGNS | RIG_WRITES);
    account(&call, erx_key_system, 0);
    return call;
}

call_t call_upload_weights(uint64_t model, uint8_t shard, const erx_key_t *authority,
                           uint32_t offset, const void *data, uint32_t bytes)
{
    return upload("global:upload_weights", bank_rig_weights(model, shard), authority, offset, data,
                  bytes);
}

call_t call_finalize_weights(uint64_t model, uint8_t shard, const erx_key_t *authority,
                             const uint8_t hash[32])
{
    return finalize("global:finalize_weights", bank_rig_weights(model, shard), authority, hash);
}

call_t call_create_session(const call_session_t *session)
{
    call_t call = begin("global:create_session");
    put_number(&call, session->session, 8);
    put_number(&call, session->stage, 1);
    put_number(&call, session->character, 1);
    put_number(&call, session->max_frames, 4);
    put_number(&call, session->seed, 8);
    session_accounts(&call, session->session);
    account(&call, bank_rig_manifest(session->model), 0);
    account(&call, session->player, RIG_SIGNS | RIG_WRITES);
    account(&call, erx_key_system, 0);
    return call;
}

call_t call_join_session(uint64_t session, const erx_key_t *player, uint8_t character)
{
    erx_key_t keys[3];
    call_t call = begin("global:join_session");
    bank_rig_session(session, keys);
    put_number(&call, character, 1);
    account(&call, keys[0], RIG_WRITES);
    account(&call, *player, RIG_SIGNS);
    return call;
}

call_t call_submit_input(uint64_t session, const erx_key_t *player, uint32_t sequence,
                         const uint8_t control[8])
{
    erx_key_t keys[3];
    call_t call = begin("global:submit_input");
    bank_rig_session(session, keys);
    put_number(&call, sequence, 4);
    put(&call, control, 8);
    account(&call, keys[0], 0);
    account(&call, keys[2], RIG_WRITES);
    account(&call, *player, RIG_SIGNS);
    return call;
}

call_t call_run_inference(uint64_t session, uint64_t model, uint32_t shard_count)
{
    call_t call = begin("global:run_inference");
    session_accounts(&call, session);
    account(&call, bank_rig_manifest(model), 0);
    shard_accounts(&call, model, shard_count);
    return call;
}

call_t call_run_inference_chunk(uint64_t session, uint64_t model, uint32_t shard_count,
                                uint8_t first_layer, uint8_t layer_count)
{
    call_t call = begin("global:run_inference_chunk");
    put_number(&call, first_layer, 1);
    put_number(&call, layer_count, 1);
    session_accounts(&call, session);
    account(&call, bank_rig_manifest(model), 0);
    shard_accounts(&call, model, shard_count);
    return call;
}

call_t call_close_session(uint64_t session, const erx_key_t *player)
{
    call_t call = begin("global:close_session");
    session_accounts(&call, session);
    account(&call, *player, RIG_SIGNS);
    return call;
}

void call_add(rig_transaction_t *transaction, const call_t *call)
{
    rig_transaction_add(transaction, &erx_key_world, call->accounts, call->account_count,
                        call->data, call->data_bytes);
}

erx_bank_outcome_t call_run(bank_rig_t *rig, const call_t *call)
{
    static rig_transaction_t transaction;
    erx_key_t payer = bank_rig_key(1);
    for (uint32_t i = call->account_count; i-- > 0;)
        if ((call->accounts[i].flags & RIG_SIGNS) != 0)
            payer = call->accounts[i].key;
    rig_transaction_begin(&transaction, &payer);
    call_add(&transaction, call);
    return bank_rig_run(rig, &transaction);
}
