#include "tests/abi/abi_rig.h"

#include <check.h>
#include <sodium.h>
#include <string.h>

#define SIGNERS   8u
#define TIMESTAMP 1763740000

void abi_rig_make(abi_rig_t *rig)
{
    abi_rig_make_of(rig, &bank_rig_shape);
}

void abi_rig_make_of(abi_rig_t *rig, const erx_shape_t *shape)
{
    memset(rig, 0, sizeof *rig);
    rig_model_open(&rig->model, shape, 11);
    erx_rollup_config_default(&rig->config);
    rig->config.worker_count = 1;
    rig->config.account_capacity = 256;
    rig->config.account_bytes = 16u << 16;
    rig->config.queue_transactions = 64;
    rig->config.block_transactions_max = 64;
    rig->config.matrix_cache_bytes = 1u << 20;
}

void abi_rig_open(abi_rig_t *rig)
{
    erx_recovery_info_t recovery = {.struct_size = sizeof recovery};
    ck_assert_msg(erx_rollup_open(&rig->config, &rig->rollup) == 0, "%s", erx_last_error());
    ck_assert_msg(
        erx_rollup_load_model(rig->rollup, rig->model.directory, ABI_MODEL_ID, ABI_SESSIONS) == 0,
        "%s", erx_last_error());
    ck_assert_msg(erx_rollup_start(rig->rollup) == 0, "%s", erx_last_error());
    ck_assert_int_eq(erx_rollup_recovery(rig->rollup, &recovery), 0);
    rig->slot = recovery.slot;
}

void abi_rig_close(abi_rig_t *rig)
{
    ck_assert_msg(erx_rollup_close(rig->rollup) == 0, "%s", erx_last_error());
    rig->rollup = NULL;
}

void abi_rig_end(abi_rig_t *rig)
{
    if (rig->rollup != NULL)
        abi_rig_close(rig);
    rig_model_close(&rig->model);
}

erx_session_ref_t abi_rig_session(abi_rig_t *rig, uint64_t session_id)
{
    erx_session_ref_t session;
    erx_session_config_t terms;
    erx_session_config_default(&terms);
    terms.session_id = session_id;
    terms.model_id = ABI_MODEL_ID;
    terms.stage = 31;
    terms.characters[0] = 2;
    terms.characters[1] = 20;
    terms.players[0] = abi_rig_key(1);
    terms.players[1] = abi_rig_key(2);
    ck_assert_msg(erx_rollup_create_session(rig->rollup, &terms, &session) == 0, "%s",
                  erx_last_error());
    return session;
}

void abi_rig_seal(abi_rig_t *rig, bool crank)
{
    erx_block_config_t block;
    erx_block_config_default(&block);
    block.slot = ++rig->slot;
    block.timestamp = TIMESTAMP + (int64_t)rig->slot;
    block.crank = crank;
    block.tick = rig->slot;
    ck_assert_msg(erx_rollup_seal(rig->rollup, &block, &rig->block) == 0, "%s", erx_last_error());
}

void abi_rig_play(abi_rig_t *rig, const erx_session_ref_t *sessions, uint32_t count,
                  uint32_t frames)
{
    for (uint32_t f = 0; f < frames; f++) {
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t player = 0; player < ERX_PLAYER_COUNT; player++) {
                const uint8_t control[ERX_CONTROLLER_SIZE] = {
                    (uint8_t)(rig->slot * 37 + i), (uint8_t)(player * 90), 0, 0, 0, 0,
                    (uint8_t)(rig->slot >> 3)};
                ck_assert_int_eq(erx_rollup_input(rig->rollup, sessions[i], player, control), 0);
            }
        abi_rig_seal(rig, true);
    }
}

uint64_t abi_rig_frame_hash(const abi_rig_t *rig, erx_session_ref_t session)
{
    erx_session_info_t info = {.struct_size = sizeof info};
    ck_assert_msg(erx_rollup_session(rig->rollup, session, &info) == 0, "%s", erx_last_error());
    return info.frame_hash;
}

erx_pubkey_t abi_rig_key(uint64_t signer)
{
    erx_pubkey_t key;
    erx_plan_signer_t made = erx_plan_signer(signer);
    memcpy(key.bytes, made.key.bytes, sizeof key.bytes);
    return key;
}

static void sign(uint8_t *packet, const erx_message_t *message)
{
    for (uint32_t i = 0; i < message->signature_count; i++)
        for (uint64_t number = 1; number <= SIGNERS; number++) {
            erx_plan_signer_t signer = erx_plan_signer(number);
            if (!erx_key_equals(&signer.key, erx_message_key(message, i)))
                continue;
            (void)crypto_sign_detached(
                packet + message->signatures_offset + (size_t)i * ERX_SIGNATURE_SIZE, NULL,
                packet + message->message_offset, message->packet_bytes - message->message_offset,
                signer.secret);
        }
}

static size_t packet_of(abi_rig_t *rig, const erx_key_t *program, const call_t *call,
                        uint8_t packet[ERX_PACKET_MAX])
{
    rig_transaction_t transaction;
    erx_intake_item_t item;
    erx_key_t blockhash;
    uint32_t limit = 1000000 + (uint32_t)rig->nonce++; /* makes each one different */
    uint8_t data[5] = {2};
    erx_plan_signer_t payer = erx_plan_signer(1);
    memcpy(data + 1, &limit, sizeof limit);
    ck_assert_int_eq(erx_rollup_blockhash(rig->rollup, blockhash.bytes, NULL, NULL), 0);
    rig_transaction_begin(&transaction, &payer.key);
    rig_transaction_add(&transaction, &erx_key_compute_budget, NULL, 0, data, sizeof data);
    rig_transaction_add(&transaction, program, call->accounts, call->account_count, call->data,
                        call->data_bytes);
    rig_transaction_write(&transaction, &blockhash, packet, &item);
    sign(packet, &item.message);
    return item.bytes;
}

size_t abi_rig_packet(abi_rig_t *rig, const call_t *call, uint8_t packet[ERX_PACKET_MAX])
{
    return packet_of(rig, &erx_key_world, call, packet);
}

size_t abi_rig_system_packet(abi_rig_t *rig, const call_t *call, uint8_t packet[ERX_PACKET_MAX])
{
    return packet_of(rig, &erx_key_system, call, packet);
}

const erx_transaction_outcome_t *abi_rig_run(abi_rig_t *rig, const call_t *call)
{
    uint8_t packet[ERX_PACKET_MAX];
    size_t size = abi_rig_packet(rig, call, packet);
    ck_assert_msg(erx_rollup_submit(rig->rollup, packet, size, NULL) == 0, "%s", erx_last_error());
    abi_rig_seal(rig, false);
    ck_assert_uint_eq(rig->block->transaction_count, 1);
    return &rig->block->transactions[0];
}
