#include "engine/store.h"

#include <inttypes.h>
#include <string.h>

#include "engine/mutant.h"
#include "engine/store_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#define RECORDS_MIN 4u /* longest records that the journal must hold */

/* Sizes that follow from the pools. */
static void plan(erx_store_t *store, erx_commit_plan_t *plan_out)
{
    const erx_store_config_t *config = &store->config;
    store->pools = erx_pools_of(config->models, config->model_count, config->accounts);
    store->slot_count = erx_pools_slot_count(&store->pools);
    uint32_t session_count = erx_pools_session_count(&store->pools);
    uint32_t arena_bytes = 0;
    for (uint32_t m = 0; m < config->model_count; m++)
        arena_bytes = ERX_MAX(arena_bytes, erx_pools_arena_bytes(&store->pools, m));
    store->log.bulk_capacity = arena_bytes;
    uint64_t events = erx_event_log_capacity(session_count), bulk = arena_bytes;
    if (config->accounts != NULL) {
        events += erx_accounts_written_pages_max(config->accounts);
        bulk += erx_accounts_patches_bytes_max(config->accounts);
    }
    store->record_bytes = erx_record_length(events, session_count, bulk);
    *plan_out = (erx_commit_plan_t){
        .record_bytes = store->record_bytes,
        .stage_bytes = erx_checkpoint_stride(erx_pools_arena_bytes_max(&store->pools)),
        .stage_count = ERX_MIN(store->slot_count, ERX_STAGES_MAX),
        .threaded = config->threaded,
        .confirmed = config->archive,
        .context = config->context,
    };
}

static erx_status_t check_sizes(const erx_store_t *store, erx_error_t *error)
{
    uint64_t journal_bytes = store->config.io.files[0].bytes;
    if (store->record_bytes > ERX_JOURNAL_LENGTH_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "a record of %u sessions and what accounts' transactions write may "
                             "have %" PRIu64 " bytes, more than %u: open the engine with fewer "
                             "sessions or a smaller write log of the accounts",
                             erx_pools_session_count(&store->pools), store->record_bytes,
                             ERX_JOURNAL_LENGTH_MAX);
    if (journal_bytes < RECORDS_MIN * store->record_bytes)
        return erx_error_set(
            error, ERX_ERR_RANGE,
            "%s: a journal of %" PRIu64 " bytes is too small for %u sessions%s; make "
            "the data directory with at least %" PRIu64,
            store->config.name, journal_bytes, erx_pools_session_count(&store->pools),
            store->config.accounts == NULL ? "" : " and the accounts",
            RECORDS_MIN * store->record_bytes);
    return ERX_OK;
}

static erx_status_t take_memory(erx_store_t *store, erx_error_t *error)
{
    erx_commit_plan_t commit_plan;
    plan(store, &commit_plan);
    if (check_sizes(store, error) != ERX_OK)
        return error->status;
    store->slots = erx_alloc(store->slot_count, sizeof *store->slots);
    store->turns = erx_alloc(store->slot_count, sizeof *store->turns);
    if (store->slots == NULL || store->turns == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a store of %u slots",
                             store->slot_count);
    erx_status_t status = erx_event_log_open(&store->log, erx_pools_session_count(&store->pools),
                                             store->log.bulk_capacity, error);
    if (status == ERX_OK)
        status = erx_journal_ring_open(&store->ring, store->config.io.files[0].bytes, error);
    if (status == ERX_OK)
        status = erx_commit_open(&commit_plan, &store->commit, error);
    return status;
}

static erx_status_t open_device(erx_store_t *store, erx_recovery_t *recovery, erx_error_t *error)
{
    erx_io_buffer_t memory = erx_commit_memory(store->commit);
    store->config.io.buffers = &memory;
    store->config.io.buffer_count = 1;
    ERX_ASSERT(store->config.io.file_count == ERX_JOURNAL_COPIES + store->pools.count);
    erx_status_t status = store->config.io_open(store->config.io_context, &store->config.io,
                                                &store->io, recovery->note, error);
    store->config.io.buffers = NULL;
    return status;
}

/* How long a restart would read, when the disk is as fast as it was now. Pages
 * of accounts are left out: few of them are ever written. */
static uint64_t read_ns(const erx_store_t *store)
{
    uint64_t journal = store->ring.bytes * ERX_JOURNAL_COPIES, images = 0;
    for (uint32_t pool = 0; pool < store->pools.model_count; pool++)
        images += erx_pools_capacity(&store->pools, pool) *
                  erx_checkpoint_stride(erx_pools_arena_bytes(&store->pools, pool));
    uint64_t unit = ERX_JOURNAL_BYTES_MIN; /* so that the product has room */
    return store->journal_read_ns * ((journal + images) / unit) / (journal / unit);
}

/* How often sessions take their turns; pages take theirs as often. */
static void choose_pace(erx_store_t *store)
{
    uint64_t frame_ns = 0;
    for (uint32_t m = 0; m < store->config.model_count; m++) {
        const erx_cost_t *cost = &store->config.models[m].cost;
        if (cost->point_count > 0) /* the pool has a model */
            frame_ns = ERX_MAX(frame_ns, erx_cost_frame_ns(cost));
    }
    const erx_restart_t restart = {
        .target_ns = store->config.restart_ns,
        .read_ns = read_ns(store),
        .frame_ns = frame_ns,
        .session_count = erx_pools_session_count(&store->pools),
        .worker_count = store->config.worker_count,
    };
    store->pace.frames = store->config.checkpoint_frames;
    if (store->pace.frames == 0)
        store->pace.frames = erx_checkpoint_frames_for(&restart);
}

void erx_store_note_model(erx_store_t *store)
{
    choose_pace(store);
}

static void attach_pools(erx_store_t *store)
{
    for (uint32_t m = 0; m < store->config.model_count; m++) {
        store->config.models[m].sessions.log = &store->log;
        store->config.models[m].sessions.pool_index = m;
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
        status = erx_store_recover(store, recovery_out, error);
        choose_pace(store);
    }
    if (status == ERX_OK)
        status = erx_commit_start(store->commit, store->io, store->sequence, error);
    if (status != ERX_OK) {
        erx_pools_reset(&store->pools);
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
        uint32_t index = erx_store_slot_index(store, image->pool, image->slot);
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
    figures.checkpoint_age = store->sequence + 1 - ERX_MIN(store->needed, store->sequence + 1);
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
