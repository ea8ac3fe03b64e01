/* Fits the smoothing and the scale of an 8-bit activation (NUMERICS 4.2) to
 * what calibration kept of it. */
#ifndef ERX_TOOLS_CALIBRATION_FIT_H
#define ERX_TOOLS_CALIBRATION_FIT_H

#include "tools/calibration.h"

/* Sets range->smooth and range->scale so that rounding the activation adds the
 * least noise to the outputs, each head's measured against its power.
 * Activations may be fitted by different threads. False: no memory. */
bool erx_calibration_fit(erx_activation_range_t *range, uint32_t sample_count,
                         const double output_power[ERX_OUTPUT_HEADS]);

/* The values of one frame as the matrices get them, in steps of range->scale:
 * smoothed and rounded to 8 bits with the frame's block exponent. */
void erx_calibration_round(const erx_activation_range_t *range, const float *values, float *to);

#endif
