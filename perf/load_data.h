/* The durable side of erx load: its data directory, its store, and what commits
 * cost. Without a directory every call is a success that does nothing. */
#ifndef ERX_PERF_LOAD_DATA_H
#define ERX_PERF_LOAD_DATA_H

#include "engine/archive.h"
#include "engine/data_directory.h"
#include "engine/engine.h"
#include "sched/histogram.h"
#include "tools/progress.h"

#include <jansson.h>
#include <stdio.h>

typedef struct {
    const char *directory; /* NULL: nothing is durable */
    const char *copy;      /* directory of the journal's second copy; NULL: the same */
    const char *archive;   /* NULL: none */
    bool resume;
    uint64_t journal_bytes;
    uint32_t checkpoint_frames; /* 0: as restart_ms asks */
    uint64_t restart_ms;
    erx_io_backend_t backend;
} erx_load_data_options_t;

typedef struct {
    const erx_load_data_options_t *options;
    erx_engine_t *engine;
    erx_data_directory_t directory;
    erx_archive_t *archive;
    erx_recovery_t recovery;
    erx_progress_t progress;
    uint64_t recovery_ns;
    uint64_t begin_ns;
    erx_histogram_t commits;
} erx_load_data_t;

/* Opens or makes the directory, recovers; blocks_out receives how many blocks
 * were there (0: a new start). Sessions that are there are refused unless
 * resume is set. data_out is zeroed. */
erx_status_t erx_load_data_open(erx_load_data_t *data, const erx_load_data_options_t *options,
                                erx_engine_t *engine, const char *model_directory,
                                uint64_t *blocks_out, erx_error_t *error);

/* Whether blocks can still be made durable. */
erx_status_t erx_load_data_health(const erx_load_data_t *data, erx_error_t *error);

/* Waits until all blocks are durable. Errors: those of health. */
erx_status_t erx_load_data_finish(erx_load_data_t *data, erx_error_t *error);

/* Whether the archive has every record; blocks are durable all the same. */
erx_status_t erx_load_data_archived(const erx_load_data_t *data, erx_error_t *error);

void erx_load_data_figures(const erx_load_data_t *data, json_t *value);
void erx_load_data_print(const erx_load_data_t *data, FILE *stream, double seconds);

void erx_load_data_close(erx_load_data_t *data);

#endif
