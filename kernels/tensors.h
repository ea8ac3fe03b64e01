/* The numbers of one model, as NUMERICS names them: row-major, little-endian,
 * as a model directory stores them. Everything here points into memory that
 * somebody else owns. The packers and the tools read it; the frame path reads
 * what was packed from it (kernels/image.h).
 *
 * Both profiles fix the same frame around the network: 58 input features,
 * 15 categoricals, 30 regression rows, 1,020 logits. */
#ifndef ERX_KERNELS_TENSORS_H
#define ERX_KERNELS_TENSORS_H

#include "kernels/policy_shape.h"

#define ERX_FEATURES         58u /* F: 29 a player */
#define ERX_CONTROLS         26u /* Fn: the 13 controller features of both players */
#define ERX_CATEGORICALS     15u /* 7 of player 0, 7 of player 1, stage */
#define ERX_CONTINUOUS       13u /* continuous values a player */
#define ERX_REGRESSIONS      30u
#define ERX_LOGITS           1020u
#define ERX_LOGIT_HEADS      12u
#define ERX_REGRESSION_HEADS 4u
#define ERX_CONV_TAPS        4u
#define ERX_RESIDUAL_BITS    14              /* R */
#define ERX_RESIDUAL_MAX     ((1 << 26) - 1) /* XMAX */
#define ERX_EXPONENT_MIN     (-2)            /* block exponent, NUMERICS 4.2 */
#define ERX_EXPONENT_MAX     5
#define ERX_ACTIVATION_MAX   127
/* The greatest that keeps every sum of a product in 32 bits: 2048 columns of
 * weights down to -128. */
#define ERX_ACTIVATION_WIDE_MAX 8191
#define ERX_LAYERS_MAX          64u
#define ERX_D_MODEL_MAX         1024u
#define ERX_D_MODEL_STEP        32u /* d_model is a multiple of this */
#define ERX_D_STATE_MAX         128u
#define ERX_HEAD_DIM_STEP       16u /* headdim is a multiple of this */
#define ERX_HEADS_MAX           128u

/* Number of values of each categorical, in the order of NUMERICS 1. */
extern const uint16_t erx_category_counts[ERX_CATEGORICALS];

/* Width of each logit head, in output order. */
extern const uint16_t erx_logit_widths[ERX_LOGIT_HEADS];

/* Width of each regression head, and the names of all heads as manifests give
 * them: regression heads first, then the logit heads. */
extern const uint16_t erx_regression_widths[ERX_REGRESSION_HEADS];
extern const char *const erx_head_names[ERX_REGRESSION_HEADS + ERX_LOGIT_HEADS];

/* The arithmetic of a Mamba2 world model: NUMERICS, and its section 13. */
typedef enum { ERX_PROFILE_1, ERX_PROFILE_2, ERX_PROFILES } erx_profile_t;

/* As manifests name them: "i16ssm-1", "i16ssm-2"; NULL at the end. */
extern const char *const erx_profile_names[ERX_PROFILES + 1];

typedef struct {
    uint32_t d_model;     /* d */
    uint32_t d_inner;     /* di = 2 d */
    uint32_t d_state;     /* N, even */
    uint32_t layer_count; /* L */
    uint32_t head_count;  /* H */
    uint32_t head_dim;    /* P = di / H */
    erx_profile_t profile;
    /* An MLP world model (MLP.md) has these sizes in place of all the others. */
    erx_policy_shape_t stack;
} erx_shape_t;

static inline bool erx_shape_is_stack(const erx_shape_t *shape)
{
    return shape->stack.context > 0;
}

/* Greatest magnitude of an activation that is multiplied with 8-bit weights:
 * 8 or 14 bits (NUMERICS 4.2, 13). */
static inline int32_t erx_profile_activation_max(erx_profile_t profile)
{
    return profile == ERX_PROFILE_2 ? ERX_ACTIVATION_WIDE_MAX : ERX_ACTIVATION_MAX;
}

/* Channels of the convolution: di + 2 N. */
static inline uint32_t erx_shape_conv_dim(const erx_shape_t *shape)
{
    return shape->d_inner + 2 * shape->d_state;
}

/* Rows of in_proj: z | x | B | C | dt. */
static inline uint32_t erx_shape_project_rows(const erx_shape_t *shape)
{
    return 2 * shape->d_inner + 2 * shape->d_state + shape->head_count;
}

/* Bytes of one layer's recurrent state, canonical order (NUMERICS 10). */
static inline size_t erx_shape_layer_state_bytes(const erx_shape_t *shape)
{
    return (size_t)6 * erx_shape_conv_dim(shape) + (size_t)2 * shape->d_inner * shape->d_state;
}

typedef struct {
    const int8_t *Win;    /* [2di+2N+H][d] */
    const int32_t *Win_m; /* [2di+2N+H] */
    const int16_t *Wc;    /* [cd][4], oldest tap first */
    const int32_t *Wc_m;  /* [cd] */
    const int32_t *bc;    /* [cd] */
    const int32_t *dtb;   /* [H] */
    const int32_t *Am;    /* [H] */
    const int32_t *my;    /* [H] */
    const int32_t *mD;    /* [H] */
    const int32_t *md;    /* [H] */
    const int16_t *G1;    /* [d] */
    const int16_t *G2;    /* [di] */
    const int8_t *Wo;     /* [d][di] */
    const int32_t *Wo_m;  /* [d] */
    int64_t eps2;
    int32_t G1_s, Win_s, fz, Wc_s, fx, kb, kc, y_s, G2_s, Wo_s; /* layers.l.sc, in its order */
} erx_layer_tensors_t;

typedef struct {
    erx_shape_t shape;
    erx_policy_tensors_t stack;         /* of an MLP world model, which has nothing else */
    const int16_t *Wf;                  /* [d][58] */
    const int32_t *Wf_m;                /* [d] */
    const int32_t *bf;                  /* [d] */
    const int32_t *fm;                  /* [13] */
    const int16_t *T[ERX_CATEGORICALS]; /* [erx_category_counts[k]][d] */
    const int16_t *Wctl;                /* [d][26] */
    const int32_t *Wctl_m;              /* [d] */
    const int32_t *bctl;                /* [d] */
    const int16_t *Gf;                  /* [d] */
    const int16_t *Gh;                  /* [d] */
    const int16_t *Wr;                  /* [30][d] */
    const int32_t *Wr_m;                /* [30] */
    const int32_t *Wr_s;                /* [30] */
    const int32_t *br;                  /* [30] */
    const int8_t *Wl;                   /* [1020][d] */
    const int32_t *Wl_m;                /* [1020] */
    const int32_t *bl;                  /* [1020] */
    int64_t eps1;
    int32_t R, T_sh, Wf_s, fh, Gf_s, Wctl_s, Gh_s, Wl_s, Cmax; /* sc, in its order */
    erx_layer_tensors_t layers[ERX_LAYERS_MAX];
} erx_tensors_t;

#endif
