#include "engine/store.h"

#include <inttypes.h>
#include <string.h>

#include "engine/mutant.h"
#include "engine/store_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#define RECORDS_MIN 4u /* longest records that the journal must hold */

uint32_t erx_store_model_of(const erx_store_t *store, uint32_t slot_index)
{
    uint32_t model = 0;
    while (slot_index >= store->model_base[model + 1])
        model++;
    return model;
}

erx_session_t *erx_store_session(const erx_store_t *store, uint32_t slot_index)
{
    uint32_t model = erx_store_model_of(store, slot_index);
    return &store->config.models[model].sessions.sessions[slot_index - store->model_base[model]];
}

/* Sizes that follow from the models. */
static void plan(erx_store_t *store, erx_commit_plan_t *plan_out)
{
    uint32_t arena_bytes = 0;
    uint64_t stage_bytes = 0;
    for (uint32_t m = 0; m < store->config.model_count; m++) {
        const erx_model_t *model = &store->config.models[m];
        store->model_base[m + 1] = store->model_base[m] + model->sessions.capacity;
        arena_bytes = ERX_MAX(arena_bytes, (uint32_t)erx_arena_bytes(&model->shape));
        stage_bytes = ERX_MAX(stage_bytes, erx_checkpoint_stride(&model->shape));
    }
    store->slot_count = store->model_base[store->config.model_count];
    store->log.bulk_capacity = arena_bytes;
    store->record_bytes = erx_record_length(erx_event_log_capacity(store->slot_count),
                                            store->slot_count, arena_bytes);
    *plan_out = (erx_commit_plan_t){
        .record_bytes = store->record_bytes,
        .stage_bytes = stage_bytes,
        .stage_count = ERX_MIN(store->slot_count, ERX_STAGES_MAX),
        .threaded = store->config.threaded,
        .confirmed = store->config.archive,
        .context = store->config.context,
    };
}

static erx_status_t take_memory(erx_store_t *store, erx_error_t *error)
{
    erx_commit_plan_t commit_plan;
    plan(store, &commit_plan);
    uint64_t journal_bytes = store->config.io.files[0].bytes;
    if (journal_bytes < RECORDS_MIN * store->record_bytes)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%s: a journal of %" PRIu64
                             " bytes is too small for %u sessions; make "
                             "the data directory with at least %" PRIu64,
                             store->config.name, journal_bytes, store->slot_count,
                             RECORDS_MIN * store->record_bytes);
    store->slots = erx_alloc(store->slot_count, sizeof *store->slots);
    store->turns = erx_alloc(store->slot_count, sizeof *store->turns);
    if (store->slots == NULL || store->turns == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a store of %u sessions",
                             store->slot_count);
    erx_status_t status =
        erx_event_log_open(&store->log, store->slot_count, store->log.bulk_capacity, error);
    if (status == ERX_OK)
        status = erx_journal_ring_open(&store->ring, journal_bytes, error);
    if (status == ERX_OK)
        status = erx_commit_open(&commit_plan, &store->commit, error);
    return status;
}

static erx_status_t open_device(erx_store_t *store, erx_recovery_t *recovery, erx_error_t *error)
{
    erx_io_buffer_t memory = erx_commit_memory(store->commit);
    store->config.io.buffers = &memory;
    store->config.io.buffer_count = 1;
    ERX_ASSERT(store->config.io.file_count == ERX_JOURNAL_COPIES + store->config.model_count);
    erx_status_t status = store->config.io_open(store->config.io_context, &store->config.io,
                                                &store->io, recovery->note, error);
    store->config.io.buffers = NULL;
    return status;
}

static void choose_pace(erx_store_t *store)
{
    uint64_t frame_ns = 0;
    for (uint32_t m = 0; m < store->config.model_count; m++) {
        const erx_cost_t *cost = &store->config.models[m].cost;
        uint32_t last = cost->point_count - 1;
        frame_ns = ERX_MAX(frame_ns, cost->slice_ns[last] / cost->counts[last]);
    }
    store->pace.frames = store->config.checkpoint_frames;
    if (store->pace.frames == 0)
        store->pace.frames =
            erx_checkpoint_frames_for(store->config.restart_ns, store->slot_count, frame_ns,
                                      store->config.models[0].worker_count);
}

static void attach_pools(erx_store_t *store)
{
    for (uint32_t m = 0; m < store->config.model_count; m++) {
        store->config.models[m].sessions.log = &store->log;
        store->config.models[m].sessions.model_index = m;
    }
}

static void release(erx_store_t *store)
{
    for (uint32_t m = 0; m < store->config.model_count; m++)
        store->config.models[m].sessions.log = NULL;
    erx_commit_close(store->commit);
    erx_journal_ring_close(&store->ring);
    erx_event_log_close(&store->log);
    erx_free(store->slots);
    erx_free(store->turns);
    erx_free(store);
}

erx_status_t erx_store_open(const erx_store_config_t *config, erx_store_t **store_out,
                            erx_recovery_t *recovery_out, erx_error_t *error)
{
    erx_store_t *store = erx_alloc(1, sizeof *store);
    if (store == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a store");
    store->config = *config;
    *recovery_out = (erx_recovery_t){0};
    erx_status_t status = take_memory(store, error);
    if (status == ERX_OK)
        status = open_device(store, recovery_out, error);
    if (status == ERX_OK) {
        choose_pace(store);
        status = erx_store_recover(store, recovery_out, error);
    }
    if (status == ERX_OK)
        status = erx_commit_start(store->commit, store->io, store->sequence, error);
    if (status != ERX_OK) {
        for (uint32_t m = 0; m < config->model_count; m++)
            erx_session_pool_reset(&config->models[m].sessions);
        erx_io_close(store->io);
        release(store);
        return status;
    }
    recovery_out->checkpoint_frames = store->pace.frames;
    attach_pools(store);
    erx_store_collect(store);
    erx_store_make_room(store);
    *store_out = store;
    return ERX_OK;
}

uint64_t erx_store_touch(erx_store_t *store, uint32_t slot_index, uint64_t sequence)
{
    erx_slot_t *slot = &store->slots[slot_index];
    uint64_t before = slot->touched;
    if (before == 0) {
        slot->base = sequence - 1;
        slot->durable_image = ERX_CHECKPOINT_IMAGES - 1;
        store->turns[store->turn_count++] = slot_index;
        store->touched_count++;
    }
    slot->touched = sequence;
    return before;
}

static void collect_record(erx_store_t *store)
{
    erx_committed_t committed;
    while (erx_commit_collect_record(store->commit, &committed))
        if (store->config.committed != NULL)
            store->config.committed(store->config.context, committed.sequence, committed.commit_ns);
}

/* An image counts when it is durable and the journal reaches it. */
static void settle_images(erx_store_t *store)
{
    uint64_t confirmed = erx_commit_confirmed(store->commit);
    store->needed = store->sequence + 1;
    for (uint32_t i = 0; i < store->turn_count; i++) {
        erx_slot_t *slot = &store->slots[store->turns[i]];
        if (slot->pending_durable && slot->pending <= confirmed) {
            slot->base = slot->pending;
            slot->durable_image = 1 - slot->durable_image;
            slot->pending = 0;
            slot->pending_durable = false;
        }
        store->needed = ERX_MIN(store->needed, slot->base + 1);
    }
    if (ERX_MUTANT(REUSE_BEFORE_CHECKPOINT))
        store->needed = confirmed + 1;
}

void erx_store_collect(erx_store_t *store)
{
    collect_record(store);
    for (uint32_t stage = 0;
         (stage = erx_commit_durable_stage(store->commit, stage)) < ERX_STAGES_MAX; stage++) {
        const erx_checkpoint_t *image = erx_commit_stage(store->commit, stage);
        uint32_t index = erx_store_slot_index(store, image->model, image->slot);
        store->slots[index].pending_durable = true;
        erx_commit_release_stage(store->commit, stage);
    }
    settle_images(store);
}

uint64_t erx_store_submitted(const erx_store_t *store)
{
    return store->sequence;
}

uint64_t erx_store_confirmed(const erx_store_t *store)
{
    return erx_commit_confirmed(store->commit);
}

erx_status_t erx_store_health(const erx_store_t *store, erx_error_t *error)
{
    return erx_commit_health(store->commit, error);
}

erx_store_figures_t erx_store_figures(const erx_store_t *store)
{
    erx_store_figures_t figures = store->figures;
    figures.commit_cpu_ns = erx_commit_cpu_ns(store->commit);
    return figures;
}

erx_status_t erx_store_sync(erx_store_t *store, erx_error_t *error)
{
    while (erx_commit_confirmed(store->commit) < store->sequence) {
        if (erx_commit_health(store->commit, error) != ERX_OK)
            return error->status;
        erx_commit_wait(store->commit);
    }
    collect_record(store);
    return erx_commit_health(store->commit, error);
}

void erx_store_turn(erx_store_t *store, uint64_t wait_ns)
{
    erx_commit_turn(store->commit, wait_ns);
}

void erx_store_close(erx_store_t *store)
{
    if (store == NULL)
        return;
    erx_commit_stop(store->commit);
    collect_record(store);
    erx_io_close(store->io);
    release(store);
}
