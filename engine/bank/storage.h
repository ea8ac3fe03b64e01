/* A runtime's storage: the data directory with its store and archive, and which
 * of an embedder's blocks are durable.
 *
 * Thread rule: the control thread; erx_storage_health any. */
#ifndef ERX_ENGINE_BANK_STORAGE_H
#define ERX_ENGINE_BANK_STORAGE_H

#include "engine/bank/runtime.h"

typedef struct erx_storage erx_storage_t;

/* Opens or makes the data directory of a runtime whose models are loaded, and
 * recovers sessions and accounts. Errors: those of data directories, archives
 * and stores. */
erx_status_t erx_storage_open(erx_runtime_t *runtime, erx_storage_t **storage_out,
                              erx_runtime_recovery_t *recovery_out, erx_error_t *error);

/* A block was executed: its records are on their way. NULL is allowed. */
void erx_storage_sealed(erx_storage_t *storage, uint64_t slot);

/* Waits until everything is durable. */
erx_status_t erx_storage_sync(erx_storage_t *storage, erx_error_t *error);

/* ERX_OK, or why nothing more is durable; the first who finds out tells the
 * embedder. Any thread. */
erx_status_t erx_storage_health(erx_storage_t *storage, erx_error_t *error);

/* While no frame executes. NULL is allowed. */
erx_storage_figures_t erx_storage_figures(const erx_storage_t *storage);

/* Waits as sync does, claims what is durable, closes. NULL is allowed. Returns
 * why the storage had failed, or else why the archive had. */
erx_status_t erx_storage_close(erx_storage_t *storage, erx_error_t *error);

#endif
