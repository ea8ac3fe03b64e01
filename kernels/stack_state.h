/* The recurrent state of an MLP world model (MLP.md 2): a ring of the last K
 * frames as its network sees them. All zero at the start. */
#ifndef ERX_KERNELS_STACK_STATE_H
#define ERX_KERNELS_STACK_STATE_H

#include "kernels/policy_net.h"

/* Bytes of the ring, a multiple of 64. */
size_t erx_stack_state_bytes(const erx_policy_shape_t *shape);

/* Puts the newest game state into the ring; the first one fills it. lane_out
 * is the ring as a lane of a batch, without controllers. state is 64-byte
 * aligned. */
void erx_stack_state_push(const erx_policy_image_t *image, const erx_world_t *world, uint8_t *state,
                          erx_policy_lane_t *lane_out);

/* Whether bytes from outside are such a state: what a ring's numbers could do. */
bool erx_stack_state_is_valid(const erx_policy_shape_t *shape, const uint8_t *state);

#endif
