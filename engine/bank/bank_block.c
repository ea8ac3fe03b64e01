/* An embedder's block: its frames, as one engine's block or several. */
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "mem/assert.h"

bool erx_bank_is_pending(const erx_bank_t *bank, const erx_session_t *session)
{
    return bank->has_begun && session->block_number == bank->block->number;
}

static void begin_engine_block(erx_bank_t *bank)
{
    bank->block = erx_engine_begin_block(bank->config.engine, bank->timestamp);
    bank->block->slot = bank->slot;
    bank->unrecorded_writes = 0;
    bank->unrecorded_starts = 0;
}

void erx_bank_begin(erx_bank_t *bank, uint64_t slot, int64_t timestamp)
{
    ERX_ASSERT(!bank->has_begun && slot > bank->slot);
    bank->slot = slot;
    bank->timestamp = timestamp;
    bank->block_units = 0;
    bank->transactions = 0;
    bank->frame_count = 0;
    erx_bump_reset(&bank->outcomes);
    erx_bank_changes_begin(&bank->changes);
    begin_engine_block(bank);
    bank->has_begun = true;
}

void erx_bank_set_block(erx_bank_t *bank, uint64_t slot, int64_t timestamp)
{
    ERX_ASSERT(bank->has_begun && bank->transactions == 0 && bank->frame_count == 0);
    bank->slot = slot;
    bank->timestamp = timestamp;
    bank->block->slot = slot;
    bank->block->timestamp = timestamp;
}

/* When the last group of a model's sessions was done. */
static uint64_t finished_ns(const erx_bank_t *bank, const erx_model_t *model)
{
    uint32_t count;
    uint64_t last = 0;
    const erx_group_t *groups = erx_engine_groups(bank->config.engine, &count);
    for (uint32_t i = 0; i < count; i++)
        if (groups[i].model == model)
            last = ERX_MAX(last, groups[i].finished_ns);
    return last;
}

/* Tells of the frames that the engine's block executed. */
static void collect_frames(erx_bank_t *bank)
{
    uint32_t count;
    const erx_model_t *models = erx_engine_models(bank->config.engine, &count);
    for (uint32_t i = 0; i < bank->block->frame_count; i++) {
        const erx_frame_t *frame = &bank->block->frames[i];
        uint32_t pool = (uint32_t)(frame->model - models);
        ERX_ASSERT(bank->frame_count < bank->frame_capacity);
        erx_bank_frame_t *out = &bank->frames[bank->frame_count++];
        memset(out, 0, sizeof *out);
        out->pool = pool;
        out->handle = erx_session_handle(frame->session);
        out->frame = frame->session->frame;
        out->frame_hash = frame->session->frame_hash;
        out->finished_ns = finished_ns(bank, frame->model);
        memcpy(out->controls, frame->control, sizeof out->controls);
        erx_bank_changes_add_session(bank, pool, frame->session->slot);
    }
}

erx_status_t erx_bank_run_frames(erx_bank_t *bank, erx_error_t *error)
{
    uint32_t group_count;
    const erx_store_t *store = erx_engine_store(bank->config.engine);
    if (bank->config.frames_begin != NULL)
        bank->config.frames_begin(bank->config.context);
    erx_engine_execute(bank->config.engine);
    if (bank->config.frames_end != NULL)
        bank->config.frames_end(bank->config.context);
    (void)erx_engine_groups(bank->config.engine, &group_count);
    bool is_refused = bank->block->frame_count > 0
                          ? group_count == 0
                          : store != NULL && erx_store_health(store, error) != ERX_OK;
    if (is_refused) {
        if (store != NULL)
            (void)erx_store_health(store, error);
        return erx_error_set(error, ERX_ERR_IO, "the storage has failed: no frame was executed");
    }
    if (store == NULL)
        erx_accounts_written_clear(bank->config.accounts);
    collect_frames(bank);
    return ERX_OK;
}

erx_status_t erx_bank_flush(erx_bank_t *bank, erx_error_t *error)
{
    erx_status_t status = erx_bank_run_frames(bank, error);
    begin_engine_block(bank);
    return status;
}

erx_status_t erx_bank_execute(erx_bank_t *bank, erx_error_t *error)
{
    ERX_ASSERT(bank->has_begun);
    erx_status_t status = erx_bank_run_frames(bank, error);
    bank->has_begun = false;
    return status;
}

erx_status_t erx_bank_add_frame(erx_bank_t *bank, uint32_t pool, erx_session_t *session)
{
    ERX_ASSERT(bank->has_begun);
    return erx_block_add(bank->block, erx_bank_model(bank, pool), session);
}

const erx_bank_frame_t *erx_bank_frames(const erx_bank_t *bank, uint32_t *count_out)
{
    *count_out = bank->frame_count;
    return bank->frames;
}

uint64_t erx_bank_block_units(const erx_bank_t *bank)
{
    return bank->block_units;
}
