/* What the float model's activations look like over real games: the ranges
 * that the quantizer turns into scales (NUMERICS 8). */
#ifndef ERX_TOOLS_CALIBRATION_H
#define ERX_TOOLS_CALIBRATION_H

#include "tools/calibration_data.h"

#define ERX_CALIBRATION_SEQUENCES  24u
#define ERX_CALIBRATION_FRAMES     1200u
#define ERX_CALIBRATION_FRAMES_MIN 1000u /* shorter games leave the state's range unseen */

/* An activation of 8 or 14 bits: one input of a matrix. */
typedef struct {
    float *max;     /* [width] greatest magnitude of each channel */
    double *square; /* [width] sum of squares */
    float *smooth;  /* [width] factor that the channel is multiplied with */
    double *slopes; /* [width][ERX_OUTPUT_HEADS] sums of squared slopes of each head's outputs */
    float *samples; /* [calibration's sample_count][width] */
    double full;    /* greatest magnitude of its integers: 127 or 8191 */
    double scale;   /* s_a: real value of one step at block exponent 0, after smoothing */
    uint32_t width;
    uint32_t seen; /* frames in square */
} erx_activation_range_t;

typedef struct {
    erx_activation_range_t u; /* input of in_proj */
    erx_activation_range_t q; /* input of out_proj */
    float *c_max;             /* [cd] x | B | C rows of in_proj */
    float *h_max;             /* [H] state */
    float *dtx_max;           /* [H] dt x */
    float z_max, v_max, B_max, C_max, y_max;
} erx_layer_range_t;

typedef struct {
    erx_shape_t shape;
    erx_activation_range_t hh; /* input of the heads */
    float hidden_max;          /* of hn and hh */
    float residual_max;
    double output_power[ERX_OUTPUT_HEADS]; /* sums of squares of each head's outputs */
    uint32_t sequence_count;               /* what was run */
    uint32_t frame_count;                  /* of one sequence */
    uint32_t sample_count;                 /* frames whose activations are kept, evenly spread */
    erx_layer_range_t *layers;
    void *memory;        /* owned */
    void *sample_memory; /* owned */
} erx_calibration_t;

/* Room for what is seen of a model of this shape, all zero and without samples.
 * ERX_ERR_MEMORY. On success the caller closes it. */
erx_status_t erx_calibration_open(erx_calibration_t *calibration, const erx_shape_t *shape,
                                  erx_error_t *error);

/* Runs the model over training games, from a zero state, and fits the
 * activations' scales to what it saw. threads = 0: all processors; the result is
 * the same for any number. Errors: ERX_ERR_RANGE where there is no training
 * game, or activations are not finite or leave the residual's range;
 * ERX_ERR_MEMORY. On success the caller closes it. */
erx_status_t erx_calibration_run(erx_calibration_t *calibration_out, const erx_float_model_t *model,
                                 const erx_sequences_t *sequences, uint32_t threads,
                                 erx_error_t *error);

/* An all-zero object is allowed. */
void erx_calibration_close(erx_calibration_t *calibration);

#endif
