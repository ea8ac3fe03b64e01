#include "perf/load_data.h"

#include "engine/data_file.h"

#include <inttypes.h>

#include "sched/clock.h"

static void show_making(void *context, uint64_t done, uint64_t total)
{
    erx_progress_t *progress = context;
    progress->total = total;
    erx_progress_update(progress, done);
}

static void show_recovery(void *context, uint64_t done, uint64_t total)
{
    erx_load_data_t *data = context;
    data->progress.total = total;
    erx_progress_update(&data->progress, done);
}

static void count_commit(void *context, uint64_t sequence, uint64_t commit_ns)
{
    erx_load_data_t *data = context;
    (void)sequence;
    erx_histogram_add(&data->commits, commit_ns, 1);
}

static void archive_record(void *context, const erx_record_t *record)
{
    erx_load_data_t *data = context;
    erx_archive_append(data->archive, record);
}

static void print_note(const char *note)
{
    if (note[0] != '\0')
        (void)fprintf(stderr, "erx load: %s\n", note);
}

static erx_status_t open_directory(erx_load_data_t *data, const char *model_directory,
                                   erx_error_t *error)
{
    erx_progress_t progress;
    erx_data_plan_t plan = {
        .journal_bytes = data->options->journal_bytes,
        .copy_path = data->options->copy,
        .model_directories = &model_directory,
        .progress = show_making,
        .context = &progress,
    };
    plan.models = erx_engine_models(data->engine, &plan.model_count);
    erx_progress_start(&progress, "make data directory", 1);
    erx_status_t status =
        erx_data_directory_open(&data->directory, data->options->directory, &plan, error);
    erx_progress_finish(&progress);
    if (status != ERX_OK)
        return status;
    /* What this file system cannot promise is said before anything relies on it. */
    char note[ERX_IO_NOTE_MAX];
    erx_data_directory_note(data->options->directory, note);
    print_note(note);
    return ERX_OK;
}

static erx_status_t open_store(erx_load_data_t *data, erx_error_t *error)
{
    erx_store_config_t config = {
        .checkpoint_frames = data->options->checkpoint_frames,
        .restart_ns = data->options->restart_ms * 1000000,
        .threaded = true,
        .progress = show_recovery,
        .committed = count_commit,
        .archive = data->archive == NULL ? NULL : archive_record,
        .context = data,
    };
    erx_data_directory_configure(&data->directory, &config);
    config.io.backend = data->options->backend;
    erx_progress_start(&data->progress, "recover", 1);
    uint64_t begin = erx_clock_now();
    erx_status_t status = erx_engine_open_store(data->engine, &config, &data->recovery, error);
    data->recovery_ns = erx_clock_now() - begin;
    erx_progress_finish(&data->progress);
    print_note(data->recovery.note);
    return status;
}

erx_status_t erx_load_data_open(erx_load_data_t *data, const erx_load_data_options_t *options,
                                erx_engine_t *engine, const char *model_directory,
                                uint64_t *blocks_out, erx_error_t *error)
{
    *blocks_out = 0;
    data->options = options;
    data->engine = engine;
    data->directory.lock = -1;
    if (options->directory == NULL)
        return ERX_OK;
    erx_status_t status = open_directory(data, model_directory, error);
    if (status == ERX_OK && options->archive != NULL)
        status = erx_archive_open(&data->archive, options->archive, &data->directory, error);
    if (status == ERX_OK)
        status = open_store(data, error);
    if (status != ERX_OK)
        return status;
    data->begin_ns = erx_clock_now();
    *blocks_out = data->recovery.sequence;
    if (data->recovery.sequence > 0 && !options->resume)
        return erx_error_set(error, ERX_ERR_STATE,
                             "%.300s holds sessions up to block %" PRIu64 ": continue them with "
                             "--resume, or name another directory",
                             options->directory, data->recovery.sequence);
    if (data->recovery.sequence > 0)
        (void)fprintf(
            stderr,
            "erx load: recovered block %" PRIu64 " in %.2f s (%" PRIu64 " frames re-executed%s)\n",
            data->recovery.block, (double)data->recovery_ns / 1e9, data->recovery.replayed_frames,
            data->recovery.mended > 0 ? ", records mended" : "");
    return erx_data_directory_claim(&data->directory, data->recovery.sequence, data->recovery.epoch,
                                    false, error);
}

erx_status_t erx_load_data_health(const erx_load_data_t *data, erx_error_t *error)
{
    const erx_store_t *store = data->engine == NULL ? NULL : erx_engine_store(data->engine);
    return store == NULL ? ERX_OK : erx_store_health(store, error);
}

erx_status_t erx_load_data_finish(erx_load_data_t *data, erx_error_t *error)
{
    erx_store_t *store = erx_engine_store(data->engine);
    if (store == NULL)
        return ERX_OK;
    erx_status_t status = erx_store_sync(store, error);
    if (status == ERX_OK)
        status = erx_data_directory_claim(&data->directory, erx_store_confirmed(store),
                                          data->recovery.epoch, true, error);
    return status;
}

erx_status_t erx_load_data_archived(const erx_load_data_t *data, erx_error_t *error)
{
    if (data->archive == NULL || erx_archive_health(data->archive, error) == ERX_OK)
        return ERX_OK;
    return erx_error_prefix(error, "all blocks are durable, but the archive stopped");
}

static double commit_ms(const erx_load_data_t *data, double share)
{
    return (double)erx_histogram_quantile(&data->commits, share) / 1e6;
}

void erx_load_data_figures(const erx_load_data_t *data, json_t *value)
{
    const erx_store_t *store = erx_engine_store(data->engine);
    if (store == NULL)
        return;
    erx_store_figures_t figures = erx_store_figures(store);
    json_t *more = json_pack(
        "{s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:i, s:f, s:I, s:I, s:f}", "commit_ms_p50",
        commit_ms(data, 0.5), "commit_ms_p99", commit_ms(data, 0.99), "commit_ms_p999",
        commit_ms(data, 0.999), "confirmed_block", (json_int_t)erx_store_confirmed(store),
        "journal_bytes", (json_int_t)figures.journal_bytes, "checkpoint_bytes",
        (json_int_t)figures.checkpoint_bytes, "checkpoints", (json_int_t)figures.checkpoint_count,
        "checkpoint_frames", (int)data->recovery.checkpoint_frames, "commit_cpu_seconds",
        (double)figures.commit_cpu_ns / 1e9, "resumed_block", (json_int_t)data->recovery.block,
        "replayed_frames", (json_int_t)data->recovery.replayed_frames, "recovery_seconds",
        (double)data->recovery_ns / 1e9);
    (void)json_object_update(value, more);
    json_decref(more);
}

void erx_load_data_print(const erx_load_data_t *data, FILE *stream, double seconds)
{
    const erx_store_t *store = erx_engine_store(data->engine);
    if (store == NULL)
        return;
    erx_store_figures_t figures = erx_store_figures(store);
    (void)fprintf(stream,
                  "  durable     block %" PRIu64 "; commit p50 %.2f  p99 %.2f  p99.9 %.2f ms; "
                  "%.1f %% of one core\n",
                  erx_store_confirmed(store), commit_ms(data, 0.5), commit_ms(data, 0.99),
                  commit_ms(data, 0.999), 100.0 * (double)figures.commit_cpu_ns / 1e9 / seconds);
    (void)fprintf(stream,
                  "  written     %.1f MB of journal, %.1f MB in %" PRIu64
                  " checkpoints (one a session in %u frames)\n",
                  (double)figures.journal_bytes / 1e6, (double)figures.checkpoint_bytes / 1e6,
                  figures.checkpoint_count, data->recovery.checkpoint_frames);
}

void erx_load_data_close(erx_load_data_t *data)
{
    if (data->engine != NULL)
        erx_engine_close_store(data->engine);
    erx_archive_close(data->archive);
    erx_data_directory_close(&data->directory);
}
