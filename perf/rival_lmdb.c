/* LMDB, as it comes: a transaction a record, synchronous. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench_journal.h"

/* Beside the records: old pages live on until nobody reads them. */
#define MAP_SPARE ((size_t)256 << 20)

typedef struct {
    MDB_env *environment;
    MDB_dbi table;
    uint32_t slot_count;
} lmdb_state_t;

static erx_status_t refuse(int result, erx_error_t *error)
{
    return result == 0 ? ERX_OK
                       : erx_error_set(error, ERX_ERR_IO, "LMDB: %s", mdb_strerror(result));
}

static void close_lmdb(void *opaque)
{
    lmdb_state_t *state = opaque;
    if (state != NULL && state->environment != NULL)
        mdb_env_close(state->environment);
    free(state);
}

static int create_table(lmdb_state_t *state)
{
    MDB_txn *transaction;
    int result = mdb_txn_begin(state->environment, NULL, 0, &transaction);
    if (result != 0)
        return result;
    result = mdb_dbi_open(transaction, NULL, MDB_INTEGERKEY, &state->table);
    if (result == 0)
        return mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return result;
}

static erx_status_t open_lmdb(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/lmdb", plan->directory);
    lmdb_state_t *state = calloc(1, sizeof *state);
    if (state == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory");
    state->slot_count = plan->slot_count;
    int result = mdb_env_create(&state->environment);
    if (result == 0)
        result = mdb_env_set_mapsize(state->environment,
                                     (size_t)plan->record_bytes * plan->slot_count * 2 + MAP_SPARE);
    if (result == 0)
        result = mdb_env_open(state->environment, path, MDB_NOSUBDIR, 0600);
    if (result == 0)
        result = create_table(state);
    if (result != 0) {
        close_lmdb(state);
        return refuse(result, error);
    }
    *state_out = state;
    return ERX_OK;
}

static erx_status_t commit_lmdb(void *opaque, const erx_record_t *record, erx_histogram_t *latency,
                                erx_error_t *error)
{
    (void)latency;
    lmdb_state_t *state = opaque;
    size_t slot = record->sequence % state->slot_count;
    MDB_val key = {sizeof slot, &slot};
    MDB_val value = {record->length, (void *)(uintptr_t)record};
    MDB_txn *transaction;
    int result = mdb_txn_begin(state->environment, NULL, 0, &transaction);
    if (result != 0)
        return refuse(result, error);
    result = mdb_put(transaction, state->table, &key, &value, 0);
    if (result == 0)
        return refuse(mdb_txn_commit(transaction), error);
    mdb_txn_abort(transaction);
    return refuse(result, error);
}

static erx_status_t check_lmdb(void *opaque, const erx_record_t *record, erx_error_t *error)
{
    lmdb_state_t *state = opaque;
    size_t slot = record->sequence % state->slot_count;
    MDB_val key = {sizeof slot, &slot};
    MDB_val value;
    MDB_txn *transaction;
    int result = mdb_txn_begin(state->environment, NULL, MDB_RDONLY, &transaction);
    if (result != 0)
        return refuse(result, error);
    result = mdb_get(transaction, state->table, &key, &value);
    bool same = result == 0 && value.mv_size == record->length &&
                memcmp(value.mv_data, record, record->length) == 0;
    mdb_txn_abort(transaction);
    return same ? ERX_OK : erx_rival_differs("LMDB", error);
}

const erx_rival_t erx_rival_lmdb = {
    .name = "LMDB",
    .copies = 1,
    .open = open_lmdb,
    .commit = commit_lmdb,
    .check = check_lmdb,
    .close = close_lmdb,
};
