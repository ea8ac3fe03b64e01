#include "tools/quantizer_number.h"

#include <math.h>

#define I8_MAX         127.0
#define I16_MAX        32767.0
#define I32_MAX        2147483647.0
#define GAIN_SHIFT_MIN 3
#define GAIN_SHIFT_MAX 24

static double round_within(double value, double limit)
{
    return fmin(fmax(nearbyint(value), -limit), limit);
}

int8_t erx_quantize_i8(double value)
{
    return (int8_t)round_within(value, I8_MAX);
}

int16_t erx_quantize_i16(double value)
{
    return (int16_t)round_within(value, I16_MAX);
}

int32_t erx_quantize_i32(double value)
{
    return (int32_t)round_within(value, I32_MAX);
}

int32_t erx_fraction_bits(double value, double limit, int32_t least, int32_t greatest)
{
    int32_t bits = greatest;
    while (bits > least && ldexp(value, bits) > limit)
        bits--;
    return bits;
}

static double greatest_of(const double *values, uint32_t count)
{
    double greatest = 0.0;
    for (uint32_t i = 0; i < count; i++)
        greatest = fmax(greatest, fabs(values[i]));
    return greatest;
}

erx_status_t erx_multipliers_fill(const char *tensor, const double *factors, uint32_t count,
                                  int32_t least, int32_t greatest, int32_t *multipliers,
                                  int32_t *shift_out, erx_error_t *error)
{
    double factor = greatest_of(factors, count);
    int32_t shift = greatest;
    while (shift >= least && nearbyint(ldexp(factor, shift)) > I32_MAX)
        shift--;
    if (shift < least || !isfinite(factor))
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%s: a row's requantization factor is %g, too large for a shift of at "
                             "least %d; its weights or activations have no usable range",
                             tensor, factor, least);
    for (uint32_t i = 0; i < count; i++)
        multipliers[i] = erx_quantize_i32(ldexp(factors[i], shift));
    *shift_out = shift;
    return ERX_OK;
}

erx_status_t erx_gains_fill(const char *tensor, const double *gains, uint32_t count,
                            int16_t *gains_out, int32_t *shift_out, erx_error_t *error)
{
    double gain = greatest_of(gains, count);
    int32_t shift = erx_fraction_bits(gain, I16_MAX, GAIN_SHIFT_MIN, GAIN_SHIFT_MAX);
    if (!(ldexp(gain, shift) <= I16_MAX))
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%s: a gain of %g does not fit 16 bits with a shift of at least %d",
                             tensor, gain, GAIN_SHIFT_MIN);
    for (uint32_t i = 0; i < count; i++)
        gains_out[i] = erx_quantize_i16(ldexp(gains[i], shift));
    *shift_out = shift;
    return ERX_OK;
}
