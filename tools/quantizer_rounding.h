/* Rounding of an 8-bit matrix's rows with compensation: the error that one
 * weight's rounding makes is taken up by the weights that are rounded after
 * it, as far as real inputs let one stand in for the other (GPTQ). */
#ifndef ERX_TOOLS_QUANTIZER_ROUNDING_H
#define ERX_TOOLS_QUANTIZER_ROUNDING_H

#include "tools/calibration.h"
#include "tools/quantizer_report.h"

/* What the inputs of a matrix have in common: a triangular factor of their
 * second moments. */
typedef struct {
    const erx_activation_range_t *input;
    uint32_t *order; /* [width] column at each place; rounded from the last to the first */
    float *factor;   /* [width][width], row i: how much of the error at place i each place
                        before it takes up */
    void *memory;    /* owned */
} erx_rounding_t;

/* From the samples of an input. ERX_ERR_MEMORY. On success the caller closes it. */
erx_status_t erx_rounding_open(erx_rounding_t *rounding_out, const erx_activation_range_t *input,
                               uint32_t sample_count, erx_error_t *error);

/* An all-zero object is allowed. */
void erx_rounding_close(erx_rounding_t *rounding);

/* Quantizes one row of input->width weights, its columns divided by the
 * input's smoothing. Returns the row's scale. Any thread. */
double erx_rounding_row(const erx_rounding_t *rounding, const float *row, int8_t *row_out);

/* Adds the row's error as seen in the original weights. */
void erx_rounding_report(const erx_rounding_t *rounding, const float *row, const int8_t *rounded,
                         double scale, erx_weight_error_t *error);

#endif
