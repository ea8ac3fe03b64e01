/* Whether a random model lives: a closed-loop run on scripted inputs that it
 * was not calibrated on, measured and judged. */
#ifndef ERX_TOOLS_SYNTH_HEALTH_H
#define ERX_TOOLS_SYNTH_HEALTH_H

#include "tools/model_draft.h"

#include <jansson.h>
#include <stdio.h>

#define ERX_HEALTH_QUANTITIES 12u
#define ERX_HEALTH_FRAMES     600u
#define ERX_HEALTH_LANES      2u

/* One quantity over all layers. Sizes are parts of its full scale. */
typedef struct {
    const char *name;
    double rms_least, rms_greatest; /* of the layers */
    double saturated;               /* share of values, in the worst layer */
    double zeros;                   /* share of values, in the worst layer */
    bool healthy;
} erx_health_row_t;

typedef struct {
    erx_health_row_t rows[ERX_HEALTH_QUANTITIES];
    double exponent_least, exponent_greatest; /* mean block exponents of the norms */
    double exponent_end;                      /* share of frames at -2 or 5, in the worst norm */
    double action_changes;                    /* a second and player */
    uint32_t still_heads; /* logit heads whose choice never changed in some session */
    double bounded;       /* share of frames that a position stood at its bound */
    bool states_differ;   /* sessions of different inputs end in different states */
    bool healthy;         /* everything */
} erx_health_t;

/* Runs a sealed draft and judges it. Errors: those of erx_probe_run. */
erx_status_t erx_health_measure(const erx_model_draft_t *draft, uint64_t seed,
                                erx_health_t *health_out, erx_error_t *error);

/* Prints a table. */
void erx_health_print(const erx_health_t *health, FILE *stream);

/* The same for provenance; the caller drops the reference. */
json_t *erx_health_json(const erx_health_t *health);

#endif
