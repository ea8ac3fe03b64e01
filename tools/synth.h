/* Models with random weights, for tests and benchmarks: valid by every rule,
 * with activations that neither die nor saturate. Random numbers are integers
 * and scales use only + - * / and sqrt, so a seed gives the same bytes on every
 * machine. */
#ifndef ERX_TOOLS_SYNTH_H
#define ERX_TOOLS_SYNTH_H

#include "kernels/policy_net.h"
#include "tools/model_draft.h"
#include "tools/progress.h"
#include "tools/synth_health.h"

#define ERX_SYNTH_ATTEMPTS 8u

/* Fills an open draft: draws weights, calibrates, judges, and draws again while
 * the judge finds the model unhealthy, at most ERX_SYNTH_ATTEMPTS times (one or
 * two in practice; small models have bad luck more often). The last one stays
 * in either case, sealed; health_out tells how it fares. Errors:
 * ERX_ERR_MEMORY, those of erx_model_draft_seal. */
erx_status_t erx_synth(erx_model_draft_t *draft, uint64_t seed, erx_health_t *health_out,
                       erx_error_t *error);

/* Parts of erx_synth. Fill: random weights, with scales from the statistics
 * that random weights have (NUMERICS 8): valid, for benchmarks in a hurry;
 * attempts differ as seeds do.
 * Calibrate: runs the network in closed loop on scripted inputs, measures, and
 * corrects scales and centres, several times; seals the draft. */
void erx_synth_fill(erx_model_draft_t *draft, uint64_t seed, uint32_t attempt);
erx_status_t erx_synth_calibrate(erx_model_draft_t *draft, uint64_t seed, erx_progress_t *progress,
                                 erx_error_t *error);

/* Fills the draft of an MLP world model with random weights; scales follow from
 * the statistics that random weights have. To be sealed by the caller. */
void erx_synth_mlp_fill(erx_model_draft_t *draft, uint64_t seed);

/* Units of progress of one calibration. */
uint64_t erx_synth_work(void);

/* Order of the scalars in a tensor "sc" (NUMERICS 11). */
enum {
    ERX_SC_R,
    ERX_SC_T_SH,
    ERX_SC_WF_S,
    ERX_SC_FH,
    ERX_SC_GF_S,
    ERX_SC_WCTL_S,
    ERX_SC_GH_S,
    ERX_SC_WL_S,
    ERX_SC_CMAX
};
enum {
    ERX_SC_G1_S,
    ERX_SC_WIN_S,
    ERX_SC_FZ,
    ERX_SC_WC_S,
    ERX_SC_FX,
    ERX_SC_KB,
    ERX_SC_KC,
    ERX_SC_Y_S,
    ERX_SC_G2_S,
    ERX_SC_WO_S
};

/* Sizes that the network is tuned to, as standard deviations. */
#define ERX_SYNTH_FORMAT 11       /* fz and fx: 2048 is 1.0 */
#define ERX_SYNTH_Z      3072.0   /* 1.5: SiLU bends, the sigmoid does not saturate */
#define ERX_SYNTH_C      4600.0   /* 14 % of an i16 */
#define ERX_SYNTH_V      2400.0   /* 1.2, before the SiLU of the convolution */
#define ERX_SYNTH_V_FULL 16384.0  /* 8.0, where B and C saturate */
#define ERX_SYNTH_DT     26214.0  /* 0.4 in Q16 */
#define ERX_SYNTH_H      2950.0   /* 9 % of an i16 */
#define ERX_SYNTH_Y      2950.0   /* 9 % */
#define ERX_SYNTH_STEP   6000.0   /* 0.37 in Q14: what a layer adds to the residual */
#define ERX_SYNTH_TOP    0.6      /* of full scale: the largest value that calibration may see */
#define ERX_SYNTH_LOGIT  131072.0 /* 2.0 in Q16 */

#endif
