/* What stands behind a rollup's handle, shared by this folder alone. */
#ifndef ERX_ABI_ROLLUP_H
#define ERX_ABI_ROLLUP_H

#include "abi/handle.h"
#include "abi/result.h"
#include "engine/bank/runtime.h"

typedef struct {
    erx_rollup_t *handle;
    erx_runtime_t *runtime;
    uint32_t syscalls;
    erx_base_layer_t base_layer;
    erx_verified_fn verified;
    void *verified_context;
    /* The results of the last block, as the public structs have them. */
    erx_block_result_t result;
    uint32_t outcome_capacity;
    erx_transaction_outcome_t *outcomes;
    uint32_t change_capacity;
    erx_account_change_t *changes;
    uint32_t frame_capacity;
    erx_frame_result_t *frames;
} erx_rollup_state_t;

/* The state of a handle, and whether it is refused: then NULL, with the reason
 * kept. */
erx_rollup_state_t *erx_rollup_of(const erx_rollup_t *rollup);

/* The same where erx_rollup_start must have succeeded; STATE. *result_out says
 * what to return where the state is NULL. */
erx_rollup_state_t *erx_rollup_started(const erx_rollup_t *rollup, int32_t *result_out);

/* Takes the tables of results, when all pools are known. */
int32_t erx_rollup_take_results(erx_rollup_state_t *state);
void erx_rollup_free_results(erx_rollup_state_t *state);

/* A transaction's outcome in the public form; points into the bank's. */
void erx_rollup_outcome(const erx_bank_outcome_t *outcome, erx_transaction_outcome_t *out);

/* Public keys are the engine's. */
static inline const erx_key_t *erx_key_of(const erx_pubkey_t *key)
{
    return (const erx_key_t *)(const void *)key;
}

static inline erx_pubkey_t erx_pubkey_from(const erx_key_t *key)
{
    erx_pubkey_t pubkey;
    __builtin_memcpy(pubkey.bytes, key->bytes, sizeof pubkey.bytes);
    return pubkey;
}

#endif
