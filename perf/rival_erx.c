/* The engine's own way: the commit machine, on its thread, with two copies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/commit.h"
#include "engine/data_file.h"
#include "perf/bench_journal.h"

#define STAGES 1u /* the machine wants one; no checkpoint is written */

typedef struct {
    erx_commit_t *commit;
    erx_io_t *io;
    bool started;
    uint32_t slot_count;
    uint64_t submitted;
    uint64_t collected;
    erx_data_file_t files[ERX_JOURNAL_COPIES];
} erx_state_t;

static void close_erx(void *opaque)
{
    erx_state_t *state = opaque;
    if (state == NULL)
        return;
    if (state->started)
        erx_commit_stop(state->commit);
    erx_io_close(state->io);
    erx_commit_close(state->commit);
    for (uint32_t i = 0; i < ERX_JOURNAL_COPIES; i++)
        erx_data_file_close(&state->files[i]);
    free(state);
}

static erx_status_t start(erx_state_t *state, const erx_rival_plan_t *plan,
                          erx_io_backend_t backend, erx_error_t *error)
{
    const erx_commit_plan_t commit_plan = {.record_bytes = plan->record_bytes,
                                           .stage_bytes = ERX_IO_ALIGNMENT,
                                           .stage_count = STAGES,
                                           .threaded = true};
    erx_status_t status = erx_commit_open(&commit_plan, &state->commit, error);
    erx_io_file_t files[ERX_JOURNAL_COPIES];
    for (uint32_t i = 0; status == ERX_OK && i < ERX_JOURNAL_COPIES; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "journal-%d-%u", (int)backend, i);
        status = erx_data_file_create(plan->directory, name,
                                      (uint64_t)plan->record_bytes * plan->slot_count, NULL, NULL,
                                      &state->files[i], error);
        files[i] = erx_data_file_io(&state->files[i]);
    }
    if (status != ERX_OK)
        return status;
    const erx_io_buffer_t memory = erx_commit_memory(state->commit);
    const erx_io_config_t config = {.backend = backend,
                                    .file_count = ERX_JOURNAL_COPIES,
                                    .buffer_count = 1,
                                    .files = files,
                                    .buffers = &memory};
    char note[ERX_IO_NOTE_MAX];
    status = erx_io_open(NULL, &config, &state->io, note, error);
    if (status != ERX_OK)
        return status;
    if (note[0] != '\0')
        (void)fprintf(stderr, "erx bench: %s\n", note);
    status = erx_commit_start(state->commit, state->io, 0, error);
    state->started = status == ERX_OK;
    return status;
}

static erx_status_t open_erx(const erx_rival_plan_t *plan, erx_io_backend_t backend,
                             void **state_out, erx_error_t *error)
{
    erx_state_t *state = calloc(1, sizeof *state);
    if (state == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory");
    state->slot_count = plan->slot_count;
    erx_status_t status = start(state, plan, backend, error);
    if (status != ERX_OK) {
        close_erx(state);
        return status;
    }
    *state_out = state;
    return ERX_OK;
}

static erx_status_t open_uring(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    return open_erx(plan, ERX_IO_AUTO, state_out, error);
}

static erx_status_t open_plain(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    return open_erx(plan, ERX_IO_PLAIN, state_out, error);
}

static void collect(erx_state_t *state, erx_histogram_t *latency)
{
    erx_committed_t committed;
    while (erx_commit_collect_record(state->commit, &committed)) {
        erx_histogram_add(latency, committed.commit_ns, 1);
        state->collected++;
    }
}

static erx_status_t commit_erx(void *opaque, const erx_record_t *record, erx_histogram_t *latency,
                               erx_error_t *error)
{
    erx_state_t *state = opaque;
    erx_record_t *place;
    collect(state, latency);
    while ((place = erx_commit_next_record(state->commit)) == NULL) {
        erx_status_t status = erx_commit_health(state->commit, error);
        if (status != ERX_OK)
            return status;
        erx_commit_wait(state->commit);
        collect(state, latency);
    }
    memcpy(place, record, record->length);
    erx_commit_submit_record(state->commit);
    state->submitted++;
    return ERX_OK;
}

static erx_status_t drain_erx(void *opaque, erx_histogram_t *latency, erx_error_t *error)
{
    erx_state_t *state = opaque;
    collect(state, latency);
    while (state->collected < state->submitted) {
        erx_status_t status = erx_commit_health(state->commit, error);
        if (status != ERX_OK)
            return status;
        erx_commit_wait(state->commit);
        collect(state, latency);
    }
    return ERX_OK;
}

static erx_status_t check_erx(void *opaque, const erx_record_t *record, erx_error_t *error)
{
    erx_state_t *state = opaque;
    void *read = aligned_alloc(ERX_IO_ALIGNMENT, record->length);
    bool same = read != NULL;
    for (uint32_t copy = 0; same && copy < ERX_JOURNAL_COPIES; copy++)
        same = erx_io_read(state->io, copy, record->offset, read, record->length) == 0 &&
               memcmp(read, record, record->length) == 0;
    free(read);
    return same ? ERX_OK : erx_rival_differs("the journal", error);
}

const erx_rival_t erx_rival_uring = {
    .name = "erx, io_uring",
    .copies = ERX_JOURNAL_COPIES,
    .open = open_uring,
    .commit = commit_erx,
    .drain = drain_erx,
    .check = check_erx,
    .close = close_erx,
};

const erx_rival_t erx_rival_plain = {
    .name = "erx, pwritev2",
    .copies = ERX_JOURNAL_COPIES,
    .open = open_plain,
    .commit = commit_erx,
    .drain = drain_erx,
    .check = check_erx,
    .close = close_erx,
};
