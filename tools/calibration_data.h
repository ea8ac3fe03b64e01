/* Sequences of real games: full states and controllers frame by frame, for
 * calibration and fidelity. A safetensors file; rows of all games one after
 * the other, game g being rows game_off[g] to game_off[g + 1]:
 *
 *   game_off    I64 [games + 1]
 *   cont        F32 [frames][2][13]  game units, order of NUMERICS 1
 *   binary      U8  [frames][2][3]   0 or 1
 *   cat         I16 [frames][2][7]   below the counts of erx_category_counts
 *   ctrl        U8  [frames][2][8]   controllers that led to the frame
 *   stage       I16 [games]
 *   is_test     U8  [games]          1: not used for training, nor calibration
 *   has_hitlag  U8  [games]          not read
 *
 * Valid iff all but has_hitlag are there in these shapes and every value is in
 * its range. */
#ifndef ERX_TOOLS_CALIBRATION_DATA_H
#define ERX_TOOLS_CALIBRATION_DATA_H

#include "tools/file_map.h"
#include "tools/float_step.h"
#include "tools/safetensors.h"

typedef struct {
    uint32_t first; /* row */
    uint32_t frame_count;
    uint16_t stage;
    bool is_test;
} erx_sequence_t;

typedef struct {
    erx_file_map_t map;
    erx_safetensors_t file;
    erx_sequence_t *games; /* owned */
    uint32_t game_count;
    uint32_t frame_count; /* of all games */
    const uint8_t *continuous;
    const uint8_t *binary;
    const uint8_t *category;
    const uint8_t *control;
} erx_sequences_t;

/* Maps and checks a file. Errors name the file, the tensor and the row. On
 * success the caller closes it; on failure it is all zero. */
erx_status_t erx_sequences_open(erx_sequences_t *sequences_out, const char *path,
                                erx_error_t *error);

/* An all-zero object is allowed. */
void erx_sequences_close(erx_sequences_t *sequences);

/* State of a frame of a game; any thread. */
void erx_sequences_world(const erx_sequences_t *sequences, const erx_sequence_t *game,
                         uint32_t frame, erx_float_world_t *world_out);

/* Controllers that led to a frame: [ERX_PLAYERS]. Those applied at frame t are
 * the ones of t + 1. */
const uint8_t (*erx_sequences_control(const erx_sequences_t *sequences, const erx_sequence_t *game,
                                      uint32_t frame))[ERX_CONTROLLER_BYTES];

#endif
