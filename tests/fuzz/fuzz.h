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

#endif
