/* Writes seeds for fuzz_abi: a session's life, a machine at a gate, accounts that
 * are watched, and calls after everything is closed. */
#include "mem/base.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRANK 64u /* of a seal's value */

/* A call, and one that reads more bytes. */
#define CALL(name, handle, where, value)           ERX_FUZZ_ABI_##name, handle, where, value
#define CALL_WITH(name, handle, where, value, ...) CALL(name, handle, where, value), __VA_ARGS__

#define MADE_UP                                    200 /* for a handle: its eight bytes follow */
#define NOBODY                                     130 /* for a handle: NULL */

static const uint8_t life[] = {
    CALL(OPEN, 0, 0, 3),
    CALL(LOAD_MODEL, 0, 0, 4),
    CALL(START, 0, 0, 0),
    CALL_WITH(CREATE_SESSION, 0, 0, 32, 31, 8), /* stage, frames */
    CALL_WITH(INPUT, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0),
    CALL(SEAL, 0, 0, CRANK + 2),
    CALL(READ_SESSIONS, 0, 0, 3),
    CALL(EXPORT_SESSION, 0, 0, 1),
    CALL(SEAL, 0, 0, CRANK + 1),
    CALL(CLOSE_SESSION, 0, 0, 1),
    CALL(SEAL, 0, 0, 1),
    CALL(CLOSE, 0, 0, 0),
};

static const uint8_t machine[] = {
    CALL(OPEN, 0, 0, 3),       CALL(GATE_OPEN, 0, 1, 2),         CALL(GATE_JOIN, 1, 2, 0),
    CALL(GATE_JOIN, 1, 3, 0),  CALL_WITH(MATMUL, 0, 2, 1, 7, 9), /* with a seat; rows, columns */
    CALL(GATE_REST, 3, 0, 0),  CALL_WITH(MATMUL, 0, 0, 2, 0, 0), /* with sizes in memory */
    CALL(GATE_CLOSE, 1, 0, 0),                                   /* too early */
    CALL(GATE_LEAVE, 2, 0, 0), CALL(GATE_LEAVE, 3, 0, 0),        CALL(GATE_CLOSE, 1, 0, 0),
};

static const uint8_t accounts[] = {
    CALL(OPEN, 0, 0, 3),
    CALL(START, 0, 0, 0),
    CALL(WATCH, 0, 1, 64 + 4),
    CALL_WITH(PUT_ACCOUNT, 0, 0, 16, 1, 99, 1, 2, 3, 4, 0),
    CALL(SEAL, 0, 0, 1),
    CALL(WATCH_NEXT, 1, 0, 0),
    CALL_WITH(READ_ACCOUNTS, 0, 0, 1, 0, 0, 0, 0, 0),
    CALL(CHANGE_ACCOUNT, 0, 0, 4),
    CALL_WITH(SUBMIT, 0, 0, 2, 1, 2, 3, 4), /* no packet */
    CALL(CLOSE, 0, 0, 0),                   /* while it is watched */
    CALL(WATCH_NEXT, 1, 0, 0),
    CALL(WATCH_CLOSE, 1, 0, 0),
};

static const uint8_t late[] = {
    CALL(OPEN, 0, 0, 3),
    CALL(SEAL, 0, 0, 1), /* before the start */
    CALL(CLOSE, 0, 0, 0),
    CALL(CLOSE, 0, 0, 0),
    CALL(START, 0, 0, 0),
    CALL_WITH(READ_ROLLUP, MADE_UP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
    CALL(WATCH_CLOSE, NOBODY, 0, 0),
};

int main(int argument_count, char **arguments)
{
    const struct {
        const uint8_t *bytes;
        size_t size;
    } seeds[] = {
        {life, sizeof life},
        {machine, sizeof machine},
        {accounts, sizeof accounts},
        {late, sizeof late},
    };
    for (int i = 1; i < argument_count; i++) {
        size_t which = (size_t)(i - 1) % ERX_COUNT(seeds);
        erx_file_write(arguments[i], seeds[which].bytes, seeds[which].size);
    }
    return EXIT_SUCCESS;
}
