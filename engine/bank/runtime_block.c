/* The order of a block. */
#include <inttypes.h>
#include <string.h>

#include "engine/bank/runtime_parts.h"
#include "engine/bank/storage.h"
#include "mem/assert.h"
#include "sched/clock.h"

static erx_status_t check_ready(erx_runtime_t *runtime, erx_error_t *error)
{
    if (!runtime->started)
        return erx_error_set(error, ERX_ERR_STATE, "the rollup has not been started");
    return erx_runtime_health(runtime, error);
}

/* Begins the bank's block, where it is not begun. With the lock. */
static void begin_block(erx_runtime_t *runtime, uint64_t slot, int64_t timestamp)
{
    if (runtime->begun) {
        erx_bank_set_block(runtime->bank, slot, timestamp);
        return;
    }
    erx_intake_release(runtime->intake, runtime->taken);
    runtime->taken = 0;
    runtime->block.outcome_count = 0;
    erx_clones_begin_block(runtime->clones);
    erx_bank_begin(runtime->bank, slot, timestamp);
    runtime->begun = true;
}

erx_status_t erx_runtime_change_begin(erx_runtime_t *runtime, erx_bank_t **bank_out,
                                      erx_error_t *error)
{
    erx_status_t status = check_ready(runtime, error);
    if (status != ERX_OK)
        return status;
    erx_runtime_read_begin(runtime, false);
    begin_block(runtime, runtime->block.slot + 1, runtime->block.timestamp);
    *bank_out = runtime->bank;
    return ERX_OK;
}

void erx_runtime_change_end(erx_runtime_t *runtime)
{
    erx_runtime_publish(runtime);
    erx_runtime_read_end(runtime);
}

/* The next transaction: one that waited for accounts, or the next verified one.
 * from_intake: it lies in the intake. NULL where there is none. */
static const erx_intake_item_t *next_item(erx_runtime_t *runtime, bool *from_intake)
{
    const erx_intake_item_t *item = runtime->kept;
    *from_intake = runtime->kept_from_intake;
    runtime->kept = NULL;
    if (item != NULL)
        return item;
    *from_intake = false;
    item = erx_clones_take(runtime->clones);
    if (item != NULL)
        return item;
    *from_intake = true;
    while ((item = erx_intake_take(runtime->intake)) != NULL &&
           erx_clones_park(runtime->clones, item))
        runtime->taken++;
    return item;
}

static erx_status_t process_transactions(erx_runtime_t *runtime, erx_error_t *error)
{
    erx_runtime_block_t *block = &runtime->block;
    const erx_intake_item_t *item;
    bool from_intake;
    while (block->outcome_count < runtime->config.block_transactions_max &&
           (item = next_item(runtime, &from_intake)) != NULL) {
        erx_bank_outcome_t *outcome = &runtime->outcomes[block->outcome_count];
        erx_status_t status = erx_bank_process(runtime->bank, item, outcome, error);
        if (status != ERX_OK) {
            runtime->kept = item;
            runtime->kept_from_intake = from_intake;
            return status == ERX_ERR_FULL ? ERX_OK : status;
        }
        runtime->taken += from_intake;
        block->outcome_count++;
        runtime->figures.transactions++;
        runtime->figures.transactions_failed += outcome->result.error != ERX_TRANSACTION_OK;
    }
    return ERX_OK;
}

/* A block's crank, for those who ask which sessions are due. */
typedef struct {
    const erx_runtime_t *runtime;
    const erx_runtime_seal_t *seal;
} crank_t;

static bool is_due(void *context, uint32_t pool, const erx_session_t *session)
{
    const crank_t *crank = context;
    uint32_t divisor = crank->runtime->pools[pool].slots[session->slot].tick_divisor;
    return session->generation % 2 == 1 && session->status == ERX_SESSION_ACTIVE && divisor != 0 &&
           crank->seal->tick % divisor == 0;
}

static bool inputs_ready(const erx_session_t *session)
{
    return erx_arena_input_ready(session->arena, session->frame, 0) &&
           erx_arena_input_ready(session->arena, session->frame, 1);
}

/* Adds the frames of all sessions that are due, after their bots have played. */
static void crank(erx_runtime_t *runtime, const erx_runtime_seal_t *seal)
{
    crank_t due = {.runtime = runtime, .seal = seal};
    erx_bots_play(runtime->bots, runtime->bank, is_due, &due);
    for (uint32_t pool = 0; pool < runtime->pool_count; pool++) {
        erx_model_t *model = erx_models_get(runtime->models, pool)->model;
        for (uint32_t slot = 0; model != NULL && slot < model->sessions.capacity; slot++) {
            erx_session_t *session = &model->sessions.sessions[slot];
            /* One whose frame a transaction asked for is in the block already. */
            if (is_due(&due, pool, session) && (!seal->strict || inputs_ready(session)))
                (void)erx_bank_add_frame(runtime->bank, pool, session);
        }
    }
}

/* Over what every validator that executes the block computes. */
static erx_digest_t hash_frames(const erx_runtime_t *runtime, uint32_t *count_out)
{
    const erx_bank_frame_t *frames = erx_bank_frames(runtime->bank, count_out);
    erx_digest_t digest = {{0}};
    for (uint32_t i = 0; i < *count_out; i++) {
        struct {
            erx_digest_t before;
            uint64_t handle, frame_hash;
            uint32_t pool, frame;
        } link = {digest, frames[i].handle, frames[i].frame_hash, frames[i].pool, frames[i].frame};
        digest = erx_digest(&link, sizeof link);
    }
    return digest;
}

static void finish_block(erx_runtime_t *runtime)
{
    erx_runtime_block_t *block = &runtime->block;
    uint32_t frame_count;
    erx_error_t error;
    erx_blockhash_block_t hashed = {.number = block->slot, .timestamp = block->timestamp};
    erx_digest_t digest = hash_frames(runtime, &frame_count);
    memcpy(hashed.frames_hash, digest.bytes, sizeof digest.bytes);
    /* Without the memory for SHA-256 the newest hash stays: nothing is lost. */
    (void)erx_blockhash_advance(runtime->blockhashes, &hashed, &error);
    block->blockhash = *erx_blockhash_latest(runtime->blockhashes);
    uint64_t height = erx_blockhash_number(runtime->blockhashes);
    uint64_t window = runtime->config.blockhash_blocks;
    erx_status_cache_purge(runtime->statuses, height > window ? height - window : 0);
    runtime->figures.blocks++;
    runtime->figures.frames += frame_count;
    runtime->figures.batch_frames = frame_count;
    block->finished_ns = erx_clock_now();
    runtime->figures.transactions_ns = block->frames_ns - block->started_ns;
    runtime->figures.execute_ns = block->finished_ns - block->frames_ns;
}

/* Hands a session to the base layer. */
static void settle_one(const erx_runtime_t *runtime, uint32_t pool, const erx_session_t *session)
{
    uint32_t accounts[3];
    if (erx_bank_session_accounts(runtime->bank, pool, session->slot, accounts))
        runtime->base_layer.settle(runtime->base_layer.context, pool, session,
                                   erx_accounts_entry(runtime->accounts, accounts[0])->world_id);
}

/* Hands over sessions that ended with this block, and those that were asked for. */
static void settle(erx_runtime_t *runtime)
{
    uint32_t count, pool;
    const erx_runtime_base_layer_t *base_layer = &runtime->base_layer;
    const erx_bank_frame_t *frames = erx_bank_frames(runtime->bank, &count);
    for (uint32_t i = 0; base_layer->settle != NULL && i < count; i++) {
        const erx_model_t *model = erx_models_get(runtime->models, frames[i].pool)->model;
        const erx_session_t *session = erx_session_find(&model->sessions, frames[i].handle);
        if (session != NULL && session->status == ERX_SESSION_ENDED)
            settle_one(runtime, frames[i].pool, session);
    }
    for (uint32_t i = 0; base_layer->settle != NULL && i < runtime->settle_count; i++) {
        const erx_session_t *session = erx_runtime_session(runtime, runtime->settles[i], &pool);
        if (session != NULL)
            settle_one(runtime, pool, session);
    }
    runtime->settle_count = 0;
}

erx_status_t erx_runtime_ask_to_settle(erx_runtime_t *runtime, erx_session_name_t name,
                                       erx_error_t *error)
{
    uint32_t pool;
    if (erx_runtime_session(runtime, name, &pool) == NULL)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "session: it has ended, or never was");
    if (runtime->settle_count == ERX_RUNTIME_SETTLES_MAX)
        return erx_error_set(error, ERX_ERR_FULL, "%u sessions wait to be settled; seal a block",
                             ERX_RUNTIME_SETTLES_MAX);
    runtime->settles[runtime->settle_count++] = name;
    return ERX_OK;
}

static erx_status_t execute(erx_runtime_t *runtime, const erx_runtime_seal_t *seal,
                            erx_error_t *error)
{
    erx_runtime_collect_inputs(runtime);
    erx_status_t status = process_transactions(runtime, error);
    if (status != ERX_OK)
        return status;
    /* Sessions that this block's transactions made are due at once. */
    erx_runtime_publish(runtime);
    if (seal->crank)
        crank(runtime, seal);
    runtime->block.frames_ns = erx_clock_now();
    status = erx_bank_execute(runtime->bank, error);
    runtime->begun = false;
    if (status == ERX_OK)
        finish_block(runtime);
    settle(runtime);
    erx_runtime_publish(runtime);
    erx_runtime_tell_watches(runtime);
    return status;
}

erx_status_t erx_runtime_seal(erx_runtime_t *runtime, const erx_runtime_seal_t *seal,
                              const erx_runtime_block_t **block_out, erx_error_t *error)
{
    erx_status_t status = check_ready(runtime, error);
    if (status != ERX_OK)
        return status;
    uint64_t parent = erx_runtime_processed_slot(runtime);
    if (seal->slot <= parent)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "slot: %" PRIu64 " must be greater than the last block's, %" PRIu64,
                             seal->slot, parent);
    if (seal->slot == UINT64_MAX) /* direct changes have the next slot */
        return erx_error_set(error, ERX_ERR_RANGE, "slot: must be less than %" PRIu64, UINT64_MAX);
    uint64_t started_ns = erx_clock_now();
    erx_runtime_read_begin(runtime, false);
    begin_block(runtime, seal->slot, seal->timestamp);
    runtime->block.slot = seal->slot;
    runtime->block.parent = parent;
    runtime->block.timestamp = seal->timestamp;
    runtime->block.started_ns = started_ns;
    runtime->block.outcomes = runtime->outcomes;
    status = execute(runtime, seal, error);
    if (status == ERX_OK)
        atomic_store_explicit(&runtime->processed, seal->slot, memory_order_release);
    erx_runtime_read_end(runtime);
    if (status != ERX_OK)
        return status;
    erx_storage_sealed(runtime->storage, seal->slot);
    if (runtime->storage == NULL)
        erx_runtime_confirm(runtime, seal->slot);
    *block_out = &runtime->block;
    return ERX_OK;
}

void erx_runtime_confirm(erx_runtime_t *runtime, uint64_t slot)
{
    uint64_t known = atomic_load_explicit(&runtime->confirmed, memory_order_relaxed);
    while (known < slot)
        if (atomic_compare_exchange_weak_explicit(&runtime->confirmed, &known, slot,
                                                  memory_order_release, memory_order_relaxed)) {
            if (runtime->config.confirmed != NULL)
                runtime->config.confirmed(runtime->config.context, slot);
            return;
        }
}

uint64_t erx_runtime_processed_slot(const erx_runtime_t *runtime)
{
    return atomic_load_explicit(&runtime->processed, memory_order_acquire);
}

uint64_t erx_runtime_confirmed_slot(const erx_runtime_t *runtime)
{
    return atomic_load_explicit(&runtime->confirmed, memory_order_acquire);
}

void erx_runtime_clone_done(erx_runtime_t *runtime, const erx_key_t *key)
{
    if (runtime->clones != NULL)
        erx_clones_done(runtime->clones, key);
}

erx_runtime_figures_t erx_runtime_figures(const erx_runtime_t *runtime)
{
    erx_runtime_figures_t figures = runtime->figures;
    figures.storage = erx_storage_figures(runtime->storage);
    return figures;
}
