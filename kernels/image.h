/* The packed image of a model: what the frame path reads.
 *
 * One block of bytes, made once from the row-major tensors for one kernel
 * layout, shared read-only by every worker and process. It holds no pointers;
 * erx_image_map computes the view below from the base address. Vectors are
 * padded with zeros to ERX_PANEL_ROWS values, so that kernels may work in
 * whole vectors; padded rows give zero outputs.
 *
 * Letters are those of NUMERICS. */
#ifndef ERX_KERNELS_IMAGE_H
#define ERX_KERNELS_IMAGE_H

#include "kernels/tensors.h"

#define ERX_IMAGE_VERSION 1u  /* grows with every change of the packed bytes */
#define ERX_PANEL_ROWS    64u /* rows of a weight panel; the unit that workers split */
#define ERX_BLOCK_ROWS    16u /* rows of a row block: no block straddles two segments */

/* An i8 matrix in the kernel's panels, with its requantization. */
typedef struct {
    const uint8_t *panels;
    const int32_t *multiplier; /* [padded rows] */
    const int32_t *bias;       /* [padded rows]; NULL where there is none */
    uint32_t panel_count;
    uint32_t columns;
    size_t panel_bytes;
    int32_t shift;
} erx_matrix_t;

/* An i16 matrix for short inputs: [ceil(columns / 2)][rows][2], so that one
 * lane of a multiply-add pair holds two neighbouring columns of one row. */
typedef struct {
    const int16_t *pairs;
    const int32_t *multiplier; /* [padded rows] */
    const int32_t *bias;       /* [padded rows] */
    uint32_t rows;
    uint32_t pair_count;
    int32_t shift;
} erx_pair_matrix_t;

typedef struct {
    erx_matrix_t project; /* in_proj; row segments z | x,B,C | dt, each padded to a block */
    erx_matrix_t output;  /* out_proj */
    const int16_t *taps;  /* [2][padded channels][2]: taps 0,1 then taps 2,3 */
    const int32_t *Wc_m;  /* [padded channels] */
    const int32_t *bc;    /* [padded channels] */
    const int32_t *dtb;   /* the next five: [H] */
    const int32_t *Am;
    const int32_t *my;
    const int32_t *mD;
    const int32_t *md;
    const int16_t *G1; /* [padded d] */
    const int16_t *G2; /* [padded di] */
    int64_t eps2;
    int32_t G1_s, fz, Wc_s, fx, kb, kc, y_s, G2_s;
} erx_layer_t;

/* A packed network that sees a stack of frames: what a batch reads. */
typedef struct {
    erx_policy_shape_t shape;
    const int32_t *fm;
    const int8_t *E[ERX_POLICY_EMBEDS];
    erx_matrix_t wide;  /* Wc: the 16-bit columns, in two planes */
    erx_matrix_t dense; /* Wd, b1 */
    erx_matrix_t trunk; /* Wt, bt */
    erx_matrix_t heads; /* Wo, bo */
} erx_policy_image_t;

typedef struct {
    erx_shape_t shape;
    erx_policy_image_t stack;           /* of an MLP world model, which has nothing else */
    erx_pair_matrix_t embed;            /* Wf, bf */
    erx_pair_matrix_t control;          /* Wctl, bctl */
    erx_matrix_t logits;                /* Wl, bl */
    const int16_t *T[ERX_CATEGORICALS]; /* [values][d] */
    const int32_t *fm;                  /* [13] */
    const int16_t *Gf;                  /* [padded d] */
    const int16_t *Gh;                  /* [padded d] */
    const int16_t *Wr;                  /* [30][d] */
    const int32_t *Wr_m;
    const int32_t *Wr_s;
    const int32_t *br;
    int64_t eps1;
    int32_t T_sh, Gf_s, Gh_s, Cmax;
    erx_layer_t layers[ERX_LAYERS_MAX];
} erx_image_t;

struct erx_kernel;

/* Bytes of the image of shape in the kernel's layout. */
size_t erx_image_bytes(const struct erx_kernel *kernel, const erx_shape_t *shape);

/* Packs tensors into base[0, erx_image_bytes), zeroed and 64-byte aligned. */
void erx_image_pack(const struct erx_kernel *kernel, const erx_tensors_t *tensors, uint8_t *base);

/* Computes the view of an image that was packed at base by the same kernel
 * layout for the same tensors (of which only the scalars are read). The view
 * points into base. */
void erx_image_map(const struct erx_kernel *kernel, const erx_tensors_t *tensors,
                   const uint8_t *base, erx_image_t *image_out);

/* Row offsets inside the padded rows of in_proj. */
static inline uint32_t erx_project_conv_row(const erx_shape_t *shape)
{
    return ERX_ALIGN_UP(shape->d_inner, ERX_BLOCK_ROWS);
}

static inline uint32_t erx_project_dt_row(const erx_shape_t *shape)
{
    return erx_project_conv_row(shape) + ERX_ALIGN_UP(erx_shape_conv_dim(shape), ERX_BLOCK_ROWS);
}

static inline uint32_t erx_project_padded_rows(const erx_shape_t *shape)
{
    return ERX_ALIGN_UP(erx_project_dt_row(shape) + shape->head_count, ERX_PANEL_ROWS);
}

#endif
