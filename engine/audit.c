#include "engine/audit.h"

#include <stdio.h>
#include <string.h>

#include "engine/journal_read.h"
#include "engine/replay.h"

erx_status_t erx_audit_load(erx_engine_t *engine, const erx_data_directory_t *data,
                            erx_error_t *error)
{
    for (uint32_t m = 0; m < data->model_count; m++) {
        char path[ERX_DATA_PATH_MAX];
        erx_model_t *model;
        (void)snprintf(path, sizeof path, "%.3900s/%s", data->path, data->models[m].folder);
        erx_status_t status =
            erx_engine_load_model(engine, path, data->models[m].sessions, &model, error);
        if (status != ERX_OK)
            return status;
        if (memcmp(model->hash, data->models[m].hash, sizeof model->hash) != 0)
            return erx_error_set(error, ERX_ERR_HASH, "%.300s is not the model that it was", path);
    }
    return ERX_OK;
}

static erx_status_t open_replay(erx_replay_t *replay, erx_engine_t *engine,
                                const erx_data_directory_t *data, erx_audit_progress_fn progress,
                                void *context, erx_error_t *error)
{
    *replay = (erx_replay_t){
        .executor = erx_engine_executor(engine, true),
        .file_id = data->file_id,
        .name = data->path,
        .progress = progress,
        .context = context,
    };
    replay->models = erx_engine_models(engine, &replay->model_count);
    return erx_replay_open(replay, error);
}

static erx_status_t replay_files(erx_replay_t *replay, erx_io_t *io,
                                 const erx_journal_files_t *files, uint64_t stage_bytes,
                                 erx_audit_t *audit, erx_error_t *error)
{
    const erx_chain_t *chain = &files->chain;
    erx_region_t region;
    erx_status_t status = erx_region_open(&region, stage_bytes, ERX_NODE_ANY, error);
    if (status != ERX_OK)
        return status;
    status = erx_replay_load(replay, io, region.base, chain, ERX_REPLAY_OLDEST, error);
    erx_region_close(&region);
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

erx_status_t erx_audit_data(erx_engine_t *engine, const erx_data_directory_t *data,
                            erx_audit_progress_fn progress, void *context, erx_audit_t *audit_out,
                            erx_error_t *error)
{
    erx_store_config_t config = {.io = {.backend = ERX_IO_PLAIN}};
    erx_replay_t replay = {0};
    erx_journal_files_t files;
    erx_io_t *io;
    uint64_t stage_bytes = 0;
    *audit_out = (erx_audit_t){0};
    erx_data_directory_configure(data, &config);
    erx_status_t status = erx_io_plain_open(&config.io, &io, error);
    if (status != ERX_OK)
        return status;
    for (uint32_t m = 0; m < data->model_count; m++)
        stage_bytes = ERX_MAX(stage_bytes, data->models[m].session_bytes);
    const erx_recover_input_t input = {
        .bytes = data->journal_bytes,
        .file_id = data->file_id,
        .claimed = data->claimed,
        .name = data->path,
    };
    status = erx_journal_read(&files, io, &input, error);
    if (status == ERX_OK) {
        status = open_replay(&replay, engine, data, progress, context, error);
        if (status == ERX_OK)
            status = replay_files(&replay, io, &files, stage_bytes, audit_out, error);
        audit_out->frames = replay.frames_done;
        erx_replay_close(&replay);
        erx_journal_read_close(&files);
    }
    erx_io_close(io);
    return status;
}

erx_status_t erx_audit_archive(erx_engine_t *engine, const erx_data_directory_t *data,
                               erx_audit_progress_fn progress, void *context,
                               erx_audit_t *audit_out, erx_error_t *error)
{
    erx_replay_t replay = {0};
    erx_archive_reader_t reader;
    const erx_record_t *record;
    uint64_t touched = 0;
    *audit_out = (erx_audit_t){.first_sequence = 1};
    erx_status_t status = erx_archive_read_open(&reader, data->path, data->file_id, error);
    if (status != ERX_OK)
        return status;
    status = open_replay(&replay, engine, data, progress, context, error);
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
