/* How well a policy imitates the players of recorded games. */
#ifndef ERX_TOOLS_POLICY_MEASURE_H
#define ERX_TOOLS_POLICY_MEASURE_H

#include "tools/policy_sample.h"
#include "tools/policy_score.h"

#include <stdio.h>

#define ERX_POLICY_Q16 65536.0

/* What the policy is set beside, and the policy. */
enum { ERX_GUESS_NEUTRAL, ERX_GUESS_REPEAT, ERX_GUESS_POLICY };
#define ERX_GUESSES 3u

extern const char *const erx_guess_names[ERX_GUESSES];

typedef struct {
    erx_policy_score_t scores[ERX_GUESSES];
    /* Cross-entropy an output, in nats: of the policy over all outputs, over the
     * buttons, and over the buttons of an observer that sees the last input only
     * and knows how often each button is pressed and released in these games. */
    double loss, button_loss, last_input_loss;
} erx_policy_measure_t;

/* Fills outputs[moment][ERX_POLICY_OUTPUTS] in Q16 for up to ERX_POLICY_GROUP
 * moments. */
typedef void (*erx_policy_answer_fn)(void *context, const erx_sequences_t *sequences,
                                     const erx_policy_sample_t *samples, uint32_t count,
                                     int32_t (*outputs)[ERX_POLICY_OUTPUTS]);

/* Measures an answerer, without chance, over samples[0, count). */
void erx_policy_measure(erx_policy_measure_t *measure_out, const erx_sequences_t *sequences,
                        const erx_policy_sample_t *samples, uint32_t count,
                        erx_policy_answer_fn answer, void *context);

/* The float policy as an answerer. */
typedef struct {
    const erx_policy_float_t *policy;
    erx_policy_pass_t pass;
} erx_policy_float_answerer_t;

erx_status_t erx_policy_float_answerer_open(erx_policy_float_answerer_t *answerer_out,
                                            const erx_policy_float_t *policy, erx_error_t *error);
void erx_policy_float_answerer_close(erx_policy_float_answerer_t *answerer);
void erx_policy_float_answer(void *context, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *samples, uint32_t count,
                             int32_t (*outputs)[ERX_POLICY_OUTPUTS]);

/* Puts the samples' inputs beside each other, as a pass reads them. */
void erx_policy_pass_load(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                          const erx_policy_sample_t *samples, uint32_t count,
                          const erx_policy_pass_t *pass);

/* A table for people, and the same for programs. */
void erx_policy_measure_print(const erx_policy_measure_t *measure, FILE *stream);
json_t *erx_policy_measure_json(const erx_policy_measure_t *measure);

/* What an output should have been, in [0, 1]: [ERX_POLICY_OUTPUTS]. */
void erx_policy_targets(const uint8_t control[ERX_CONTROLLER_BYTES], float *targets);

#endif
