/* The world program's instructions as a client encodes them, written down from
 * the documentation, not from the engine's tables: accounts with their flags,
 * discriminator and arguments. Tests change them to see what is refused. */
#ifndef ERX_TESTS_ENGINE_BANK_WORLD_CALLS_H
#define ERX_TESTS_ENGINE_BANK_WORLD_CALLS_H

#include "tests/engine/bank/bank_rig.h"

#define CALL_ACCOUNTS_MAX 12u
#define CALL_DATA_MAX     1200u

typedef struct {
    uint32_t account_count;
    rig_account_t accounts[CALL_ACCOUNTS_MAX];
    uint32_t data_bytes;
    uint8_t data[CALL_DATA_MAX];
} call_t;

/* Discriminator of a name such as "global:submit_input". */
void call_tag(const char *name, uint8_t tag_out[8]);

/* Sizes of a manifest's fields; those of a fixture. */
typedef struct {
    uint64_t model;
    uint8_t shard_count;
    uint32_t weight_bytes;
    uint32_t json_bytes;
} call_manifest_t;

call_t call_init_manifest(const call_manifest_t *manifest, const erx_key_t *authority);
call_t call_upload_manifest(uint64_t model, const erx_key_t *authority, uint32_t offset,
                            const void *data, uint32_t bytes);
call_t call_finalize_manifest(uint64_t model, uint32_t shard_count, const erx_key_t *authority,
                              const uint8_t hash[32]);
call_t call_init_weights(uint64_t model, uint8_t shard, uint32_t bytes, const erx_key_t *authority);
call_t call_upload_weights(uint64_t model, uint8_t shard, const erx_key_t *authority,
                           uint32_t offset, const void *data, uint32_t bytes);
call_t call_finalize_weights(uint64_t model, uint8_t shard, const erx_key_t *authority,
                             const uint8_t hash[32]);

typedef struct {
    uint64_t session;
    uint64_t model;
    uint8_t stage;
    uint8_t character;
    uint32_t max_frames;
    uint64_t seed;
    erx_key_t player;
} call_session_t;

call_t call_create_session(const call_session_t *session);
call_t call_join_session(uint64_t session, const erx_key_t *player, uint8_t character);
call_t call_submit_input(uint64_t session, const erx_key_t *player, uint32_t sequence,
                         const uint8_t control[8]);
call_t call_run_inference(uint64_t session, uint64_t model, uint32_t shard_count);
call_t call_run_inference_chunk(uint64_t session, uint64_t model, uint32_t shard_count,
                                uint8_t first_layer, uint8_t layer_count);
call_t call_close_session(uint64_t session, const erx_key_t *player);

/* Adds it to a transaction; executes it alone, paid by its first signer. */
void call_add(rig_transaction_t *transaction, const call_t *call);
erx_bank_outcome_t call_run(bank_rig_t *rig, const call_t *call);

#endif
