/* Sigmoid by table and SiLU (NUMERICS 5.4), the scalar definition. */
#ifndef ERX_KERNELS_SILU_H
#define ERX_KERNELS_SILU_H

#include "kernels/requant.h"
#include "kernels/tables.h"

/* Sigmoid of v in Qf as Q15; f in [8, 12]. */
static inline int16_t erx_sigmoid(int16_t v, int32_t f)
{
    int32_t step = f - 3;
    int32_t t = v + (1 << (f + 4));
    int32_t index = t >> step;
    int32_t fraction = t & ((1 << step) - 1);
    if (index < 0)
        return 0;
    if (index > 255)
        return 32767;
    int32_t rise = erx_table_sig[index + 1] - erx_table_sig[index];
    return (int16_t)(erx_table_sig[index] + erx_round_shift((int64_t)rise * fraction, step));
}

static inline int16_t erx_silu(int16_t v, int32_t f)
{
    return erx_mulhrs(v, erx_sigmoid(v, f));
}

#endif
