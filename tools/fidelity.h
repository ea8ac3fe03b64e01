/* How faithful an integer model is to the floats it was made from. */
#ifndef ERX_TOOLS_FIDELITY_H
#define ERX_TOOLS_FIDELITY_H

#include "tools/calibration_data.h"
#include "tools/integer_model.h"

#include <jansson.h>
#include <stdio.h>

#define ERX_FIDELITY_HORIZONS     3u
#define ERX_FIDELITY_WARM         120u /* real frames in front of a rollout */
#define ERX_FIDELITY_ROLLOUT_MAX  3600u
#define ERX_FIDELITY_ROLLOUTS_MAX 1024u

extern const uint32_t erx_fidelity_horizons[ERX_FIDELITY_HORIZONS]; /* frames */

typedef struct {
    uint32_t threads;        /* 0: all processors */
    uint32_t game_frames;    /* frames of each game, teacher-forced */
    uint32_t stage_frames;   /* of these, frames for the stages */
    uint32_t rollouts;       /* rollouts at most */
    uint32_t rollout_frames; /* of each, at most ERX_FIDELITY_ROLLOUT_MAX */
} erx_fidelity_options_t;

/* Sums of squares of a signal and of what was added to it. */
typedef struct {
    double signal;
    double noise;
} erx_fidelity_power_t;

/* Mean distances, in game units, between a player's positions in two courses
 * of one game. */
typedef struct {
    double float_real;
    double integer_real;
    double integer_float;
} erx_fidelity_drift_t;

typedef struct {
    bool uses_test_games; /* false: the data has none, all games were used */
    uint32_t game_count;
    uint64_t frame_count; /* teacher-forced */
    uint32_t stage_count; /* layers + 1 */
    erx_fidelity_power_t all;
    erx_fidelity_power_t heads[ERX_OUTPUT_HEADS];
    erx_fidelity_power_t stages[ERX_LAYERS_MAX + 1]; /* residual: embedding, then each layer */
    uint64_t agreed[ERX_OUTPUT_HEADS];   /* choices (of binaries: signs) that are the same */
    uint64_t compared[ERX_OUTPUT_HEADS]; /* 0 for the other regression heads */
    uint32_t rollout_count;
    uint32_t horizon_rollouts[ERX_FIDELITY_HORIZONS]; /* that last as long */
    /* Over frames 1 to the horizon of those rollouts. */
    erx_fidelity_drift_t horizons[ERX_FIDELITY_HORIZONS];
    uint32_t curve_frames;
    uint32_t curve_rollouts[ERX_FIDELITY_ROLLOUT_MAX];
    erx_fidelity_drift_t curve[ERX_FIDELITY_ROLLOUT_MAX]; /* frame by frame */
} erx_fidelity_t;

/* Measures; the figures are the same for any number of threads. Errors:
 * ERX_ERR_RANGE (shapes differ, no game long enough), ERX_ERR_MEMORY. */
erx_status_t erx_fidelity_measure(erx_fidelity_t *fidelity_out, const erx_float_model_t *floats,
                                  const erx_integer_model_t *integers,
                                  const erx_sequences_t *sequences,
                                  const erx_fidelity_options_t *options, erx_error_t *error);

/* The summary that a manifest stores; the caller drops the reference. */
json_t *erx_fidelity_summary_json(const erx_fidelity_t *fidelity);

/* Everything, with the drift frame by frame. */
json_t *erx_fidelity_json(const erx_fidelity_t *fidelity);

void erx_fidelity_print(const erx_fidelity_t *fidelity, FILE *stream);

/* Share of equal choices of a head, 1 where nothing was compared. */
double erx_fidelity_agreement(const erx_fidelity_t *fidelity, uint32_t head);

double erx_fidelity_power_db(const erx_fidelity_power_t *power);

#endif
