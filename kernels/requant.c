#include "kernels/requant.h"

#include "kernels/tensors.h"

/* Counts the exponents that are too small, which a processor need not guess. */
static int32_t block_exponent(int32_t greatest, int32_t gain_shift, int32_t limit)
{
    int32_t exponent = ERX_EXPONENT_MIN;
    for (int32_t e = ERX_EXPONENT_MIN; e < ERX_EXPONENT_MAX; e++)
        exponent += erx_round_shift(greatest, gain_shift + e) > limit;
    return exponent;
}

int32_t erx_block_exponent(int32_t greatest, int32_t gain_shift)
{
    return block_exponent(greatest, gain_shift, ERX_ACTIVATION_MAX);
}

int32_t erx_block_exponent_wide(int32_t greatest, int32_t gain_shift)
{
    return block_exponent(greatest, gain_shift, ERX_ACTIVATION_WIDE_MAX);
}

/* Floor of the square root of a value in [2^30, 2^32]. A tangent lies above the
 * root by 9 % at most; Newton's steps in whole numbers never fall below the
 * floor of the root, and two of them leave less than one too much. */
static uint64_t integer_root(uint64_t value)
{
    uint64_t root = 24576 + value / 98304;
    root = (root + value / root) / 2;
    root = (root + value / root) / 2;
    return root - (root * root > value);
}

erx_root_t erx_reciprocal_root(uint64_t ss)
{
    /* So that 31 or 32 bits are left. */
    int32_t k = (33 - __builtin_clzll(ss)) >> 1;
    ss = k >= 0 ? ss >> (2 * k) : ss << (-2 * k);
    return (erx_root_t){.r = (int64_t)integer_root((UINT64_C(1) << 62) / ss), .k = k};
}
