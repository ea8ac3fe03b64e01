/* Verification: re-executes what a data directory or an archive holds and
 * compares every hash that was recorded: frame hashes of every session, and the
 * states of checkpoints that re-execution passes. Changes nothing. */
#ifndef ERX_ENGINE_AUDIT_H
#define ERX_ENGINE_AUDIT_H

#include "engine/archive.h"
#include "engine/engine.h"

typedef struct {
    uint64_t first_sequence; /* records that were re-executed */
    uint64_t last_sequence;
    uint64_t frames;  /* that were re-executed */
    uint64_t damaged; /* records that one copy of the journal has lost */
} erx_audit_t;

typedef void (*erx_audit_progress_fn)(void *context, uint64_t done, uint64_t total);

/* Loads the models of a directory (of data or an archive) into an engine that
 * has none. Errors: those of loading; ERX_ERR_HASH where a model's files are not
 * the ones that the directory was made for. */
erx_status_t erx_audit_load(erx_engine_t *engine, const erx_data_directory_t *data,
                            erx_error_t *error);

/* Re-executes from the oldest checkpoints. data is open with its lock held.
 * Errors: ERX_ERR_DIFFERS (names record, block and session), ERX_ERR_HASH. */
erx_status_t erx_audit_data(erx_engine_t *engine, const erx_data_directory_t *data,
                            erx_audit_progress_fn progress, void *context, erx_audit_t *audit_out,
                            erx_error_t *error);

/* Re-executes an archive from its first record. total of progress is 0. */
erx_status_t erx_audit_archive(erx_engine_t *engine, const erx_data_directory_t *data,
                               erx_audit_progress_fn progress, void *context,
                               erx_audit_t *audit_out, erx_error_t *error);

#endif
