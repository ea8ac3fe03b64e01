/* The plain ways: one copy, written at its place in a zero-filled O_DIRECT file
 * by the thread that has the record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/data_file.h"
#include "perf/bench_journal.h"

typedef struct {
    erx_data_file_t file;
    int flags; /* of pwritev2 */
} file_state_t;

static void close_file(void *opaque)
{
    file_state_t *state = opaque;
    if (state != NULL)
        erx_data_file_close(&state->file);
    free(state);
}

static erx_status_t open_file(const erx_rival_plan_t *plan, const char *name, int flags,
                              void **state_out, erx_error_t *error)
{
    file_state_t *state = calloc(1, sizeof *state);
    if (state == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory");
    state->flags = flags;
    erx_status_t status =
        erx_data_file_create(plan->directory, name, (uint64_t)plan->record_bytes * plan->slot_count,
                             NULL, NULL, &state->file, error);
    if (status != ERX_OK) {
        free(state);
        return status;
    }
    *state_out = state;
    return ERX_OK;
}

static erx_status_t open_sync(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    return open_file(plan, "sync", 0, state_out, error);
}

static erx_status_t open_dsync(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    return open_file(plan, "dsync", RWF_DSYNC, state_out, error);
}

static erx_status_t commit_file(void *opaque, const erx_record_t *record, erx_histogram_t *latency,
                                erx_error_t *error)
{
    (void)latency;
    file_state_t *state = opaque;
    const struct iovec vector = {(void *)(uintptr_t)record, record->length};
    ssize_t count =
        pwritev2(state->file.descriptor, &vector, 1, (off_t)record->offset, state->flags);
    if (count == (ssize_t)record->length &&
        (state->flags != 0 || fdatasync(state->file.descriptor) == 0))
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_IO, "%s: cannot write: %s", state->file.path,
                         strerror(errno));
}

static erx_status_t check_file(void *opaque, const erx_record_t *record, erx_error_t *error)
{
    file_state_t *state = opaque;
    void *read = aligned_alloc(ERX_IO_ALIGNMENT, record->length);
    bool same = read != NULL &&
                pread(state->file.descriptor, read, record->length, (off_t)record->offset) ==
                    (ssize_t)record->length &&
                memcmp(read, record, record->length) == 0;
    free(read);
    return same ? ERX_OK : erx_rival_differs(state->file.path, error);
}

const erx_rival_t erx_rival_sync = {
    .name = "pwritev2 + fdatasync",
    .copies = 1,
    .open = open_sync,
    .commit = commit_file,
    .check = check_file,
    .close = close_file,
};

const erx_rival_t erx_rival_dsync = {
    .name = "pwritev2 RWF_DSYNC",
    .copies = 1,
    .open = open_dsync,
    .commit = commit_file,
    .check = check_file,
    .close = close_file,
};
