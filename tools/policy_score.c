#include "tools/policy_score.h"

#define FULL_TILT    127.0
#define FULL_TRIGGER 255.0

const char *const erx_policy_button_names[ERX_POLICY_BUTTONS] = {"A", "B", "X", "Y",
                                                                 "Z", "L", "R", "D-up"};

/* The 13 features of a controller as the network's outputs mean them. */
typedef struct {
    int16_t values[ERX_POLICY_OUTPUTS];
} features_t;

static features_t features_of(const uint8_t control[ERX_CONTROLLER_BYTES])
{
    features_t features;
    erx_world_control_features(control, features.values);
    return features;
}

void erx_policy_score_add(erx_policy_score_t *score, const uint8_t guess[ERX_CONTROLLER_BYTES],
                          const uint8_t truth[ERX_CONTROLLER_BYTES],
                          const uint8_t before[ERX_CONTROLLER_BYTES])
{
    const features_t guessed = features_of(guess), real = features_of(truth),
                     old = features_of(before);
    bool right = true, changed = false;
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++) {
        uint32_t at = ERX_POLICY_ANALOGS + i;
        bool same = guessed.values[at] == real.values[at];
        score->agreeing[i] += same;
        score->pressed[i] += real.values[at] != 0;
        right = right && same;
        changed = changed || real.values[at] != old.values[at];
    }
    for (uint32_t i = 0; i < ERX_POLICY_ANALOGS; i++) {
        int32_t difference = (guessed.values[i] - real.values[i]) / 128;
        score->error[i] += (uint64_t)(difference < 0 ? -difference : difference);
    }
    score->moments++;
    score->all_agreeing += right;
    score->changes += changed;
    score->changes_agreeing += changed && right;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

double erx_policy_score_buttons(const erx_policy_score_t *score)
{
    uint64_t agreeing = 0;
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++)
        agreeing += score->agreeing[i];
    return ratio(agreeing, score->moments * ERX_POLICY_BUTTONS);
}

double erx_policy_score_stick(const erx_policy_score_t *score)
{
    return ratio(score->error[0] + score->error[1], 2 * score->moments) / FULL_TILT;
}

json_t *erx_policy_score_json(const erx_policy_score_t *score)
{
    json_t *agreement = json_object(), *pressed = json_object();
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++) {
        const char *name = erx_policy_button_names[i];
        json_object_set_new(agreement, name, json_real(ratio(score->agreeing[i], score->moments)));
        json_object_set_new(pressed, name, json_real(ratio(score->pressed[i], score->moments)));
    }
    return json_pack("{s:I, s:o, s:o, s:f, s:f, s:f, s:f, s:f, s:f}", "moments",
                     (json_int_t)score->moments, "agreement", agreement, "pressed", pressed,
                     "button_agreement", erx_policy_score_buttons(score), "all_buttons_agreement",
                     ratio(score->all_agreeing, score->moments), "changed_buttons_agreement",
                     ratio(score->changes_agreeing, score->changes), "stick_error",
                     erx_policy_score_stick(score), "c_stick_error",
                     ratio(score->error[2] + score->error[3], 2 * score->moments) / FULL_TILT,
                     "shoulder_error", ratio(score->error[4], score->moments) / FULL_TRIGGER);
}
