#include "kernels/requant.h"

#include "kernels/tensors.h"

static int32_t block_exponent(int32_t greatest, int32_t gain_shift, int32_t limit)
{
    int32_t exponent = ERX_EXPONENT_MIN;
    while (exponent < ERX_EXPONENT_MAX && erx_round_shift(greatest, gain_shift + exponent) > limit)
        exponent++;
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

/* Floor of the square root, one bit at a time: 16 bits are enough here, the
 * seventeenth only for the exact upper end. */
static uint64_t integer_root(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 16; bit != 0; bit >>= 1) {
        uint64_t trial = root | bit;
        if (trial * trial <= value)
            root = trial;
    }
    return root;
}

erx_root_t erx_reciprocal_root(uint64_t ss)
{
    int32_t k = 0;
    while (ss >= UINT64_C(1) << 32) {
        ss >>= 2;
        k++;
    }
    while (ss < UINT64_C(1) << 30) {
        ss <<= 2;
        k--;
    }
    return (erx_root_t){.r = (int64_t)integer_root((UINT64_C(1) << 62) / ss), .k = k};
}
