/* What a policy is trained and measured on: for a seat of a recorded game, the
 * frames before a moment and what the player did then. */
#ifndef ERX_TOOLS_POLICY_SAMPLE_H
#define ERX_TOOLS_POLICY_SAMPLE_H

#include "tools/calibration_data.h"
#include "tools/policy_float.h"

typedef struct {
    uint32_t game;
    uint32_t frame; /* >= 1: what led to this frame is what the player did */
    uint8_t player;
    bool mirrored; /* left and right exchanged */
} erx_policy_sample_t;

/* Lists all moments of both seats of the games that are held out (is_test) or
 * of the others, every stride-th. The caller frees the list. Errors:
 * ERX_ERR_RANGE where there is none, ERX_ERR_MEMORY. */
erx_status_t erx_policy_samples_list(const erx_sequences_t *sequences, bool held_out,
                                     uint32_t stride, erx_policy_sample_t **samples_out,
                                     uint32_t *count_out, erx_error_t *error);

/* Frame k of the sample's context, oldest first, with its seat as player 0;
 * before the game's first frame that one is repeated. */
void erx_policy_sample_world(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                             uint32_t context, uint32_t k, erx_float_world_t *world_out);

/* The network's input: values[policy->input_width]. */
void erx_policy_sample_input(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *sample, float *values);

/* What the player did at the moment. */
void erx_policy_sample_answer(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                              uint8_t control_out[ERX_CONTROLLER_BYTES]);

/* The frame before it: what the player did then. */
void erx_policy_sample_before(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                              uint8_t control_out[ERX_CONTROLLER_BYTES]);

#endif
