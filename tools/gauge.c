#include "tools/gauge.h"

#include <math.h>

/* What one call adds, in integers: exact, and quick to sum. 2^16 squares of
 * residuals (2^26 at most) stay below 2^68, so those are summed as doubles. */
typedef struct {
    int64_t sum;
    double squares;
    uint64_t zeros, saturated;
    int64_t greatest;
} part_t;

static void add_part(erx_gauge_t *gauge, const part_t *part, uint32_t count)
{
    gauge->sum += (double)part->sum;
    gauge->squares += part->squares;
    gauge->count += count;
    gauge->zeros += part->zeros;
    gauge->saturated += part->saturated;
    gauge->greatest = ERX_MAX(gauge->greatest, part->greatest);
}

void erx_gauge_add_i16(erx_gauge_t *gauge, const int16_t *values, uint32_t count, int32_t limit)
{
    part_t part = {0};
    uint64_t squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t value = values[i];
        int32_t magnitude = value < 0 ? -value : value;
        part.sum += value;
        squares += (uint64_t)((int64_t)value * value);
        part.zeros += value == 0;
        part.saturated += magnitude >= limit;
        part.greatest = ERX_MAX(part.greatest, magnitude);
    }
    part.squares = (double)squares;
    add_part(gauge, &part, count);
}

void erx_gauge_add_i32(erx_gauge_t *gauge, const int32_t *values, uint32_t count, int32_t limit)
{
    part_t part = {0};
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = values[i];
        int64_t magnitude = value < 0 ? -value : value;
        part.sum += value;
        part.squares += (double)value * (double)value;
        part.zeros += value == 0;
        part.saturated += magnitude >= limit;
        part.greatest = ERX_MAX(part.greatest, magnitude);
    }
    add_part(gauge, &part, count);
}

void erx_gauge_merge(erx_gauge_t *gauge, const erx_gauge_t *other)
{
    gauge->sum += other->sum;
    gauge->squares += other->squares;
    gauge->count += other->count;
    gauge->zeros += other->zeros;
    gauge->saturated += other->saturated;
    gauge->greatest = ERX_MAX(gauge->greatest, other->greatest);
}

static double share(double part, uint64_t whole)
{
    return whole == 0 ? 0 : part / (double)whole;
}

double erx_gauge_mean(const erx_gauge_t *gauge)
{
    return share(gauge->sum, gauge->count);
}

double erx_gauge_rms(const erx_gauge_t *gauge)
{
    return sqrt(share(gauge->squares, gauge->count));
}

double erx_gauge_deviation(const erx_gauge_t *gauge)
{
    double mean = erx_gauge_mean(gauge);
    double variance = share(gauge->squares, gauge->count) - mean * mean;
    return variance > 0 ? sqrt(variance) : 0;
}

double erx_gauge_zeros(const erx_gauge_t *gauge)
{
    return share((double)gauge->zeros, gauge->count);
}

double erx_gauge_saturated(const erx_gauge_t *gauge)
{
    return share((double)gauge->saturated, gauge->count);
}
