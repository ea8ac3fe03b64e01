/* Whole scripted games: stage, characters and both players' inputs. */
#ifndef ERX_TOOLS_SCRIPT_GAME_H
#define ERX_TOOLS_SCRIPT_GAME_H

#include "tools/trace.h"

/* Writes frame_count frames of game number `game` of a seed into
 * controllers[frame_count * ERX_TRACE_FRAME_BYTES] and returns the game over
 * them. Equal arguments give equal games; a longer game begins with the
 * shorter one. Stages go round the six legal ones; characters are drawn from
 * those that the recorded matches are played with. */
erx_trace_game_t erx_script_game(uint64_t seed, uint32_t game, uint32_t frame_count,
                                 uint8_t *controllers);

#endif
