#include "tools/calibration_fit.h"

#include "tools/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMOOTH_MIN     (1.0f / 16.0f)
#define SMOOTH_MAX     16.0f
#define SCALE_QUANTILE 0.75
#define SCALE_STEPS    16 /* of the search, an octave up and down */
#define ROUNDS         64u
#define RATE_FIRST     0.20 /* greatest change of a factor's logarithm in the first round */
#define RATE_LAST      0.01

/* One activation being fitted. noise and blame are shares of the frames' noise:
 * what a channel adds to it, and what it is to blame for because it sets the
 * step that all channels are rounded with. */
typedef struct {
    erx_activation_range_t *range;
    uint32_t count;                    /* of samples */
    float weight[2 * ERX_D_MODEL_MAX]; /* of a squared error of a channel */
    float cost[2 * ERX_D_MODEL_MAX];   /* the same after smoothing */
    double noise[2 * ERX_D_MODEL_MAX];
    double blame[2 * ERX_D_MODEL_MAX];
    float best[2 * ERX_D_MODEL_MAX]; /* factors with the least noise so far */
    float *peaks;                    /* [count] greatest smoothed magnitude of a frame */
} fit_t;

/* ---- start: balance loud channels against those that are listened to ---- */

/* What a squared error of each channel costs: the noise it makes in each head,
 * measured against the power of the head's outputs. */
static void weigh_channels(fit_t *fit, const double *output_power)
{
    const erx_activation_range_t *range = fit->range;
    double power[2 * ERX_D_MODEL_MAX], sum = 0.0;
    for (uint32_t i = 0; i < range->width; i++) {
        const double *slopes = range->slopes + (size_t)i * ERX_OUTPUT_HEADS;
        power[i] = 0.0;
        for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
            power[i] += output_power[head] > 0.0 ? slopes[head] / output_power[head] : 0.0;
        sum += power[i];
    }
    for (uint32_t i = 0; i < range->width; i++)
        fit->weight[i] = sum > 0.0 ? (float)(power[i] * range->width / sum) : 1.0f;
}

static float limit(float factor)
{
    return fminf(fmaxf(factor, SMOOTH_MIN), SMOOTH_MAX);
}

/* sqrt(slope / size), the activation being measured between its mean and its
 * greatest magnitude. */
static void balance(fit_t *fit)
{
    erx_activation_range_t *range = fit->range;
    double log_sum = 0.0;
    for (uint32_t i = 0; i < range->width; i++) {
        double slope = sqrt((double)fit->weight[i]);
        double size = sqrt(sqrt(range->square[i] / range->seen) * (double)range->max[i]);
        /* A channel that is silent, or that nobody listens to, stays as it is. */
        range->smooth[i] = slope > 0.0 && size > 0.0 ? (float)sqrt(slope / size) : 1.0f;
        log_sum += log((double)range->smooth[i]);
    }
    double mean = exp(log_sum / range->width);
    for (uint32_t i = 0; i < range->width; i++)
        range->smooth[i] = limit((float)((double)range->smooth[i] / mean));
}

/* ---- scale ---- */

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Block exponent of a frame, when peaks up to full are held at exponent 0. */
static int exponent_of(float peak, double full)
{
    int exponent = ERX_EXPONENT_MIN;
    while (exponent < ERX_EXPONENT_MAX && (double)peak > ldexp(full, exponent))
        exponent++;
    return exponent;
}

/* Power of the rounding error over all frames (NUMERICS 4.2): each takes the
 * smallest step of a power of two that its peak fits, in as many steps. */
static double rounding_power(const float *peaks, uint32_t count, double full, double steps)
{
    double power = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        double top = ldexp(full, exponent_of(peaks[i], full));
        double step = top / steps;
        double cut = fmax((double)peaks[i] - top, 0.0);
        power += step * step / 12.0 + cut * cut;
    }
    return power;
}

/* The scale with the least rounding error, in a search around the quantile
 * that NUMERICS 8 starts from. */
static double find_scale(float *peaks, uint32_t count, double steps)
{
    qsort(peaks, count, sizeof *peaks, compare_floats);
    double start = fmax((double)peaks[(size_t)(SCALE_QUANTILE * (double)(count - 1))], 1e-6);
    double best = start, least = INFINITY;
    for (int step = -SCALE_STEPS; step <= SCALE_STEPS; step++) {
        double full = start * exp2((double)step / SCALE_STEPS);
        double power = rounding_power(peaks, count, full, steps);
        if (power < least) {
            least = power;
            best = full;
        }
    }
    return best / steps;
}

/* ---- rounds ---- */

/* values times factors; returns the greatest magnitude. */
ERX_WIDE static float smoothen(const float *values, const float *factors, uint32_t width, float *to)
{
    float peak = 0.0f;
    for (uint32_t i = 0; i < width; i++) {
        to[i] = values[i] * factors[i];
        float size = fabsf(to[i]);
        peak = size > peak ? size : peak;
    }
    return peak;
}

/* What rounding each channel to steps costs, and its part in the peak: the
 * sixteenth power of its share of it. */
ERX_WIDE static void weigh(const float *smoothed, const float *cost, uint32_t width, float step,
                           float peak, float *noise, float *part)
{
    float inverse = 1.0f / step, top = 1.0f / peak;
    for (uint32_t i = 0; i < width; i++) {
        float error = smoothed[i] - rintf(smoothed[i] * inverse) * step;
        noise[i] = error * error * cost[i];
        float share = smoothed[i] * top;
        share *= share;
        share *= share;
        share *= share;
        part[i] = share * share;
    }
}

static void see_frame(fit_t *fit, const float *values, double *noise_out)
{
    uint32_t width = fit->range->width;
    float smoothed[2 * ERX_D_MODEL_MAX], noise[2 * ERX_D_MODEL_MAX], part[2 * ERX_D_MODEL_MAX];
    float peak = smoothen(values, fit->range->smooth, width, smoothed);
    if (!(peak > 0.0f))
        return;
    double full = fit->range->scale * fit->range->full;
    double step = ldexp(fit->range->scale, exponent_of(peak, full));
    weigh(smoothed, fit->cost, width, (float)step, peak, noise, part);
    double noise_sum = 0.0, part_sum = 0.0;
    for (uint32_t i = 0; i < width; i++) {
        fit->noise[i] += (double)noise[i];
        noise_sum += (double)noise[i];
        part_sum += (double)part[i];
    }
    for (uint32_t i = 0; i < width; i++)
        fit->blame[i] += noise_sum * (double)part[i] / part_sum;
    *noise_out += noise_sum;
}

/* The scale for the factors as they are, and the noise that then arises. */
static double measure(fit_t *fit)
{
    erx_activation_range_t *range = fit->range;
    float smoothed[2 * ERX_D_MODEL_MAX];
    double noise = 0.0;
    for (uint32_t s = 0; s < fit->count; s++)
        fit->peaks[s] = smoothen(range->samples + (size_t)s * range->width, range->smooth,
                                 range->width, smoothed);
    range->scale = find_scale(fit->peaks, fit->count, range->full);
    for (uint32_t i = 0; i < range->width; i++) {
        fit->cost[i] = fit->weight[i] / (range->smooth[i] * range->smooth[i]);
        fit->noise[i] = fit->blame[i] = 0.0;
    }
    for (uint32_t s = 0; s < fit->count; s++)
        see_frame(fit, range->samples + (size_t)s * range->width, &noise);
    return noise;
}

/* A channel that adds more noise than it is to blame for is made larger, one
 * that only widens the step for all becomes smaller. */
static void improve(fit_t *fit, double rate)
{
    erx_activation_range_t *range = fit->range;
    for (uint32_t i = 0; i < range->width; i++) {
        double sum = fit->noise[i] + fit->blame[i];
        double pull = sum > 0.0 ? (fit->noise[i] - fit->blame[i]) / sum : 0.0;
        range->smooth[i] = limit((float)((double)range->smooth[i] * exp(rate * pull)));
    }
}

static void search(fit_t *fit)
{
    erx_activation_range_t *range = fit->range;
    double least = INFINITY, scale = 0.0, rate = RATE_FIRST;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        double noise = measure(fit);
        if (noise < least) {
            least = noise;
            scale = range->scale;
            memcpy(fit->best, range->smooth, range->width * sizeof *fit->best);
        }
        improve(fit, rate);
        rate *= pow(RATE_LAST / RATE_FIRST, 1.0 / ROUNDS);
    }
    memcpy(range->smooth, fit->best, range->width * sizeof *fit->best);
    range->scale = scale;
}

bool erx_calibration_fit(erx_activation_range_t *range, uint32_t sample_count,
                         const double output_power[ERX_OUTPUT_HEADS])
{
    fit_t *fit = calloc(1, sizeof *fit);
    float *peaks = calloc(sample_count, sizeof *peaks);
    bool fits = fit != NULL && peaks != NULL;
    if (fits) {
        fit->peaks = peaks;
        fit->range = range;
        fit->count = sample_count;
        weigh_channels(fit, output_power);
        balance(fit);
        search(fit);
    }
    free(peaks);
    free(fit);
    return fits;
}

void erx_calibration_round(const erx_activation_range_t *range, const float *values, float *to)
{
    float peak = smoothen(values, range->smooth, range->width, to);
    double full = range->scale * range->full;
    float unit = (float)ldexp(1.0, exponent_of(peak, full));
    float inverse = (float)(1.0 / range->scale) / unit, limit = (float)range->full;
    for (uint32_t i = 0; i < range->width; i++)
        to[i] = fminf(fmaxf(rintf(to[i] * inverse), -limit), limit) * unit;
}
