/* Games that follow a rule, and a small policy trained on them: what tests of
 * training, quantizing and playing begin with. */
#ifndef ERX_TESTS_TOOLS_POLICY_TRIAL_H
#define ERX_TESTS_TOOLS_POLICY_TRIAL_H

#include "tools/imitate_train.h"
#include "tools/policy_checkpoint.h"

#define POLICY_TRIAL_FRAMES 1500u /* of a game */

extern const erx_policy_shape_t policy_trial_shape;

/* Writes games in which a player who was on the ground in the frame before
 * presses A with the stick up, and nothing else happens on purpose: a rule that
 * holds mirrored too. Every other game is a test game. */
void policy_trial_games(const char *path);

/* A policy of policy_trial_shape after so many steps. The caller closes it. */
void policy_trial_train(const erx_sequences_t *sequences, uint64_t seed, uint32_t steps,
                        uint32_t threads, erx_parameters_t *checkpoint_out);

#endif
