/* States between the frames of a session that is stepped only once in several
 * ticks: what its watchers are told, one frame late, so that 15 frames a second
 * look like 60. The account itself changes with frames alone.
 *
 * Positions, speeds, percent and shield move in a straight line from one frame
 * to the next, in integers; everything else (also the frame's number) is that of
 * the earlier frame. */
#ifndef ERX_NODE_INTERPOLATION_H
#define ERX_NODE_INTERPOLATION_H

#include "node/common.h"

#define ERX_SESSION_STATE_SIZE 256u

/* One session. Its owner embeds it. */
typedef struct {
    uint32_t divisor;  /* ticks from frame to frame */
    uint64_t tick;     /* of the later frame */
    bool has_earlier;  /* there is a way to go; else later is what was told last */
    bool told_earlier; /* the way's beginning was told as it came */
    uint8_t earlier[ERX_SESSION_STATE_SIZE];
    uint8_t later[ERX_SESSION_STATE_SIZE];
} erx_interpolation_t;

/* The state that lies step / steps of the way from one to the other (step <=
 * steps, steps > 0), each number rounded to the nearest, halves away from the
 * earlier. At the whole way it is the later state in every byte. */
void erx_state_interpolate(const uint8_t earlier[ERX_SESSION_STATE_SIZE],
                           const uint8_t later[ERX_SESSION_STATE_SIZE], uint32_t step,
                           uint32_t steps, uint8_t state_out[ERX_SESSION_STATE_SIZE]);

/* Begins with a state that is told as it is. */
void erx_interpolation_start(erx_interpolation_t *interpolation_out, uint32_t divisor,
                             const uint8_t state[ERX_SESSION_STATE_SIZE]);

/* The account has a new state. True: it is to be told as it is, at once; it is
 * no frame that follows the last one of a session in play. False: it is told
 * on the way, by erx_interpolation_at. tick is the block's; is_tick says that it
 * has one. */
bool erx_interpolation_take(erx_interpolation_t *interpolation,
                            const uint8_t state[ERX_SESSION_STATE_SIZE], bool is_tick,
                            uint64_t tick);

/* What is to be told at a tick, after its frames; false: nothing new. */
bool erx_interpolation_at(erx_interpolation_t *interpolation, uint64_t tick,
                          uint8_t state_out[ERX_SESSION_STATE_SIZE]);

#endif
