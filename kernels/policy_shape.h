/* Sizes and numbers of the networks that see a stack of frames (POLICY.md,
 * MLP.md): policies, and MLP world models. */
#ifndef ERX_KERNELS_POLICY_SHAPE_H
#define ERX_KERNELS_POLICY_SHAPE_H

#include "mem/base.h"

#define ERX_POLICY_EMBEDS 8u /* 7 categoricals of a player, stage */

typedef struct {
    uint32_t context;                         /* K: frames that it sees */
    uint32_t hidden;                          /* H: units of the first layer */
    uint32_t trunk;                           /* T: units of the second */
    uint32_t embed_widths[ERX_POLICY_EMBEDS]; /* action, jumps, ..., stage */
    uint32_t is_world; /* 1: a world model, MLP.md; no bool, so that shapes compare as bytes */
} erx_policy_shape_t;

/* The numbers of one network, row-major, as its directory stores them; D8 are
 * the 8-bit columns of its input, O its outputs. */
typedef struct {
    erx_policy_shape_t shape;
    const int32_t *fm;                  /* [13] */
    const int8_t *E[ERX_POLICY_EMBEDS]; /* [rows][width] */
    const int8_t *Wc;                   /* [H][K * 26] */
    const int32_t *Wc_m;                /* [H] */
    const int8_t *Wd;                   /* [H][D8] */
    const int32_t *Wd_m;                /* [H] */
    const int32_t *b1;                  /* [H] */
    const int8_t *Wt;                   /* [T][H] */
    const int32_t *Wt_m;                /* [T] */
    const int32_t *bt;                  /* [T] */
    const int8_t *Wo;                   /* [O][T] */
    const int32_t *Wo_m;                /* [O] */
    const int32_t *bo;                  /* [O] */
    int32_t Wc_s, Wd_s, Wt_s, Wo_s;     /* sc, in its order */
} erx_policy_tensors_t;

#endif
