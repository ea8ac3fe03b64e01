/* What the players of a trace do: the figures that the scripted players are
 * made to share with real ones. */
#ifndef ERX_TOOLS_INPUT_STATISTICS_H
#define ERX_TOOLS_INPUT_STATISTICS_H

#include "tools/script.h"
#include "tools/trace.h"

#define ERX_INPUT_MOVES_MAX 16u

typedef struct {
    uint64_t frames; /* controller frames: two a frame of a game */
    uint64_t left;   /* full tilt to a side */
    uint64_t right;
    uint64_t light; /* a shoulder pressed without its click */
    uint64_t move_frames[ERX_INPUT_MOVES_MAX];
    uint64_t move_runs[ERX_INPUT_MOVES_MAX]; /* times that the stick came there */
    uint64_t press_frames[ERX_SCRIPT_PRESSES];
    uint64_t press_runs[ERX_SCRIPT_PRESSES];
} erx_input_statistics_t;

/* Adds a game's frames, each once; statistics begin all zero. */
void erx_input_statistics_add(erx_input_statistics_t *statistics, const erx_trace_game_t *game);

#endif
