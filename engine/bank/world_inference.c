/* Frames: checked and charged here, executed with the block. */
#include "engine/bank/bank_parts.h"
#include "engine/bank/model_account.h"
#include "engine/bank/program_world.h"
#include "engine/matmul/compute_units.h"

enum { /* positions of accounts */
       STATE,
       HIDDEN,
       INPUT,
       MANIFEST,
       FIRST_SHARD
};

/* Whether the accounts from FIRST_SHARD are the model's shards in their order. */
static bool check_shards(erx_instruction_t *instruction)
{
    uint8_t count;
    const erx_account_entry_t manifest = *erx_instruction_entry(instruction, MANIFEST);
    (void)erx_instruction_read(instruction, MANIFEST, ERX_MANIFEST_AT_SHARDS, &count, 1);
    if (!erx_instruction_require(instruction, FIRST_SHARD + (uint32_t)count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = FIRST_SHARD + i;
        bool is_right;
        if (manifest.kind == ERX_ACCOUNT_MODEL_PART) {
            const erx_account_entry_t *shard = erx_instruction_entry(instruction, position);
            is_right = shard->kind == ERX_ACCOUNT_MODEL_PART && shard->pool == manifest.pool &&
                       shard->slot == 1 + i;
        } else {
            uint8_t key[ERX_KEY_BYTES];
            (void)erx_instruction_read(instruction, MANIFEST,
                                       ERX_MANIFEST_AT_SHARD_KEYS + i * ERX_KEY_BYTES, key,
                                       sizeof key);
            is_right = memcmp(key, erx_instruction_key(instruction, position), sizeof key) == 0;
        }
        if (!is_right)
            return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
    }
    return true;
}

/* Whether the accounts are those of one active session and its model. */
static bool check_accounts(erx_instruction_t *instruction, erx_touched_session_t **touched_out)
{
    uint32_t pool;
    if (!erx_world_session(instruction, STATE, touched_out) ||
        !erx_world_belongs(instruction, HIDDEN, *touched_out, ERX_ACCOUNT_HIDDEN_STATE,
                           ERX_WORLD_HIDDEN_STATE_MISMATCH) ||
        !erx_world_belongs(instruction, INPUT, *touched_out, ERX_ACCOUNT_INPUT_BUFFER,
                           ERX_WORLD_ACCOUNT_MISMATCH) ||
        !erx_world_model(instruction, MANIFEST, &pool))
        return false;
    if (pool != (*touched_out)->pool)
        return erx_world_fail(instruction, ERX_WORLD_ACCOUNT_MISMATCH);
    if ((*touched_out)->session->status != ERX_SESSION_ACTIVE)
        return erx_world_fail(instruction, ERX_WORLD_SESSION_NOT_ACTIVE);
    return check_shards(instruction);
}

static bool check_inputs(erx_instruction_t *instruction, const erx_session_t *session)
{
    for (uint32_t player = 0; player < ERX_PLAYERS; player++)
        if (!erx_arena_input_ready(session->arena, session->frame, player))
            return erx_world_fail(instruction, ERX_WORLD_INPUTS_NOT_READY);
    return true;
}

/* What the table says is all that a frame costs. */
static bool charge(erx_instruction_t *instruction, const erx_compute_units_t *units)
{
    uint64_t total = erx_compute_units_total(units);
    return erx_context_charge(instruction->transaction, total - ERX_MIN(total, ERX_WORLD_UNITS)) ||
           erx_world_fail(instruction, ERX_WORLD_COMPUTE_BUDGET_EXCEEDED);
}

/* The session's accounts change when the block executes. */
bool erx_world_run_inference(erx_instruction_t *instruction, const uint8_t *arguments)
{
    const erx_bank_t *bank = instruction->transaction->bank;
    erx_touched_session_t *touched;
    (void)arguments;
    if (!check_accounts(instruction, &touched))
        return false;
    if (erx_arena_next_layer(touched->session->arena) != 0)
        return erx_world_fail(instruction, ERX_WORLD_LAYER_OUT_OF_ORDER);
    erx_compute_units_t units =
        erx_compute_units_frame(&bank->config.compute, &erx_bank_pool(bank, touched->pool)->shape);
    if (!check_inputs(instruction, touched->session) || !charge(instruction, &units))
        return false;
    touched->wants_frame = true;
    return true;
}

bool erx_world_run_inference_chunk(erx_instruction_t *instruction, const uint8_t *arguments)
{
    const erx_bank_t *bank = instruction->transaction->bank;
    erx_touched_session_t *touched;
    uint32_t first = arguments[0], count = arguments[1];
    if (!check_accounts(instruction, &touched))
        return false;
    erx_session_pool_t *pool = erx_bank_pool(bank, touched->pool);
    erx_session_t *session = touched->session;
    if (count == 0 || first != erx_arena_next_layer(session->arena) ||
        first + count > pool->shape.layer_count)
        return erx_world_fail(instruction, ERX_WORLD_LAYER_OUT_OF_ORDER);
    /* Later chunks use the inputs of the first. */
    if (first == 0 && !check_inputs(instruction, session))
        return false;
    erx_compute_units_t units =
        erx_compute_units_chunk(&bank->config.compute, &pool->shape, first, count);
    if (!charge(instruction, &units))
        return false;
    if (first + count == pool->shape.layer_count)
        touched->wants_frame = true;
    else
        erx_session_chunk(pool, session, (uint8_t)(first + count));
    return true;
}
