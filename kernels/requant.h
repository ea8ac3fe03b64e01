/* The one definition of rounding, saturation and scale (NUMERICS 0). */
#ifndef ERX_KERNELS_REQUANT_H
#define ERX_KERNELS_REQUANT_H

#include "mem/base.h"

static inline int32_t erx_clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static inline int64_t erx_clamp64(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Symmetric saturation: -32768 and -128 never become an operand. */
static inline int16_t erx_sat16(int64_t value)
{
    return (int16_t)erx_clamp64(value, -32767, 32767);
}

static inline int8_t erx_sat8(int64_t value)
{
    return (int8_t)erx_clamp64(value, -127, 127);
}

/* RS(v, n): shift right, halves round toward +infinity. n in [0, 62]. */
static inline int64_t erx_round_shift(int64_t value, int32_t shift)
{
    return shift == 0 ? value : (value + (INT64_C(1) << (shift - 1))) >> shift;
}

/* RQ(acc, m, s): the result fits 32 bits by the model's checked bounds. */
static inline int32_t erx_requantize(int32_t accumulator, int32_t multiplier, int32_t shift)
{
    return (int32_t)erx_round_shift((int64_t)accumulator * multiplier, shift);
}

/* mulhrs: Q15 product, rounded; what x86 pmulhrsw computes. */
static inline int16_t erx_mulhrs(int16_t a, int16_t b)
{
    return (int16_t)(((int32_t)a * b + (1 << 14)) >> 15);
}

/* Smallest exponent e in [ERX_EXPONENT_MIN, ERX_EXPONENT_MAX] that brings
 * greatest (>= 0) into 8 bits after a rounding shift by gain_shift + e
 * (NUMERICS 4.2). */
int32_t erx_block_exponent(int32_t greatest, int32_t gain_shift);

/* The same for 14 bits (NUMERICS 13). */
int32_t erx_block_exponent_wide(int32_t greatest, int32_t gain_shift);

/* Reciprocal square root of a sum of squares (NUMERICS 4.1): v * r >> (16 + k)
 * is v / sqrt(ss) in Q15. ss >= 1; r in [2^15, 2^16]. */
typedef struct {
    int64_t r;
    int32_t k;
} erx_root_t;

erx_root_t erx_reciprocal_root(uint64_t ss);

#endif
