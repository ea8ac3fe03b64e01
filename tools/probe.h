/* Looks into the integer network while it runs: closed-loop sessions on
 * scripted inputs, with statistics of every quantity on the way. The engine's
 * own step runs; the probe stands between it and the kernels. */
#ifndef ERX_TOOLS_PROBE_H
#define ERX_TOOLS_PROBE_H

#include "tools/gauge.h"
#include "tools/model_draft.h"

#define ERX_PROBE_LANES_MAX 8u
#define ERX_PROBE_EXPONENTS ((uint32_t)(ERX_EXPONENT_MAX - ERX_EXPONENT_MIN + 1))

/* How often each block exponent was chosen; index 0 is ERX_EXPONENT_MIN. */
typedef struct {
    uint64_t chosen[ERX_PROBE_EXPONENTS];
} erx_exponents_t;

typedef struct {
    erx_exponents_t in, out; /* of the norms before in_proj and out_proj */
    erx_gauge_t z, dt, decay, xs, B, C, gate;
    erx_gauge_t step;     /* what out_proj adds to the residual stream */
    erx_gauge_t residual; /* the stream after it */
    /* Owned: a gauge for each channel [di + 2N] or head [H]. */
    erx_gauge_t *c;    /* input of the convolution */
    erx_gauge_t *v;    /* its output, before the SiLU */
    erx_gauge_t *push; /* greatest |dtx| of the head's update, a frame */
    erx_gauge_t *h;
    erx_gauge_t *y;
} erx_probe_layer_t;

/* What came of one session. */
typedef struct {
    uint64_t state_hash;               /* of the recurrent state at the end */
    uint32_t changes[ERX_LOGIT_HEADS]; /* frames in which the choice changed */
    uint32_t bounded[ERX_CONTINUOUS];  /* frames that a value stood at its bound */
} erx_probe_session_t;

typedef struct {
    erx_shape_t shape;
    erx_probe_layer_t layers[ERX_LAYERS_MAX];
    erx_exponents_t heads;
    erx_gauge_t *embedding; /* [d] */
    erx_gauge_t *hidden;    /* [d] */
    erx_gauge_t regressions[ERX_REGRESSIONS];
    erx_gauge_t logits[ERX_LOGITS];
    erx_probe_session_t sessions[ERX_PROBE_LANES_MAX];
    erx_gauge_t *memory; /* owned; all gauges above */
} erx_probe_t;

/* Runs lane_count sessions (<= ERX_PROBE_LANES_MAX) of a sealed draft for
 * frame_count frames, each on a scripted game of the seed, and fills
 * probe_out. The caller closes it. Errors: ERX_ERR_MEMORY. Any thread, one
 * run at a time in each. */
erx_status_t erx_probe_run(const erx_model_draft_t *draft, uint64_t seed, uint32_t lane_count,
                           uint32_t frame_count, erx_probe_t *probe_out, erx_error_t *error);

/* Frees; an all-zero probe is allowed. */
void erx_probe_close(erx_probe_t *probe);

/* Mean exponent; 0 where none was chosen. */
double erx_exponents_mean(const erx_exponents_t *exponents);

#endif
