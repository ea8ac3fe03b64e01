/* Traces: the controller inputs of recorded or scripted games, for rollouts
 * and load tests. Format ERXTRAC1, little-endian:
 *
 *   offset  bytes
 *   0       8       "ERXTRAC1"
 *   8       4       games, u32 (>= 1)
 *   12      4       frames of all games, u32
 *   16      12 g    for each game: first frame u32, frames u32 (>= 1), stage
 *                   u8, character of player 1 u8, of player 2 u8, zero u8
 *   16+12g  16 f    for each frame: the controllers of both players, 8 bytes
 *                   each (kernels/world.h)
 *
 * Valid iff the file has exactly this length, every game lies inside the
 * frames, no two games share a frame, stage < ERX_STAGES and characters <
 * ERX_CHARACTERS. Controllers may be any bytes. */
#ifndef ERX_TOOLS_TRACE_H
#define ERX_TOOLS_TRACE_H

#include "kernels/world.h"
#include "mem/status.h"

#define ERX_TRACE_MAGIC       "ERXTRAC1"
#define ERX_TRACE_MAGIC_BYTES 8u
#define ERX_TRACE_FRAME_BYTES ((size_t)ERX_PLAYERS * ERX_CONTROLLER_BYTES)
#define ERX_TRACE_GAMES_MAX   65536u
#define ERX_TRACE_FRAMES_MAX  (1u << 26) /* of all games: 12.9 days of play */

typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint32_t game_count;
    uint32_t frame_count; /* of all games */
    bool mapped;          /* bytes is a mapping that close undoes */
} erx_trace_t;

/* One game; controllers points into the trace. */
typedef struct {
    uint32_t frame_count;
    uint8_t stage;
    uint8_t characters[ERX_PLAYERS];
    const uint8_t *controllers; /* [frame_count][ERX_PLAYERS][ERX_CONTROLLER_BYTES] */
} erx_trace_game_t;

/* Checks bytes[0, size) and makes trace_out a view of it; the bytes must
 * outlive it. Allocates nothing that it keeps. Errors name the field:
 * ERX_ERR_FORMAT, ERX_ERR_RANGE, ERX_ERR_MEMORY. Any thread. */
erx_status_t erx_trace_read(const uint8_t *bytes, size_t size, erx_trace_t *trace_out,
                            erx_error_t *error);

/* Maps a file and reads it; errors are prefixed with its path. Close undoes
 * it. Errors: those of read, ERX_ERR_NOT_FOUND, ERX_ERR_IO. */
erx_status_t erx_trace_open(const char *path, erx_trace_t *trace_out, erx_error_t *error);

/* Unmaps; an all-zero trace is allowed. */
void erx_trace_close(erx_trace_t *trace);

/* Game k; k < game_count. */
erx_trace_game_t erx_trace_game(const erx_trace_t *trace, uint32_t k);

/* The controllers of a frame of the game. Past its end the game's inputs start
 * over. */
const uint8_t (*erx_trace_controllers(const erx_trace_game_t *game,
                                      uint64_t frame))[ERX_CONTROLLER_BYTES];

/* Writes games[0, count) as a trace file, atomically; "-" is the standard
 * output. Games that could not be read back are refused with the same errors. */
erx_status_t erx_trace_write(const char *path, const erx_trace_game_t *games, uint32_t count,
                             erx_error_t *error);

#endif
