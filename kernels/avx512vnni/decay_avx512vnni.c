/* The per-head scalars of the state update (NUMERICS 5.5), eight heads at a
 * time in 64-bit lanes; decay.c says what each must be. */
#include <immintrin.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/tables.h"

/* table[index + next] as 64-bit lanes. */
static __m512i look_up(const int32_t *table, __m512i index, int32_t next)
{
    return _mm512_cvtepi32_epi64(
        _mm512_i64gather_epi32(index, (const void *)(table + next), sizeof *table));
}

/* RS(rise * fraction, shift) of factors below 2^31. */
static __m512i interpolate(__m512i fall, __m512i fraction, uint32_t shift)
{
    __m512i product = _mm512_mul_epi32(fall, fraction);
    product = _mm512_add_epi64(product, _mm512_set1_epi64(1LL << (shift - 1)));
    return _mm512_srli_epi64(product, shift);
}

static __m512i softplus(__m512i q)
{
    __m512i magnitude = _mm512_abs_epi64(q);
    __m512i index = _mm512_srli_epi64(magnitude, 11);
    __m512i fraction = _mm512_and_si512(magnitude, _mm512_set1_epi64(2047));
    __m512i left = look_up(erx_table_spl, index, 0);
    __m512i fall = _mm512_sub_epi64(left, look_up(erx_table_spl, index, 1));
    __m512i positive = _mm512_max_epi64(q, _mm512_setzero_si512());
    __m512i line = _mm512_sub_epi64(left, interpolate(fall, fraction, 11));
    return _mm512_add_epi64(_mm512_slli_epi64(positive, 8), line);
}

/* 2^(-t / 65536) in Q15 for t >= 0. */
static __m512i exp2_negative(__m512i t)
{
    __m512i whole = _mm512_min_epi64(_mm512_srli_epi64(t, 16), _mm512_set1_epi64(16));
    __m512i index = _mm512_and_si512(_mm512_srli_epi64(t, 8), _mm512_set1_epi64(255));
    __m512i fraction = _mm512_and_si512(t, _mm512_set1_epi64(255));
    __m512i left = look_up(erx_table_exp2, index, 0);
    __m512i fall = _mm512_sub_epi64(left, look_up(erx_table_exp2, index, 1));
    __m512i E = _mm512_sub_epi64(left, interpolate(fall, fraction, 8));
    __m512i round = _mm512_sllv_epi64(_mm512_set1_epi64(1 << 14), whole);
    __m512i shift = _mm512_add_epi64(whole, _mm512_set1_epi64(15));
    __m512i result = _mm512_srlv_epi64(_mm512_add_epi64(E, round), shift);
    return _mm512_min_epi64(result, _mm512_set1_epi64(32767));
}

static __m512i load_heads(const int32_t *values, uint32_t head, __mmask8 mask)
{
    return _mm512_cvtepi32_epi64(_mm256_maskz_loadu_epi32(mask, values + head));
}

static void decay_of_8(const erx_layer_t *layer, uint32_t head, __mmask8 mask, const int32_t *dt,
                       erx_decays_t *out)
{
    const __m512i limit = _mm512_set1_epi64((1 << 20) - 1);
    const __m512i negative_limit = _mm512_set1_epi64(-((1 << 20) - 1));
    __m512i q = _mm512_add_epi64(load_heads(dt, head, mask), load_heads(layer->dtb, head, mask));
    q = _mm512_max_epi64(_mm512_min_epi64(q, limit), negative_limit);
    __m512i delta = softplus(q);
    __m512i t = _mm512_mul_epi32(delta, load_heads(layer->Am, head, mask));
    __m512i Abar = exp2_negative(_mm512_srli_epi64(t, 24));
    __m512i Kx = interpolate(delta, load_heads(layer->md, head, mask), 24);
    Kx = _mm512_min_epi64(Kx, _mm512_set1_epi64((1 << 29) - 1));
    /* nb = max(bit length - 15, 0) = max(49 - leading zeros, 0) */
    __m512i nb = _mm512_sub_epi64(_mm512_set1_epi64(49), _mm512_lzcnt_epi64(Kx));
    nb = _mm512_max_epi64(nb, _mm512_setzero_si512());
    __m512i ns = _mm512_sub_epi64(_mm512_set1_epi64(16), nb);
    _mm256_mask_storeu_epi32(out->Abar + head, mask, _mm512_cvtepi64_epi32(Abar));
    _mm256_mask_storeu_epi32(out->Km + head, mask,
                             _mm512_cvtepi64_epi32(_mm512_srlv_epi64(Kx, nb)));
    _mm256_mask_storeu_epi32(out->ns + head, mask, _mm512_cvtepi64_epi32(ns));
}

void erx_avx512vnni_decay(const erx_layer_t *layer, uint32_t head_count, const int32_t *dt,
                          erx_decays_t *out)
{
    for (uint32_t head = 0; head < head_count; head += 8) {
        uint32_t left = head_count - head;
        decay_of_8(layer, head, left >= 8 ? 0xff : (__mmask8)((1u << left) - 1), dt, out);
    }
}
