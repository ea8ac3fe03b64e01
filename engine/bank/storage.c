#include "engine/bank/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "engine/archive.h"
#include "engine/bank/runtime_parts.h"
#include "mem/alloc.h"
#include "sched/histogram.h"

/* Blocks that may be executed and not yet durable: the commit machine holds
 * ERX_COMMITS_MAX records, and a block has at least one. */
#define SEALED_MAX 64u

ERX_STATIC_ASSERT(SEALED_MAX > ERX_COMMITS_MAX, "every block in flight has a place");

struct erx_storage {
    erx_runtime_t *runtime;
    erx_data_directory_t directory;
    erx_archive_t *archive;
    erx_store_t *store;
    erx_recovery_t recovery;
    erx_histogram_t commits;
    /* Sealed blocks and their last records, a ring. Both the control thread and
     * the commit thread look for the newest that is durable. */
    pthread_mutex_t lock;
    struct {
        uint64_t slot, sequence;
    } sealed[SEALED_MAX];
    uint32_t sealed_next;
    _Atomic bool failure_told;
};

/* Confirms the newest sealed block whose records are all durable. */
static void confirm(erx_storage_t *storage, uint64_t durable)
{
    uint64_t slot = 0;
    (void)pthread_mutex_lock(&storage->lock);
    for (uint32_t i = 0; i < SEALED_MAX; i++)
        if (storage->sealed[i].sequence <= durable)
            slot = ERX_MAX(slot, storage->sealed[i].slot);
    (void)pthread_mutex_unlock(&storage->lock);
    erx_runtime_confirm(storage->runtime, slot);
}

static void count_commit(void *context, uint64_t sequence, uint64_t commit_ns)
{
    erx_storage_t *storage = context;
    (void)sequence;
    erx_histogram_add(&storage->commits, commit_ns, 1);
}

/* On the commit thread, for every record. */
static void take_record(void *context, const erx_record_t *record)
{
    erx_storage_t *storage = context;
    if (storage->archive != NULL)
        erx_archive_append(storage->archive, record);
    confirm(storage, record->sequence);
}

static void tell(const erx_storage_t *storage, const char *note)
{
    const erx_runtime_config_t *config = &storage->runtime->config;
    if (note[0] != '\0' && config->note != NULL)
        config->note(config->context, note);
}

static void show_making(void *context, uint64_t done, uint64_t total)
{
    const erx_runtime_config_t *config = &((erx_storage_t *)context)->runtime->config;
    if (config->progress != NULL)
        config->progress(config->context, "make data directory", done, total);
}

static void show_recovery(void *context, uint64_t done, uint64_t total)
{
    const erx_runtime_config_t *config = &((erx_storage_t *)context)->runtime->config;
    if (config->progress != NULL)
        config->progress(config->context, "recover", done, total);
}

static erx_status_t open_directory(erx_storage_t *storage, erx_error_t *error)
{
    const erx_runtime_config_t *config = &storage->runtime->config;
    uint32_t directory_count;
    char note[ERX_IO_NOTE_MAX];
    erx_data_plan_t plan = {
        .journal_bytes = config->journal_bytes,
        .copy_path = config->copy_directory,
        .model_directories = erx_models_directories(storage->runtime->models, &directory_count),
        .accounts = &config->accounts,
        .progress = show_making,
        .context = storage,
    };
    plan.models = erx_engine_models(storage->runtime->engine, &plan.model_count);
    erx_status_t status =
        erx_data_directory_open(&storage->directory, config->data_directory, &plan, error);
    if (status != ERX_OK)
        return status;
    erx_data_directory_note(config->data_directory, note);
    tell(storage, note);
    return ERX_OK;
}

static erx_status_t bind(void *context, uint32_t pool, erx_error_t *error)
{
    const erx_storage_t *storage = context;
    return erx_models_bind(storage->runtime->models, pool, error);
}

static erx_status_t open_store(erx_storage_t *storage, erx_error_t *error)
{
    const erx_runtime_config_t *config = &storage->runtime->config;
    erx_store_config_t plan = {
        .accounts = storage->runtime->accounts,
        .checkpoint_frames = config->checkpoint_frames,
        .restart_ns = config->restart_ns,
        .threaded = true,
        .progress = show_recovery,
        .committed = count_commit,
        .archive = take_record,
        .context = storage,
        .bind = bind,
        .bind_context = storage,
    };
    erx_data_directory_configure(&storage->directory, &plan);
    erx_status_t status =
        erx_engine_open_store(storage->runtime->engine, &plan, &storage->recovery, error);
    if (status != ERX_OK)
        return status;
    storage->store = erx_engine_store(storage->runtime->engine);
    tell(storage, storage->recovery.note);
    return erx_data_directory_claim(&storage->directory, storage->recovery.sequence,
                                    storage->recovery.epoch, false, error);
}

static void release(erx_storage_t *storage)
{
    erx_engine_close_store(storage->runtime->engine);
    erx_archive_close(storage->archive);
    erx_data_directory_close(&storage->directory);
    (void)pthread_mutex_destroy(&storage->lock);
    erx_free(storage);
}

erx_status_t erx_storage_open(erx_runtime_t *runtime, erx_storage_t **storage_out,
                              erx_runtime_recovery_t *recovery_out, erx_error_t *error)
{
    erx_storage_t *storage = erx_alloc(1, sizeof *storage);
    if (storage == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a storage");
    storage->runtime = runtime;
    storage->directory.lock = -1;
    (void)pthread_mutex_init(&storage->lock, NULL);
    erx_status_t status = open_directory(storage, error);
    if (status == ERX_OK && runtime->config.archive_directory != NULL)
        status = erx_archive_open(&storage->archive, runtime->config.archive_directory,
                                  &storage->directory, error);
    if (status == ERX_OK)
        status = open_store(storage, error);
    if (status != ERX_OK) {
        release(storage);
        return status;
    }
    recovery_out->slot = storage->recovery.slot;
    recovery_out->sequence = storage->recovery.sequence;
    recovery_out->replayed_frames = storage->recovery.replayed_frames;
    runtime->block.timestamp = storage->recovery.timestamp;
    *storage_out = storage;
    return ERX_OK;
}

void erx_storage_sealed(erx_storage_t *storage, uint64_t slot)
{
    if (storage == NULL)
        return;
    (void)pthread_mutex_lock(&storage->lock);
    storage->sealed[storage->sealed_next].slot = slot;
    storage->sealed[storage->sealed_next].sequence = erx_store_submitted(storage->store);
    storage->sealed_next = (storage->sealed_next + 1) % SEALED_MAX;
    (void)pthread_mutex_unlock(&storage->lock);
    /* The commit thread may have been faster. */
    confirm(storage, erx_store_confirmed(storage->store));
}

erx_status_t erx_storage_sync(erx_storage_t *storage, erx_error_t *error)
{
    erx_status_t status = erx_store_sync(storage->store, error);
    if (status == ERX_OK)
        confirm(storage, erx_store_confirmed(storage->store));
    return status;
}

erx_status_t erx_storage_health(erx_storage_t *storage, erx_error_t *error)
{
    erx_status_t status = erx_store_health(storage->store, error);
    const erx_runtime_config_t *config = &storage->runtime->config;
    if (status != ERX_OK && config->failure != NULL &&
        !atomic_exchange(&storage->failure_told, true))
        config->failure(config->context, error->text);
    return status;
}

erx_storage_figures_t erx_storage_figures(const erx_storage_t *storage)
{
    if (storage == NULL)
        return (erx_storage_figures_t){0};
    return (erx_storage_figures_t){
        .commits = erx_histogram_summary(&storage->commits),
        .store = erx_store_figures(storage->store),
    };
}

erx_status_t erx_storage_close(erx_storage_t *storage, erx_error_t *error)
{
    if (storage == NULL)
        return ERX_OK;
    erx_status_t status = storage->store == NULL ? ERX_OK : erx_store_sync(storage->store, error);
    if (status == ERX_OK && storage->store != NULL)
        status = erx_data_directory_claim(&storage->directory, erx_store_confirmed(storage->store),
                                          storage->recovery.epoch, true, error);
    if (status == ERX_OK && storage->archive != NULL &&
        erx_archive_health(storage->archive, error) != ERX_OK)
        status = erx_error_prefix(error, "all blocks are durable, but the archive stopped");
    release(storage);
    return status;
}
