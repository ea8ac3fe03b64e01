/* SQLite with a write-ahead log, synchronous = FULL: a transaction a record. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench_journal.h"

typedef struct {
    sqlite3 *database;
    sqlite3_stmt *insert;
    uint32_t slot_count;
} sqlite_state_t;

static void close_sqlite(void *opaque)
{
    sqlite_state_t *state = opaque;
    if (state != NULL) {
        (void)sqlite3_finalize(state->insert);
        (void)sqlite3_close(state->database);
    }
    free(state);
}

static erx_status_t refuse(const sqlite_state_t *state, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_IO, "SQLite: %s", sqlite3_errmsg(state->database));
}

static bool prepare(sqlite_state_t *state, const char *path)
{
    return sqlite3_open(path, &state->database) == SQLITE_OK &&
           sqlite3_exec(state->database,
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        "CREATE TABLE record (slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
                        NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(state->database, "INSERT OR REPLACE INTO record VALUES (?, ?)", -1,
                              &state->insert, NULL) == SQLITE_OK;
}

static erx_status_t open_sqlite(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/sqlite", plan->directory);
    sqlite_state_t *state = calloc(1, sizeof *state);
    if (state == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory");
    state->slot_count = plan->slot_count;
    if (!prepare(state, path)) {
        erx_status_t status = refuse(state, error);
        close_sqlite(state);
        return status;
    }
    *state_out = state;
    return ERX_OK;
}

static erx_status_t commit_sqlite(void *opaque, const erx_record_t *record,
                                  erx_histogram_t *latency, erx_error_t *error)
{
    (void)latency;
    sqlite_state_t *state = opaque;
    bool done =
        sqlite3_bind_int64(state->insert, 1,
                           (sqlite3_int64)(record->sequence % state->slot_count)) == SQLITE_OK &&
        sqlite3_bind_blob(state->insert, 2, record, (int)record->length, SQLITE_STATIC) ==
            SQLITE_OK &&
        sqlite3_step(state->insert) == SQLITE_DONE;
    return sqlite3_reset(state->insert) == SQLITE_OK && done ? ERX_OK : refuse(state, error);
}

static erx_status_t check_sqlite(void *opaque, const erx_record_t *record, erx_error_t *error)
{
    sqlite_state_t *state = opaque;
    sqlite3_stmt *select;
    if (sqlite3_prepare_v2(state->database, "SELECT bytes FROM record WHERE slot = ?", -1, &select,
                           NULL) != SQLITE_OK)
        return refuse(state, error);
    bool same =
        sqlite3_bind_int64(select, 1, (sqlite3_int64)(record->sequence % state->slot_count)) ==
            SQLITE_OK &&
        sqlite3_step(select) == SQLITE_ROW &&
        sqlite3_column_bytes(select, 0) == (int)record->length &&
        memcmp(sqlite3_column_blob(select, 0), record, record->length) == 0;
    (void)sqlite3_finalize(select);
    return same ? ERX_OK : erx_rival_differs("SQLite", error);
}

const erx_rival_t erx_rival_sqlite = {
    .name = "SQLite, WAL, FULL",
    .copies = 1,
    .open = open_sqlite,
    .commit = commit_sqlite,
    .check = check_sqlite,
    .close = close_sqlite,
};
