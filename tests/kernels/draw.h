/* Random operands. A whole vector is drawn in one style, because what breaks
 * arithmetic is a vector of extremes as often as a lone extreme. */
#ifndef ERX_TESTS_KERNELS_DRAW_H
#define ERX_TESTS_KERNELS_DRAW_H

#include "tests/support/rng.h"

typedef enum {
    ERX_DRAW_UNIFORM,
    ERX_DRAW_EDGES,    /* the ends, their neighbours, and around zero */
    ERX_DRAW_EXTREMES, /* the ends only */
    ERX_DRAW_SMALL,    /* every magnitude as likely as every other */
    ERX_DRAW_LEAST,    /* the lower end everywhere */
    ERX_DRAW_GREATEST, /* the upper end everywhere */
    ERX_DRAW_STYLES
} erx_draw_style_t;

erx_draw_style_t erx_draw_style(erx_rng_t *rng);

/* A value in [low, high]. */
int64_t erx_draw_value(erx_rng_t *rng, erx_draw_style_t style, int64_t low, int64_t high);

/* The same, in a style of its own that prefers the ends. */
int32_t erx_draw_scalar(erx_rng_t *rng, int32_t low, int32_t high);

/* A vector, in a style of its own. */
void erx_draw_i8(erx_rng_t *rng, int8_t *values, size_t count, int32_t low, int32_t high);
void erx_draw_i16(erx_rng_t *rng, int16_t *values, size_t count, int32_t low, int32_t high);
void erx_draw_i32(erx_rng_t *rng, int32_t *values, size_t count, int64_t low, int64_t high);

/* A multiplier that keeps |RS(accumulator * multiplier, shift)| <= result_max
 * for every |accumulator| <= accumulator_max; often the greatest such. */
int32_t erx_draw_multiplier(erx_rng_t *rng, uint64_t accumulator_max, int32_t shift,
                            uint64_t result_max);

#endif
