/* The scalar reference of policies: POLICY.md 2 to 5 in code, one seat, one
 * value at a time, from the tensors as a directory stores them. */
#ifndef ERX_KERNELS_REF_POLICY_REF_H
#define ERX_KERNELS_REF_POLICY_REF_H

#include "kernels/policy_net.h"

/* Outputs in Q16 of player's seat after the game states frames[0, K), oldest
 * first. */
void erx_ref_policy(const erx_policy_tensors_t *tensors, const erx_world_t *frames, uint32_t player,
                    int32_t outputs[ERX_POLICY_OUTPUTS]);

/* Outputs in Q16 of a world model (MLP.md): 30 regressions, 1,020 logits.
 * control is applied now. */
void erx_ref_policy_world(const erx_policy_tensors_t *tensors, const erx_world_t *frames,
                          const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES],
                          int32_t outputs[ERX_REGRESSIONS + ERX_LOGITS]);

#endif
