#include "tools/published_tensor.h"

#include <math.h>

#define STEP_MAX      127.0f
#define MAGNITUDE_MIN 1e-8f /* stands for the magnitude of zeros */
#define POWER_MIN     1e-10 /* and of no error */
#define PAIRWISE      128u  /* longest run that is summed with eight partial sums */
#define BUFFER        8192u /* values that NumPy sums at a time */

/* Sums in the order that NumPy does: halves down to runs of PAIRWISE values,
 * each run with eight partial sums. */
#define DEFINE_PAIRWISE_SUM(name, type)                                                            \
    static type name(const type *values, size_t count)                                             \
    {                                                                                              \
        if (count > PAIRWISE) {                                                                    \
            size_t half = count / 2 - count / 2 % 8;                                               \
            return name(values, half) + name(values + half, count - half);                         \
        }                                                                                          \
        type part[8] = {0}, sum = 0;                                                               \
        size_t i = 0;                                                                              \
        if (count >= 8) {                                                                          \
            for (; i + 8 <= count; i += 8)                                                         \
                for (size_t k = 0; k < 8; k++)                                                     \
                    part[k] += values[i + k];                                                      \
            sum = ((part[0] + part[1]) + (part[2] + part[3])) +                                    \
                  ((part[4] + part[5]) + (part[6] + part[7]));                                     \
        }                                                                                          \
        for (; i < count; i++)                                                                     \
            sum += values[i];                                                                      \
        return sum;                                                                                \
    }

DEFINE_PAIRWISE_SUM(sum_floats, float)
DEFINE_PAIRWISE_SUM(sum_doubles, double)

double erx_published_mean(const double *values, size_t count)
{
    return count == 0 ? 0.0 : sum_doubles(values, count) / (double)count;
}

uint32_t erx_published_rows(const erx_parameters_tensor_t *tensor)
{
    return tensor->rank == 1 ? 1 : tensor->dimensions[0];
}

static float mean_square(const float *values, size_t count, float *scratch)
{
    for (size_t i = 0; i < count; i++)
        scratch[i] = values[i] * values[i];
    float sum = 0.0f;
    for (size_t i = 0; i < count; i += BUFFER)
        sum += sum_floats(scratch + i, ERX_MIN(count - i, (size_t)BUFFER));
    return (float)((double)sum / (double)count);
}

static void quantize_row(const float *values, size_t count, bool is_vector, int8_t *steps,
                         double *scale_out)
{
    float magnitude = MAGNITUDE_MIN;
    for (size_t i = 0; i < count; i++)
        magnitude = fmaxf(magnitude, fabsf(values[i]));
    *scale_out = is_vector ? (double)magnitude / (double)STEP_MAX : (double)(magnitude / STEP_MAX);
    float scale = (float)*scale_out;
    for (size_t i = 0; i < count; i++)
        steps[i] = (int8_t)fminf(fmaxf(rintf(values[i] / scale), -STEP_MAX - 1.0f), STEP_MAX);
}

/* The logarithm as the vector units' libraries take it: exponent and mantissa
 * apart, in singles. Within one step of the last digit of what NumPy prints;
 * most are equal. */
static float single_log10(float value)
{
    int exponent;
    float mantissa = frexpf(value, &exponent);
    if (mantissa < 0.75f) {
        mantissa *= 2.0f;
        exponent--;
    }
    return fmaf(logf(mantissa), 0.43429448f, (float)exponent * 0.30103f);
}

static erx_published_error_t measure(const erx_parameters_tensor_t *tensor, const int8_t *steps,
                                     const double *scales, float *scratch)
{
    erx_published_error_t error = {0};
    size_t width = tensor->count / erx_published_rows(tensor);
    float signal = mean_square(tensor->values, tensor->count, scratch);
    float greatest = 0.0f;
    for (size_t i = 0; i < tensor->count; i++) {
        scratch[i] = tensor->values[i] - (float)steps[i] * (float)scales[i / width];
        greatest = fmaxf(greatest, fabsf(scratch[i]));
    }
    float noise = mean_square(scratch, tensor->count, scratch);
    double ratio_log = (double)noise > POWER_MIN ? (double)single_log10(signal / noise)
                                                 : log10((double)signal / POWER_MIN);
    error.mse = (double)noise;
    error.max_abs_error = (double)greatest;
    error.snr_db = 10.0 * ratio_log;
    error.relative_error_pct =
        100.0 * (double)sqrtf(noise) / fmax((double)sqrtf(signal), POWER_MIN);
    return error;
}

erx_published_error_t erx_published_quantize(const erx_parameters_tensor_t *tensor,
                                             int8_t *steps_out, double *scales_out, float *scratch)
{
    uint32_t rows = erx_published_rows(tensor);
    size_t width = tensor->count / rows;
    for (uint32_t row = 0; row < rows; row++)
        quantize_row(tensor->values + row * width, width, tensor->rank == 1,
                     steps_out + row * width, &scales_out[row]);
    return measure(tensor, steps_out, scales_out, scratch);
}
