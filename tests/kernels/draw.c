#include "tests/kernels/draw.h"

erx_draw_style_t erx_draw_style(erx_rng_t *rng)
{
    return (erx_draw_style_t)erx_rng_range(rng, 0, ERX_DRAW_STYLES - 1);
}

static int64_t limit(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

int64_t erx_draw_value(erx_rng_t *rng, erx_draw_style_t style, int64_t low, int64_t high)
{
    const int64_t edges[] = {low, low + 1, -1, 0, 1, high - 1, high};
    uint64_t bits = erx_rng_next(rng);
    int64_t small = (int64_t)((bits >> 8) >> (8 + bits % 48));
    switch (style) {
    case ERX_DRAW_UNIFORM:
        return erx_rng_range(rng, low, high);
    case ERX_DRAW_EDGES:
        return limit(edges[bits % ERX_COUNT(edges)], low, high);
    case ERX_DRAW_SMALL:
        return limit((bits & 64) != 0 ? small : -small, low, high);
    case ERX_DRAW_LEAST:
        return low;
    case ERX_DRAW_GREATEST:
        return high;
    case ERX_DRAW_EXTREMES:
    case ERX_DRAW_STYLES:
        break;
    }
    return bits % 2 == 0 ? low : high;
}

int32_t erx_draw_scalar(erx_rng_t *rng, int32_t low, int32_t high)
{
    switch (erx_rng_range(rng, 0, 3)) {
    case 0:
        return low;
    case 1:
        return high;
    default:
        return (int32_t)erx_rng_range(rng, low, high);
    }
}

void erx_draw_i8(erx_rng_t *rng, int8_t *values, size_t count, int32_t low, int32_t high)
{
    erx_draw_style_t style = erx_draw_style(rng);
    for (size_t i = 0; i < count; i++)
        values[i] = (int8_t)erx_draw_value(rng, style, low, high);
}

void erx_draw_i16(erx_rng_t *rng, int16_t *values, size_t count, int32_t low, int32_t high)
{
    erx_draw_style_t style = erx_draw_style(rng);
    for (size_t i = 0; i < count; i++)
        values[i] = (int16_t)erx_draw_value(rng, style, low, high);
}

void erx_draw_i32(erx_rng_t *rng, int32_t *values, size_t count, int64_t low, int64_t high)
{
    erx_draw_style_t style = erx_draw_style(rng);
    for (size_t i = 0; i < count; i++)
        values[i] = (int32_t)erx_draw_value(rng, style, low, high);
}

int32_t erx_draw_multiplier(erx_rng_t *rng, uint64_t accumulator_max, int32_t shift,
                            uint64_t result_max)
{
    uint64_t product_max = (result_max << shift) - (UINT64_C(1) << (shift - 1));
    uint64_t greatest = product_max / ERX_MAX(accumulator_max, 1);
    int64_t bound = (int64_t)ERX_MIN(greatest, (uint64_t)INT32_MAX);
    return (int32_t)erx_draw_value(rng, erx_draw_style(rng), -bound, bound);
}
