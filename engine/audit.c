#include "engine/audit.h"

#include <stdio.h>
#include <string.h>

#include "engine/journal_read.h"
#include "engine/replay.h"

/* Nothing is changed but by replay, which keeps no logs. */
#define LOG_BYTES 4096u

static erx_status_t load_model(erx_engine_t *engine, const erx_data_directory_t *data,
                               const erx_data_pool_t *pool, erx_error_t *error)
{
    char path[ERX_DATA_PATH_MAX];
    erx_model_t *model;
    (void)snprintf(path, sizeof path, "%.3900s/%s", data->path, pool->folder);
    if (erx_engine_load_model(engine, path, pool->slots, &model, error) != ERX_OK)
        return error->status;
    if (memcmp(model->hash, pool->hash, sizeof model->hash) != 0)
        return erx_error_set(error, ERX_ERR_HASH, "%.300s is not the model that it was", path);
    return ERX_OK;
}

static erx_status_t load_pool(erx_audit_plan_t *plan, const erx_data_pool_t *pool,
                              erx_error_t *error)
{
    uint32_t index;
    const erx_accounts_config_t accounts = {
        .account_capacity = pool->account_capacity,
        .heap_bytes = pool->heap_bytes,
        .write_log_bytes = LOG_BYTES,
        .undo_log_bytes = LOG_BYTES,
    };
    switch (pool->kind) {
    case ERX_DATA_MODEL:
        return load_model(plan->engine, plan->data, pool, error);
    case ERX_DATA_PLACE:
        return erx_engine_add_place(plan->engine, pool->arena_bytes, pool->slots, &index, error);
    case ERX_DATA_ACCOUNTS:
        return erx_accounts_open(&accounts, &plan->accounts, error);
    }
    return erx_error_set(error, ERX_ERR_FORMAT, "a pool of an unknown kind");
}

erx_status_t erx_audit_load(erx_audit_plan_t *plan, erx_error_t *error)
{
    plan->accounts = NULL;
    for (uint32_t i = 0; i < plan->data->pool_count; i++)
        if (load_pool(plan, &plan->data->pools[i], error) != ERX_OK)
            return error->status;
    return ERX_OK;
}

void erx_audit_unload(erx_audit_plan_t *plan)
{
    erx_accounts_close(plan->accounts);
    plan->accounts = NULL;
}

static erx_status_t open_replay(erx_replay_t *replay, const erx_audit_plan_t *plan,
                                erx_error_t *error)
{
    uint32_t count;
    erx_model_t *models = erx_engine_models(plan->engine, &count);
    *replay = (erx_replay_t){
        .pools = erx_pools_of(models, count, plan->accounts),
        .executor = erx_engine_executor(plan->engine, true),
        .file_id = plan->data->file_id,
        .name = plan->data->path,
        .progress = plan->progress,
        .context = plan->context,
        .bind = plan->bind,
        .bind_context = plan->bind_context,
    };
    return erx_replay_open(replay, error);
}

static erx_status_t replay_files(erx_replay_t *replay, erx_io_t *io,
                                 const erx_journal_files_t *files, erx_audit_t *audit,
                                 erx_error_t *error)
{
    const erx_chain_t *chain = &files->chain;
    erx_status_t status = erx_replay_load(replay, io, chain, ERX_REPLAY_OLDEST, error);
    for (uint32_t i = 0; status == ERX_OK && i < chain->count; i++) {
        audit->damaged += chain->links[i].mend[0] || chain->links[i].mend[1];
        status = erx_replay_apply(replay, chain->links[i].record, error);
    }
    if (status == ERX_OK && chain->count > 0)
        status = erx_replay_finish(replay, chain->links[chain->count - 1].record->touched, error);
    audit->first_sequence = chain->first_sequence;
    audit->last_sequence = chain->last_sequence;
    return status;
}

erx_status_t erx_audit_data(const erx_audit_plan_t *plan, erx_audit_t *audit_out,
                            erx_error_t *error)
{
    const erx_data_directory_t *data = plan->data;
    erx_store_config_t config = {.io = {.backend = ERX_IO_PLAIN}};
    erx_replay_t replay = {0};
    erx_journal_files_t files;
    erx_io_t *io;
    *audit_out = (erx_audit_t){0};
    erx_data_directory_configure(data, &config);
    erx_status_t status = erx_io_plain_open(&config.io, &io, error);
    if (status != ERX_OK)
        return status;
    const erx_recover_input_t input = {
        .bytes = data->journal_bytes,
        .file_id = data->file_id,
        .claimed = data->claimed,
        .name = data->path,
    };
    status = erx_journal_read(&files, io, &input, error);
    if (status == ERX_OK) {
        status = open_replay(&replay, plan, error);
        if (status == ERX_OK)
            status = replay_files(&replay, io, &files, audit_out, error);
        audit_out->frames = replay.frames_done;
        erx_replay_close(&replay);
        erx_journal_read_close(&files);
    }
    erx_io_close(io);
    return status;
}

erx_status_t erx_audit_archive(const erx_audit_plan_t *plan, erx_audit_t *audit_out,
                               erx_error_t *error)
{
    erx_replay_t replay = {0};
    erx_archive_reader_t reader;
    const erx_record_t *record;
    uint64_t touched = 0;
    *audit_out = (erx_audit_t){.first_sequence = 1};
    erx_status_t status =
        erx_archive_read_open(&reader, plan->data->path, plan->data->file_id, error);
    if (status != ERX_OK)
        return status;
    status = open_replay(&replay, plan, error);
    while (status == ERX_OK &&
           (status = erx_archive_read_next(&reader, &record, error)) == ERX_OK && record != NULL) {
        touched = record->touched;
        audit_out->last_sequence = record->sequence;
        status = erx_replay_apply(&replay, record, error);
    }
    if (status == ERX_OK)
        status = erx_replay_finish(&replay, touched, error);
    audit_out->frames = replay.frames_done;
    erx_replay_close(&replay);
    erx_archive_read_close(&reader);
    return status;
}
