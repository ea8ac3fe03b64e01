/* How well guesses at a player's inputs match what the player did. */
#ifndef ERX_TOOLS_POLICY_SCORE_H
#define ERX_TOOLS_POLICY_SCORE_H

#include "kernels/policy_net.h"

#include <jansson.h>

typedef struct {
    uint64_t moments;
    uint64_t agreeing[ERX_POLICY_BUTTONS]; /* moments at which the button is right */
    uint64_t pressed[ERX_POLICY_BUTTONS];  /* at which the player pressed it */
    uint64_t all_agreeing;                 /* at which all buttons are right */
    uint64_t changes;                      /* at which a button changed ... */
    uint64_t changes_agreeing;             /* ... and all buttons are right */
    uint64_t error[ERX_POLICY_ANALOGS];    /* sum of |guess - truth|, in steps of the axis */
} erx_policy_score_t;

extern const char *const erx_policy_button_names[ERX_POLICY_BUTTONS];

/* Counts one moment; before is what the player did the frame before. */
void erx_policy_score_add(erx_policy_score_t *score, const uint8_t guess[ERX_CONTROLLER_BYTES],
                          const uint8_t truth[ERX_CONTROLLER_BYTES],
                          const uint8_t before[ERX_CONTROLLER_BYTES]);

/* Share of button values that are right, over all buttons. */
double erx_policy_score_buttons(const erx_policy_score_t *score);

/* Mean error of the stick's two axes, as a share of full tilt. */
double erx_policy_score_stick(const erx_policy_score_t *score);

/* All of it by name; the caller drops the reference. */
json_t *erx_policy_score_json(const erx_policy_score_t *score);

#endif
