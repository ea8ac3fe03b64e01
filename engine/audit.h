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

typedef struct {
    erx_engine_t *engine;
    const erx_data_directory_t *data; /* of data or an archive */
    /* May be NULL. total is 0 where it is unknown. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
    erx_accounts_t *accounts; /* opened by load, where the directory has some */
    erx_store_bind_fn bind;   /* NULL: a model that arrived later is an error */
    void *bind_context;
} erx_audit_plan_t;

/* Loads the models of the directory into the plan's engine, which has none, and
 * opens the table of accounts. Errors: those of loading; ERX_ERR_HASH where a
 * model's files are not the ones that the directory was made for. */
erx_status_t erx_audit_load(erx_audit_plan_t *plan, erx_error_t *error);

/* Re-executes from the oldest checkpoints. data is open with its lock held.
 * Errors: ERX_ERR_DIFFERS (names record, block and session), ERX_ERR_HASH. */
erx_status_t erx_audit_data(const erx_audit_plan_t *plan, erx_audit_t *audit_out,
                            erx_error_t *error);

/* Re-executes an archive from its first record. */
erx_status_t erx_audit_archive(const erx_audit_plan_t *plan, erx_audit_t *audit_out,
                               erx_error_t *error);

/* Closes the table of accounts. */
void erx_audit_unload(erx_audit_plan_t *plan);

#endif
