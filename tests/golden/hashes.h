/* A committed file of golden hashes (README.md). */
#ifndef ERX_TESTS_GOLDEN_HASHES_H
#define ERX_TESTS_GOLDEN_HASHES_H

#include "mem/base.h"

#define HASHES_FRAMES 300u

typedef struct {
    uint32_t game; /* of the trace */
    uint64_t expected[HASHES_FRAMES];
} hashes_t;

/* Reads the file of a game from a directory; fails the test where it is not
 * exactly HASHES_FRAMES lines of consecutive frames from 1 on. */
void hashes_read(const char *directory, uint32_t game, hashes_t *hashes_out);

#endif
