/* The base layer's callbacks. */
#include <string.h>

#include "abi/rollup.h"
#include "engine/sha256.h"
#include "engine/transaction/address.h"

static void clone_account(void *context, const erx_key_t *key)
{
    const erx_rollup_state_t *state = context;
    const erx_pubkey_t pubkey = erx_pubkey_from(key);
    state->base_layer.clone(state->base_layer.context, &pubkey);
}

static void settle_session(void *context, uint32_t pool, const erx_session_t *session,
                           uint64_t session_id)
{
    const erx_rollup_state_t *state = context;
    const erx_model_t *model = erx_models_get(erx_runtime_models(state->runtime), pool)->model;
    size_t size = erx_hidden_data_bytes(&model->shape);
    const erx_sha256_part_t part = {session->arena + ERX_ARENA_WORLD, size};
    uint8_t hash[ERX_HASH_SIZE];
    erx_session_info_t info;
    erx_error_t error;
    /* Without the memory for SHA-256 it is settled with the next block. */
    if (erx_sha256(&part, 1, hash, &error) != ERX_OK) {
        (void)erx_runtime_ask_to_settle(state->runtime, erx_runtime_session_name(pool, session),
                                        &error);
        return;
    }
    info = (erx_session_info_t){
        .session = erx_runtime_session_name(pool, session),
        .session_id = session_id,
        .model_id = erx_models_get(erx_runtime_models(state->runtime), pool)->model_id,
        .status = (uint8_t)session->status,
        .frame = session->frame,
        .max_frames = session->max_frames,
        .frame_hash = session->frame_hash,
    };
    const erx_key_t *program = erx_runtime_program(state->runtime);
    (void)erx_address_session(program, session_id, (erx_key_t *)&info.session_state, NULL, &error);
    (void)erx_address_hidden(program, session_id, (erx_key_t *)&info.hidden_state, NULL, &error);
    (void)erx_address_input(program, session_id, (erx_key_t *)&info.input_buffer, NULL, &error);
    state->base_layer.settle(state->base_layer.context, &info,
                             session->arena + ERX_ARENA_SESSION_STATE, ERX_SESSION_STATE_BYTES,
                             hash, (uint32_t)size);
}

int32_t erx_rollup_set_base_layer(erx_rollup_t *rollup, const erx_base_layer_t *base_layer)
{
    erx_error_t error;
    erx_base_layer_t own = {0};
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    if (state == NULL)
        return ERX_STATUS_ARGUMENT;
    if (base_layer == NULL)
        return erx_result_missing("base_layer");
    int32_t result = erx_result_take(&own, sizeof own, base_layer, sizeof own);
    if (result != ERX_STATUS_OK)
        return result;
    const erx_runtime_base_layer_t mapped = {
        .context = state,
        .clone = own.clone == NULL ? NULL : clone_account,
        .settle = own.settle == NULL ? NULL : settle_session,
    };
    if (erx_runtime_set_base_layer(state->runtime, &mapped, &error) != ERX_OK)
        return erx_result_keep(&error);
    state->base_layer = own;
    return ERX_STATUS_OK;
}

int32_t erx_rollup_clone_done(erx_rollup_t *rollup, const erx_pubkey_t *key)
{
    int32_t result;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (key == NULL)
        return erx_result_missing("key");
    erx_runtime_clone_done(state->runtime, erx_key_of(key));
    return ERX_STATUS_OK;
}

int32_t erx_rollup_settle_session(erx_rollup_t *rollup, erx_session_ref_t session)
{
    int32_t result;
    erx_error_t error;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (erx_runtime_ask_to_settle(state->runtime, session, &error) != ERX_OK)
        return erx_result_keep(&error);
    return ERX_STATUS_OK;
}
