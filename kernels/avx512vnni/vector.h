/* Arithmetic of NUMERICS 0 on 16 or 32 lanes. */
#ifndef ERX_KERNELS_AVX512VNNI_VECTOR_H
#define ERX_KERNELS_AVX512VNNI_VECTOR_H

#include <immintrin.h>

#include "mem/base.h"

/* Lanes of which only the low 32 bits of each 64-bit result matter. */
#define ERX_ODD_LANES ((__mmask16)0xaaaa)

/* A shift count and its rounding term for 64-bit lanes, shift in [1, 32]. */
typedef struct {
    __m128i right; /* for even lanes: results land in the low dword */
    __m128i left;  /* for odd lanes: results land in the high dword */
    __m512i round;
} erx_shift64_t;

static inline erx_shift64_t erx_shift64(int32_t shift)
{
    return (erx_shift64_t){
        .right = _mm_cvtsi32_si128(shift),
        .left = _mm_cvtsi32_si128(32 - shift),
        .round = _mm512_set1_epi64((long long)(UINT64_C(1) << (shift - 1))),
    };
}

/* Rounds and shifts two vectors of 64-bit lanes and interleaves their low
 * dwords. Results fit 32 bits, so a logical shift gives the same dword as an
 * arithmetic one. */
static inline __m512i erx_narrow64(__m512i even, __m512i odd, erx_shift64_t shift)
{
    even = _mm512_srl_epi64(_mm512_add_epi64(even, shift.round), shift.right);
    odd = _mm512_sll_epi64(_mm512_add_epi64(odd, shift.round), shift.left);
    return _mm512_mask_blend_epi32(ERX_ODD_LANES, even, odd);
}

/* RQ of 16 lanes. */
static inline __m512i erx_requantize16(__m512i value, __m512i multiplier, erx_shift64_t shift)
{
    __m512i even = _mm512_mul_epi32(value, multiplier);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(value, 32), _mm512_srli_epi64(multiplier, 32));
    return erx_narrow64(even, odd, shift);
}

static inline __m512i erx_clamp16(__m512i value, int32_t limit)
{
    return _mm512_max_epi32(_mm512_min_epi32(value, _mm512_set1_epi32(limit)),
                            _mm512_set1_epi32(-limit));
}

/* A bias may be added to this without leaving 32 bits; whatever is cut off
 * here saturates in the caller anyway. */
static inline __m512i erx_bounded(__m512i value)
{
    return erx_clamp16(value, 1 << 30);
}

/* sat16 of 16 lanes, packed. */
static inline __m256i erx_sat16x16(__m512i value)
{
    return _mm256_max_epi16(_mm512_cvtsepi32_epi16(value), _mm256_set1_epi16(-32767));
}

static inline __m512i erx_load_i16x16(const int16_t *values)
{
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)values));
}

/* Low halves only: as one factor of a pair product the other half is zero. */
static inline __m512i erx_load_low16x16(const int16_t *values)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)values));
}

#endif
