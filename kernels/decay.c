#include "kernels/decay.h"

#include "kernels/requant.h"
#include "kernels/tables.h"

/* Softplus of q (Q16) in Q24; below 2^29. */
static int64_t softplus(int32_t q)
{
    int32_t magnitude = q < 0 ? -q : q;
    int32_t index = magnitude >> 11;
    int32_t fraction = magnitude & 2047;
    int64_t fall = erx_table_spl[index] - erx_table_spl[index + 1];
    return ((int64_t)ERX_MAX(q, 0) << 8) + erx_table_spl[index] -
           erx_round_shift(fall * fraction, 11);
}

/* 2^(-t / 65536) in Q15 for t >= 0. */
static int16_t exp2_negative(int64_t t)
{
    int32_t whole = (int32_t)ERX_MIN(t >> 16, 16);
    int32_t f = (int32_t)(t & 65535);
    int64_t fall = erx_table_exp2[f >> 8] - erx_table_exp2[(f >> 8) + 1];
    int64_t E = erx_table_exp2[f >> 8] - erx_round_shift(fall * (f & 255), 8);
    return (int16_t)ERX_MIN(erx_round_shift(E, 15 + whole), 32767);
}

erx_decay_t erx_decay(const erx_layer_t *layer, uint32_t head, int32_t dt)
{
    const int32_t limit = (1 << 20) - 1;
    int32_t q = (int32_t)erx_clamp64((int64_t)dt + layer->dtb[head], -limit, limit);
    int64_t delta = softplus(q);
    int64_t Kx = ERX_MIN(erx_round_shift(delta * layer->md[head], 24), (1 << 29) - 1);
    int32_t length = Kx == 0 ? 0 : 64 - __builtin_clzll((uint64_t)Kx);
    int32_t nb = ERX_MAX(length - 15, 0);
    return (erx_decay_t){
        .Abar = exp2_negative((delta * layer->Am[head]) >> 24),
        .Km = (int16_t)(Kx >> nb),
        .ns = 16 - nb,
    };
}
