/* A golden file of NUMERICS 11: inputs of a real game and the outputs that
 * another implementation of the arithmetic computed from them. */
#ifndef ERX_TESTS_ENGINE_GOLDEN_FILE_H
#define ERX_TESTS_ENGINE_GOLDEN_FILE_H

#include "kernels/world.h"
#include "tests/support/shared.h"

#define GOLDEN_FRAME_BYTES 4380u
/* What a frame gives of the world state: all but its padding. */
#define GOLDEN_WORLD_BYTES offsetof(erx_world_t, padding)

typedef struct {
    erx_shared_file_t file;
    uint32_t frame_count;
    uint32_t warm; /* frames [0, warm] are input; after it the loop is closed */
} golden_file_t;

/* One frame; pointers into the file, unaligned. */
typedef struct {
    const uint8_t *world;                           /* [GOLDEN_WORLD_BYTES] before the step */
    const uint8_t (*control)[ERX_CONTROLLER_BYTES]; /* applied now */
    const uint8_t *regressions;                     /* [ERX_REGRESSIONS] of 4 bytes */
    const uint8_t *logits;                          /* [ERX_LOGITS] of 4 bytes */
    uint64_t hash;                                  /* of the recurrent state after the step */
} golden_frame_t;

/* False, with a message, where the file is absent (support/shared.h). */
bool golden_file_open(const char *relative, golden_file_t *golden_out);

golden_frame_t golden_file_frame(const golden_file_t *golden, uint32_t frame);

void golden_file_close(golden_file_t *golden);

#endif
