#include "tools/policy_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX 30000.0 /* in Q16 still far inside 32 bits, and beyond any sigmoid */

const char *const erx_guess_names[ERX_GUESSES] = {"nothing pressed", "last input again", "policy"};

void erx_policy_targets(const uint8_t control[ERX_CONTROLLER_BYTES], float *targets)
{
    int16_t features[ERX_POLICY_OUTPUTS];
    erx_world_control_features(control, features);
    for (uint32_t i = 0; i < ERX_POLICY_OUTPUTS; i++)
        targets[i] = (float)features[i] / (i < ERX_POLICY_ANALOGS ? 128.0f * 255.0f : 16384.0f);
}

/* -log of the probability that a logit gives to a target in [0, 1]. */
static double cross_entropy(double logit, double target)
{
    return fmax(logit, 0.0) - logit * target + log1p(exp(-fabs(logit)));
}

static void add_loss(erx_policy_measure_t *measure, const int32_t *outputs, const float *targets)
{
    for (uint32_t k = 0; k < ERX_POLICY_OUTPUTS; k++) {
        double loss = cross_entropy(outputs[k] / ERX_POLICY_Q16, (double)targets[k]);
        measure->loss += loss;
        measure->button_loss += k < ERX_POLICY_ANALOGS ? 0.0 : loss;
    }
}

/* Moments by what a button was and what it became. */
typedef struct {
    uint64_t counts[ERX_POLICY_BUTTONS][2][2];
} turns_t;

static void count_turns(turns_t *turns, const float *before, const float *now)
{
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++)
        turns->counts[i][before[ERX_POLICY_ANALOGS + i] > 0.5f]
                     [now[ERX_POLICY_ANALOGS + i] > 0.5f]++;
}

/* What remains to be known of the buttons when the last input is known. */
static double last_input_loss(const turns_t *turns)
{
    double sum = 0.0, moments = 0.0;
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++)
        for (uint32_t was = 0; was < 2; was++) {
            const uint64_t *counts = turns->counts[i][was];
            double all = (double)(counts[0] + counts[1]);
            for (uint32_t is = 0; is < 2; is++)
                if (counts[is] > 0)
                    sum -= (double)counts[is] * log((double)counts[is] / all);
            moments += all;
        }
    return moments > 0.0 ? sum / moments : 0.0;
}

void erx_policy_measure(erx_policy_measure_t *measure_out, const erx_sequences_t *sequences,
                        const erx_policy_sample_t *samples, uint32_t count,
                        erx_policy_answer_fn answer, void *context)
{
    static const uint8_t neutral[ERX_CONTROLLER_BYTES];
    int32_t outputs[ERX_POLICY_GROUP][ERX_POLICY_OUTPUTS];
    turns_t turns = {0};
    *measure_out = (erx_policy_measure_t){0};
    for (uint32_t first = 0; first < count; first += ERX_POLICY_GROUP) {
        uint32_t some = ERX_MIN(count - first, ERX_POLICY_GROUP);
        answer(context, sequences, samples + first, some, outputs);
        for (uint32_t i = 0; i < some; i++) {
            uint8_t truth[ERX_CONTROLLER_BYTES], before[ERX_CONTROLLER_BYTES];
            uint8_t guess[ERX_CONTROLLER_BYTES];
            float targets[ERX_POLICY_OUTPUTS], old[ERX_POLICY_OUTPUTS];
            erx_policy_sample_answer(sequences, &samples[first + i], truth);
            erx_policy_sample_before(sequences, &samples[first + i], before);
            erx_policy_decide(outputs[i], before, NULL, guess);
            const uint8_t *guesses[ERX_GUESSES] = {neutral, before, guess};
            for (uint32_t g = 0; g < ERX_GUESSES; g++)
                erx_policy_score_add(&measure_out->scores[g], guesses[g], truth, before);
            erx_policy_targets(truth, targets);
            erx_policy_targets(before, old);
            count_turns(&turns, old, targets);
            add_loss(measure_out, outputs[i], targets);
        }
    }
    measure_out->loss /= (double)ERX_MAX(count, 1u) * ERX_POLICY_OUTPUTS;
    measure_out->button_loss /= (double)ERX_MAX(count, 1u) * ERX_POLICY_BUTTONS;
    measure_out->last_input_loss = last_input_loss(&turns);
}

erx_status_t erx_policy_float_answerer_open(erx_policy_float_answerer_t *answerer_out,
                                            const erx_policy_float_t *policy, erx_error_t *error)
{
    *answerer_out = (erx_policy_float_answerer_t){.policy = policy};
    return erx_policy_pass_open(&answerer_out->pass, policy, error);
}

void erx_policy_float_answerer_close(erx_policy_float_answerer_t *answerer)
{
    erx_policy_pass_close(&answerer->pass);
}

void erx_policy_pass_load(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                          const erx_policy_sample_t *samples, uint32_t count,
                          const erx_policy_pass_t *pass)
{
    float values[ERX_POLICY_WIDTH_MAX + ERX_POLICY_CONTEXT_MAX * ERX_POLICY_WIDE];
    memset(pass->input, 0, (size_t)policy->input_width * ERX_POLICY_GROUP * sizeof(float));
    for (uint32_t s = 0; s < count; s++) {
        erx_policy_sample_input(policy, sequences, &samples[s], values);
        for (uint32_t i = 0; i < policy->input_width; i++)
            pass->input[(size_t)i * ERX_POLICY_GROUP + s] = values[i];
    }
}

void erx_policy_float_answer(void *context, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *samples, uint32_t count,
                             int32_t (*outputs)[ERX_POLICY_OUTPUTS])
{
    const erx_policy_float_answerer_t *answerer = context;
    erx_policy_pass_load(answerer->policy, sequences, samples, count, &answerer->pass);
    erx_policy_float_run(answerer->policy, &answerer->pass);
    for (uint32_t s = 0; s < count; s++)
        for (uint32_t k = 0; k < ERX_POLICY_OUTPUTS; k++) {
            double value = (double)answerer->pass.output[k * ERX_POLICY_GROUP + s];
            value = fmin(fmax(value, -OUTPUT_MAX), OUTPUT_MAX);
            outputs[s][k] = (int32_t)lrint(value * ERX_POLICY_Q16);
        }
}

void erx_policy_measure_print(const erx_policy_measure_t *measure, FILE *stream)
{
    (void)fprintf(stream, "%-18s", "");
    for (uint32_t g = 0; g < ERX_GUESSES; g++)
        (void)fprintf(stream, " %16s", erx_guess_names[g]);
    (void)fprintf(stream, "   pressed\n");
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++) {
        (void)fprintf(stream, "  %-16s", erx_policy_button_names[i]);
        for (uint32_t g = 0; g < ERX_GUESSES; g++)
            (void)fprintf(stream, " %14.2f %%",
                          100.0 * (double)measure->scores[g].agreeing[i] /
                              (double)measure->scores[g].moments);
        const erx_policy_score_t *policy = &measure->scores[ERX_GUESS_POLICY];
        (void)fprintf(stream, "   %.2f %%\n",
                      100.0 * (double)policy->pressed[i] / (double)policy->moments);
    }
    (void)fprintf(stream, "  %-16s", "all buttons");
    for (uint32_t g = 0; g < ERX_GUESSES; g++)
        (void)fprintf(stream, " %14.2f %%",
                      100.0 * (double)measure->scores[g].all_agreeing /
                          (double)measure->scores[g].moments);
    (void)fprintf(stream, "\n  %-16s", "... on changes");
    for (uint32_t g = 0; g < ERX_GUESSES; g++)
        (void)fprintf(stream, " %14.2f %%",
                      100.0 * (double)measure->scores[g].changes_agreeing /
                          (double)ERX_MAX(measure->scores[g].changes, 1));
    (void)fprintf(stream, "\n  %-16s", "stick error");
    for (uint32_t g = 0; g < ERX_GUESSES; g++)
        (void)fprintf(stream, " %16.4f", erx_policy_score_stick(&measure->scores[g]));
    (void)fprintf(stream, "\n  %-16s %16s %16.4f %16.4f   (cross-entropy a button)\n", "surprise",
                  "", measure->last_input_loss, measure->button_loss);
}

json_t *erx_policy_measure_json(const erx_policy_measure_t *measure)
{
    static const char *const keys[ERX_GUESSES] = {"nothing_pressed", "last_input_again", "policy"};
    json_t *value = json_object();
    for (uint32_t g = 0; g < ERX_GUESSES; g++)
        json_object_set_new(value, keys[g], erx_policy_score_json(&measure->scores[g]));
    json_object_set_new(value, "cross_entropy", json_real(measure->loss));
    json_object_set_new(value, "button_cross_entropy", json_real(measure->button_loss));
    json_object_set_new(value, "button_cross_entropy_of_last_input",
                        json_real(measure->last_input_loss));
    return value;
}
