/* What fuzz targets, their seed makers and the plain driver agree on. */
#ifndef ERX_TESTS_FUZZ_FUZZ_H
#define ERX_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The target, under the name that libFuzzer calls. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte of an input of fuzz_manifest. */
enum { ERX_FUZZ_MANIFEST_TEXT = 'T', ERX_FUZZ_MANIFEST_VALUES = 'V' };

/* First byte of an input of fuzz_transaction. */
enum {
    ERX_FUZZ_TRANSACTION_PACKET = 'P',
    ERX_FUZZ_TRANSACTION_TABLE = 'T',
    ERX_FUZZ_TRANSACTION_TEXT = 'B'
};

/* Calls of an input of fuzz_abi: each is one of these, which handle or session it
 * takes, where a new one goes, and a value; some read more bytes. */
enum {
    ERX_FUZZ_ABI_OPEN,
    ERX_FUZZ_ABI_LOAD_MODEL,
    ERX_FUZZ_ABI_START,
    ERX_FUZZ_ABI_CLOSE,
    ERX_FUZZ_ABI_SEAL,
    ERX_FUZZ_ABI_CREATE_SESSION,
    ERX_FUZZ_ABI_JOIN_SESSION,
    ERX_FUZZ_ABI_INPUT,
    ERX_FUZZ_ABI_CLOSE_SESSION,
    ERX_FUZZ_ABI_SEAT_BOT,
    ERX_FUZZ_ABI_EXPORT_SESSION,
    ERX_FUZZ_ABI_IMPORT_SESSION,
    ERX_FUZZ_ABI_READ_SESSIONS,
    ERX_FUZZ_ABI_PUT_ACCOUNT,
    ERX_FUZZ_ABI_CHANGE_ACCOUNT,
    ERX_FUZZ_ABI_READ_ACCOUNTS,
    ERX_FUZZ_ABI_WATCH,
    ERX_FUZZ_ABI_WATCH_NEXT,
    ERX_FUZZ_ABI_WATCH_CLOSE,
    ERX_FUZZ_ABI_GATE_OPEN,
    ERX_FUZZ_ABI_GATE_JOIN,
    ERX_FUZZ_ABI_GATE_REST,
    ERX_FUZZ_ABI_GATE_LEAVE,
    ERX_FUZZ_ABI_GATE_CLOSE,
    ERX_FUZZ_ABI_MATMUL,
    ERX_FUZZ_ABI_SUBMIT,
    ERX_FUZZ_ABI_SIMULATE,
    ERX_FUZZ_ABI_SIMULATION_CLOSE,
    ERX_FUZZ_ABI_READ_ROLLUP,
    ERX_FUZZ_ABI_CALLS /* how many there are */
};

#endif
