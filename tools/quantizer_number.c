#include "tools/quantizer_number.h"

#include <math.h>

#define I8_MAX         127.0
#define I16_MAX        32767.0
#define I32_MAX        2147483647.0
#define GAIN_SHIFT_MIN 3
#define GAIN_SHIFT_MAX 24
#define CLIP_STEPS     21u /* clip factors from CLIP_LEAST to 1 */
#define CLIP_LEAST     0.6

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

/* sum_i (row[i] - scale * rounded)^2 * power[i], row already smoothed. */
static double clip_error(const double *row, const double *power, uint32_t width, double scale)
{
    double sum = 0.0;
    double inverse = 1.0 / scale;
    for (uint32_t i = 0; i < width; i++) {
        double step = row[i] * inverse;
        step = step > I8_MAX ? I8_MAX : step < -I8_MAX ? -I8_MAX : (double)lrint(step);
        double error = row[i] - step * scale;
        sum += error * error * power[i];
    }
    return sum;
}

double erx_row_quantize(const float *row, const erx_activation_range_t *input, int8_t *row_out)
{
    double smoothed[2 * ERX_D_MODEL_MAX], power[2 * ERX_D_MODEL_MAX];
    for (uint32_t i = 0; i < input->width; i++) {
        double factor = (double)input->smooth[i];
        smoothed[i] = (double)row[i] / factor;
        power[i] = input->square[i] * factor * factor;
    }
    double full = greatest_of(smoothed, input->width) / I8_MAX;
    double best = full, least = INFINITY;
    for (uint32_t step = 0; step < CLIP_STEPS; step++) {
        double scale = full * (1.0 - (1.0 - CLIP_LEAST) * step / (CLIP_STEPS - 1));
        double error = clip_error(smoothed, power, input->width, scale);
        if (error < least) {
            least = error;
            best = scale;
        }
    }
    for (uint32_t i = 0; i < input->width; i++)
        row_out[i] = erx_quantize_i8(smoothed[i] / best);
    return best;
}

void erx_row_report(const float *row, const erx_activation_range_t *input, const int8_t *quantized,
                    double scale, erx_weight_error_t *error)
{
    for (uint32_t i = 0; i < input->width; i++)
        erx_weight_error_add(error, (double)row[i],
                             quantized[i] * scale * (double)input->smooth[i]);
}
