/* The number formats of the quantizer: scales, shifts, multipliers. */
#ifndef ERX_TOOLS_QUANTIZER_NUMBER_H
#define ERX_TOOLS_QUANTIZER_NUMBER_H

#include "mem/status.h"

/* Nearest integer, halves to even, inside the type's symmetric range. */
int8_t erx_quantize_i8(double value);
int16_t erx_quantize_i16(double value);
int32_t erx_quantize_i32(double value);

/* Largest f in [least, greatest] with limit >= value * 2^f; least where none is. */
int32_t erx_fraction_bits(double value, double limit, int32_t least, int32_t greatest);

/* Turns real factors into multipliers m = round(factor * 2^s) with one shift:
 * the largest in [least, greatest] with |m| < 2^31. The error names the
 * tensor. */
erx_status_t erx_multipliers_fill(const char *tensor, const double *factors, uint32_t count,
                                  int32_t least, int32_t greatest, int32_t *multipliers,
                                  int32_t *shift_out, erx_error_t *error);

/* The same for gains: i16 with a shift in [3, 24]. */
erx_status_t erx_gains_fill(const char *tensor, const double *gains, uint32_t count,
                            int16_t *gains_out, int32_t *shift_out, erx_error_t *error);

#endif
