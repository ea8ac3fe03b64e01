/* The world model in floats: the yardstick that the quantizer calibrates with
 * and that fidelity measures against. Plain loops, one thread a call.
 *
 * Every sum is taken in a fixed order, so that results do not depend on how
 * many columns run together or on the width of the machine's vectors. */
#ifndef ERX_TOOLS_FLOAT_MODEL_H
#define ERX_TOOLS_FLOAT_MODEL_H

#include "kernels/world.h"
#include "tools/parameters.h"

#define ERX_FLOAT_COLUMNS   32u /* columns that one call carries */
#define ERX_FLOAT_EPSILON   1e-5f
#define ERX_EMBEDS          8u /* 7 categoricals of a player, stage */
#define ERX_OUTPUT_HEADS    (ERX_REGRESSION_HEADS + ERX_LOGIT_HEADS)
#define ERX_FLOAT_OUTPUTS   (ERX_REGRESSIONS + ERX_LOGITS)
#define ERX_FLOAT_EMBED_MAX 256u

typedef struct {
    const float *in_proj;   /* [2di+2N+H][d], rows z | x | B | C | dt */
    const float *conv;      /* [cd][4], oldest tap first */
    const float *conv_bias; /* [cd] */
    const float *dt_bias;   /* [H] */
    const float *A_log;     /* [H] */
    const float *D;         /* [H] */
    const float *norm;      /* [d], in front of in_proj */
    const float *gate_norm; /* [di], in front of out_proj */
    const float *out_proj;  /* [d][di] */
} erx_float_layer_t;

typedef struct {
    erx_shape_t shape;
    /* Factor that turns game units into the model's input, and the model's
     * regressions into game units. */
    float input_scale[ERX_CONTINUOUS];
    float output_scale[ERX_REGRESSIONS]; /* 1 for binaries */
    uint32_t embed_widths[ERX_EMBEDS];
    uint32_t embed_rows[ERX_EMBEDS];
    const float *embeds[ERX_EMBEDS]; /* [rows][width] */
    /* First column of frame_proj of each categorical, in the order of NUMERICS 1. */
    uint32_t embed_columns[ERX_CATEGORICALS];
    uint32_t input_width;                 /* columns of frame_proj */
    const float *frame_proj;              /* [d][input_width] */
    const float *frame_bias;              /* [d] */
    const float *control_proj;            /* [d][26] */
    const float *control_bias;            /* [d] */
    const float *final_norm;              /* [d] */
    const float *heads[ERX_OUTPUT_HEADS]; /* [width][d], in output order */
    const float *head_biases[ERX_OUTPUT_HEADS];
    erx_float_layer_t layers[ERX_LAYERS_MAX];
    /* Of an MLP world model, which has of the above the scales, the embeddings
     * and the heads ([width][T]); embed_columns count within a frame, and
     * input_width is that of a frame. */
    const float *hidden; /* [H][K * input_width + 26] */
    const float *hidden_bias;
    const float *trunk; /* [T][H] */
    const float *trunk_bias;
} erx_float_model_t;

/* Makes a view of a checkpoint, which must outlive it: finds every tensor,
 * checks shapes against each other, refuses what is missing or too much, what
 * profile i16ssm-1 cannot run, and matrices with a row of zeros. Errors name
 * the tensor or the key. */
erx_status_t erx_float_model_bind(erx_float_model_t *model_out, const erx_parameters_t *checkpoint,
                                  erx_error_t *error);

/* Width of an output head (0 <= head < ERX_OUTPUT_HEADS). */
uint32_t erx_float_head_width(uint32_t head);

/* Index of the embedding of a categorical (0 <= category < ERX_CATEGORICALS). */
static inline uint32_t erx_float_embed_of(uint32_t category)
{
    return category == ERX_C_STAGE ? ERX_EMBEDS - 1 : category % ERX_PLAYER_CATEGORIES;
}

#endif
