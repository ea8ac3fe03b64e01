/* NUMERICS 4.1 and the products of 4.2, for activations of 8 and of 14 bits. */
#ifndef ERX_KERNELS_AVX512VNNI_NORM_H
#define ERX_KERNELS_AVX512VNNI_NORM_H

#include "kernels/avx512vnni/vector.h"
#include "kernels/requant.h"

#define ERX_NORM_LANES 16u

/* 4.1 as a requantization: v * r >> (16 + k). */
typedef struct {
    __m512i r;
    erx_shift64_t shift;
} erx_vector_root_t;

static inline erx_vector_root_t erx_vector_root(const int32_t *v, uint32_t n, int64_t eps)
{
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n; i += ERX_NORM_LANES) {
        __m512i value = _mm512_loadu_si512(v + i);
        __m512i high = _mm512_srli_epi64(value, 32);
        even = _mm512_add_epi64(even, _mm512_mul_epi32(value, value));
        odd = _mm512_add_epi64(odd, _mm512_mul_epi32(high, high));
    }
    uint64_t ss = (uint64_t)eps + (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(even, odd));
    erx_root_t root = erx_reciprocal_root(ss);
    return (erx_vector_root_t){
        .r = _mm512_set1_epi32((int32_t)root.r),
        .shift = erx_shift64(16 + root.k),
    };
}

static inline __m512i erx_normalize16(const int32_t *v, erx_vector_root_t root)
{
    return erx_clamp16(erx_requantize16(_mm512_loadu_si512(v), root.r, root.shift), 32767);
}

/* Products t with a gain, and the greatest magnitude among them. */
static inline __m512i erx_gain_product(__m512i y, const int16_t *gain, __m512i *greatest)
{
    __m512i t = _mm512_madd_epi16(y, erx_load_low16x16(gain));
    *greatest = _mm512_max_epi32(*greatest, _mm512_abs_epi32(t));
    return t;
}

/* t of a whole vector, normalized; returns the greatest magnitude of each lane. */
static inline __m512i erx_normalize_all(const int32_t *v, uint32_t n, int64_t eps,
                                        const int16_t *gain, int32_t *t)
{
    __m512i greatest = _mm512_setzero_si512();
    erx_vector_root_t root = erx_vector_root(v, n, eps);
    for (uint32_t i = 0; i < n; i += ERX_NORM_LANES)
        _mm512_store_si512(t + i,
                           erx_gain_product(erx_normalize16(v + i, root), gain + i, &greatest));
    return greatest;
}

/* t of the heads' input, which has no norm. */
static inline __m512i erx_gain_all(const int16_t *hidden, uint32_t n, const int16_t *gain,
                                   int32_t *t)
{
    __m512i greatest = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n; i += ERX_NORM_LANES)
        _mm512_store_si512(t + i,
                           erx_gain_product(erx_load_i16x16(hidden + i), gain + i, &greatest));
    return greatest;
}

#endif
