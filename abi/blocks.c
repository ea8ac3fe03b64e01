/* Sealing, and what came of it. */
#include <string.h>

#include "abi/rollup.h"
#include "mem/alloc.h"

int32_t erx_rollup_take_results(erx_rollup_state_t *state)
{
    const erx_models_t *models = erx_runtime_models(state->runtime);
    for (uint32_t pool = 0; pool < erx_models_count(models); pool++)
        state->frame_capacity += erx_runtime_pool_capacity(state->runtime, pool);
    /* A session may be stepped by transactions as often as they ask. */
    state->frame_capacity += state->outcome_capacity;
    state->change_capacity = erx_accounts_capacity(erx_runtime_accounts(state->runtime));
    state->outcomes = erx_alloc(state->outcome_capacity, sizeof *state->outcomes);
    state->changes = erx_alloc(state->change_capacity, sizeof *state->changes);
    state->frames = erx_alloc(state->frame_capacity, sizeof *state->frames);
    if (state->outcomes != NULL && state->changes != NULL && state->frames != NULL)
        return ERX_STATUS_OK;
    return erx_result_refuse(ERX_STATUS_MEMORY, "no memory for the results of blocks");
}

void erx_rollup_free_results(erx_rollup_state_t *state)
{
    erx_free(state->outcomes);
    erx_free(state->changes);
    erx_free(state->frames);
}

void erx_block_config_default(erx_block_config_t *config)
{
    if (config != NULL)
        *config = (erx_block_config_t){.struct_size = sizeof *config};
}

/* The data of a changed account, where it lies. */
static const uint8_t *data_of(const erx_rollup_state_t *state, uint32_t index, uint32_t *size_out)
{
    uint32_t pool;
    const erx_accounts_t *table = erx_runtime_accounts(state->runtime);
    const erx_account_entry_t *entry = erx_accounts_entry(table, index);
    const erx_session_t *session = erx_bank_session(erx_runtime_bank(state->runtime), index, &pool);
    switch (entry->kind) {
    case ERX_ACCOUNT_PLAIN:
        *size_out = entry->data_length;
        return erx_accounts_data(table, index);
    case ERX_ACCOUNT_SESSION_STATE:
        *size_out = ERX_SESSION_STATE_BYTES;
        return session->arena + ERX_ARENA_SESSION_STATE;
    case ERX_ACCOUNT_INPUT_BUFFER:
        *size_out = ERX_INPUT_BUFFER_BYTES;
        return session->arena + ERX_ARENA_INPUT_BUFFER;
    case ERX_ACCOUNT_HIDDEN_STATE:
        *size_out = ERX_HIDDEN_HEADER_BYTES;
        return session->arena + ERX_ARENA_HIDDEN;
    default:
        *size_out = 0;
        return NULL;
    }
}

static void map_changes(erx_rollup_state_t *state)
{
    uint32_t count;
    const erx_bank_t *bank = erx_runtime_bank(state->runtime);
    const erx_accounts_t *table = erx_runtime_accounts(state->runtime);
    const erx_bank_change_t *changes = erx_bank_changed(bank, &count);
    count = ERX_MIN(count, state->change_capacity);
    for (uint32_t i = 0; i < count; i++) {
        erx_account_change_t *change = &state->changes[i];
        *change = (erx_account_change_t){.key = erx_pubkey_from(&changes[i].key)};
        if (changes[i].index == ERX_ACCOUNT_NONE) {
            change->removed = true;
            continue;
        }
        const erx_account_entry_t *entry = erx_accounts_entry(table, changes[i].index);
        change->owner = erx_pubkey_from(&entry->owner);
        change->lamports = entry->lamports;
        change->space = erx_bank_space(bank, changes[i].index);
        change->executable = (entry->flags & ERX_ACCOUNT_EXECUTABLE) != 0;
        change->version = erx_bank_version(bank, changes[i].index);
        change->data = data_of(state, changes[i].index, &change->data_size);
    }
    state->result.changes = state->changes;
    state->result.change_count = count;
}

static void map_frames(erx_rollup_state_t *state)
{
    uint32_t count;
    uint32_t accounts[3];
    const erx_bank_t *bank = erx_runtime_bank(state->runtime);
    const erx_bank_frame_t *frames = erx_bank_frames(bank, &count);
    count = ERX_MIN(count, state->frame_capacity);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)frames[i].handle;
        const erx_model_t *model =
            erx_models_get(erx_runtime_models(state->runtime), frames[i].pool)->model;
        const erx_session_t *session = &model->sessions.sessions[slot];
        state->frames[i] = (erx_frame_result_t){
            .session = erx_runtime_session_name(frames[i].pool, session),
            .frame = frames[i].frame,
            .frame_hash = frames[i].frame_hash,
            .finished_ns = frames[i].finished_ns,
        };
        memcpy(state->frames[i].controls, frames[i].controls, sizeof state->frames[i].controls);
        if (erx_bank_session_accounts(bank, frames[i].pool, slot, accounts))
            state->frames[i].session_state = erx_pubkey_from(
                &erx_accounts_entry(erx_runtime_accounts(state->runtime), accounts[0])->key);
    }
    state->result.frames = state->frames;
    state->result.frame_count = count;
}

static void map_block(erx_rollup_state_t *state, const erx_runtime_block_t *block)
{
    state->result = (erx_block_result_t){
        .slot = block->slot,
        .parent = block->parent,
        .timestamp = block->timestamp,
        .started_ns = block->started_ns,
        .frames_ns = block->frames_ns,
        .finished_ns = block->finished_ns,
        .transactions = state->outcomes,
        .transaction_count = block->outcome_count,
    };
    memcpy(state->result.blockhash, block->blockhash.bytes, sizeof state->result.blockhash);
    for (uint32_t i = 0; i < block->outcome_count; i++)
        erx_rollup_outcome(&block->outcomes[i], &state->outcomes[i]);
    map_changes(state);
    map_frames(state);
}

int32_t erx_rollup_seal(erx_rollup_t *rollup, const erx_block_config_t *config,
                        const erx_block_result_t **result_out)
{
    int32_t result;
    erx_error_t error;
    erx_block_config_t own;
    const erx_runtime_block_t *block;
    erx_rollup_state_t *state = erx_rollup_started(rollup, &result);
    if (state == NULL)
        return result;
    if (config == NULL)
        return erx_result_missing("config");
    erx_block_config_default(&own);
    result = erx_result_take(&own, sizeof own, config, sizeof own);
    if (result != ERX_STATUS_OK)
        return result;
    const erx_runtime_seal_t seal = {
        .slot = own.slot,
        .timestamp = own.timestamp,
        .crank = own.crank,
        .tick = own.tick,
        .strict = own.strict,
    };
    if (erx_runtime_seal(state->runtime, &seal, &block, &error) != ERX_OK)
        return erx_result_keep(&error);
    if (result_out == NULL)
        return ERX_STATUS_OK;
    map_block(state, block);
    *result_out = &state->result;
    return ERX_STATUS_OK;
}

uint64_t erx_rollup_processed_slot(const erx_rollup_t *rollup)
{
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    return state == NULL ? 0 : erx_runtime_processed_slot(state->runtime);
}

uint64_t erx_rollup_confirmed_slot(const erx_rollup_t *rollup)
{
    erx_rollup_state_t *state = erx_rollup_of(rollup);
    return state == NULL ? 0 : erx_runtime_confirmed_slot(state->runtime);
}
