/* One tensor of the published format, in the single precision of the published
 * pipeline: where NumPy rounds, this rounds. */
#ifndef ERX_TOOLS_PUBLISHED_TENSOR_H
#define ERX_TOOLS_PUBLISHED_TENSOR_H

#include "tools/parameters.h"

typedef struct {
    double mse;
    double max_abs_error;
    double snr_db;
    double relative_error_pct;
} erx_published_error_t;

/* Rows that have a scale of their own; 1 for a vector. */
uint32_t erx_published_rows(const erx_parameters_tensor_t *tensor);

/* Quantizes a tensor: steps_out[tensor->count], scales_out[rows]. A vector's
 * scale is kept in double precision, a matrix' in single. scratch holds
 * tensor->count floats. */
erx_published_error_t erx_published_quantize(const erx_parameters_tensor_t *tensor,
                                             int8_t *steps_out, double *scales_out, float *scratch);

/* Mean of count doubles, summed in the pairwise order of NumPy. */
double erx_published_mean(const double *values, size_t count);

#endif
