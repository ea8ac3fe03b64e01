/* Writes seeds for fuzz_abi: a session's life, a machine at a gate, accounts that
 * are watched, and calls after everything is closed. */
#include "mem/base.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRANK 64u /* of a seal's value */

/* Calls of four bytes: which, handle, target or session, value. */
static const uint8_t life[] = {
    ERX_FUZZ_ABI_OPEN,
    0,
    0,
    3, //
    ERX_FUZZ_ABI_LOAD_MODEL,
    0,
    0,
    4, //
    ERX_FUZZ_ABI_START,
    0,
    0,
    0, //
    ERX_FUZZ_ABI_CREATE_SESSION,
    0,
    0,
    32, //
    31,
    8, // stage, frames
    ERX_FUZZ_ABI_INPUT,
    0,
    0,
    0, //
    80,
    0,
    0,
    0, // a controller
    0,
    0,
    0,
    0, //
    ERX_FUZZ_ABI_SEAL,
    0,
    0,
    CRANK + 2, //
    ERX_FUZZ_ABI_READ_SESSIONS,
    0,
    0,
    3, //
    ERX_FUZZ_ABI_EXPORT_SESSION,
    0,
    0,
    1, //
    ERX_FUZZ_ABI_SEAL,
    0,
    0,
    CRANK + 1, //
    ERX_FUZZ_ABI_CLOSE_SESSION,
    0,
    0,
    1, //
    ERX_FUZZ_ABI_SEAL,
    0,
    0,
    1, //
    ERX_FUZZ_ABI_CLOSE,
    0,
    0,
    0, //
};

static const uint8_t machine[] = {
    ERX_FUZZ_ABI_OPEN,
    0,
    0,
    3, //
    ERX_FUZZ_ABI_GATE_OPEN,
    0,
    1,
    2, //
    ERX_FUZZ_ABI_GATE_JOIN,
    1,
    2,
    0, //
    ERX_FUZZ_ABI_GATE_JOIN,
    1,
    3,
    0, //
    ERX_FUZZ_ABI_MATMUL,
    0,
    2,
    1, // with a seat
    7,
    9, // rows, columns
    ERX_FUZZ_ABI_GATE_REST,
    3,
    0,
    0, //
    ERX_FUZZ_ABI_MATMUL,
    0,
    0,
    2, // with sizes in memory
    0,
    0, //
    ERX_FUZZ_ABI_GATE_CLOSE,
    1,
    0,
    0, // too early
    ERX_FUZZ_ABI_GATE_LEAVE,
    2,
    0,
    0, //
    ERX_FUZZ_ABI_GATE_LEAVE,
    3,
    0,
    0, //
    ERX_FUZZ_ABI_GATE_CLOSE,
    1,
    0,
    0, //
};

static const uint8_t accounts[] = {
    ERX_FUZZ_ABI_OPEN,
    0,
    0,
    3, //
    ERX_FUZZ_ABI_START,
    0,
    0,
    0, //
    ERX_FUZZ_ABI_WATCH,
    0,
    1,
    4 + 64, // the key 0
    ERX_FUZZ_ABI_PUT_ACCOUNT,
    0,
    0,
    16, //
    1,
    99,
    1,
    2, // owner, lamports, data
    3,
    4,
    0, // flags
    ERX_FUZZ_ABI_SEAL,
    0,
    0,
    1, //
    ERX_FUZZ_ABI_WATCH_NEXT,
    1,
    0,
    0, //
    ERX_FUZZ_ABI_READ_ACCOUNTS,
    0,
    0,
    1, //
    0,
    0,
    0,
    0, // a filter
    0, //
    ERX_FUZZ_ABI_CHANGE_ACCOUNT,
    0,
    0,
    4, // lock
    ERX_FUZZ_ABI_SUBMIT,
    0,
    0,
    2, //
    1,
    2,
    3,
    4, // no packet
    ERX_FUZZ_ABI_CLOSE,
    0,
    0,
    0, // while it is watched
    ERX_FUZZ_ABI_WATCH_NEXT,
    1,
    0,
    0, //
    ERX_FUZZ_ABI_WATCH_CLOSE,
    1,
    0,
    0, //
};

static const uint8_t late[] = {
    ERX_FUZZ_ABI_OPEN,
    0,
    0,
    3, //
    ERX_FUZZ_ABI_SEAL,
    0,
    0,
    1, // before the start
    ERX_FUZZ_ABI_CLOSE,
    0,
    0,
    0, //
    ERX_FUZZ_ABI_CLOSE,
    0,
    0,
    0, // again
    ERX_FUZZ_ABI_START,
    0,
    0,
    0, //
    ERX_FUZZ_ABI_READ_ROLLUP,
    200,
    0,
    0, // a handle that is made up
    0,
    0,
    0,
    0, //
    0,
    0,
    0,
    9, //
    ERX_FUZZ_ABI_WATCH_CLOSE,
    130,
    0,
    0, // NULL
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
        FILE *file = fopen(arguments[i], "wb");
        if (file == NULL ||
            fwrite(seeds[which].bytes, 1, seeds[which].size, file) != seeds[which].size ||
            fclose(file) != 0) {
            (void)fprintf(stderr, "cannot write %s\n", arguments[i]);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
