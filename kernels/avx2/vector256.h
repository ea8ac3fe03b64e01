/* Arithmetic of NUMERICS 0 on 8 lanes of 32 bits or 16 lanes of 16 bits. */
#ifndef ERX_KERNELS_AVX2_VECTOR256_H
#define ERX_KERNELS_AVX2_VECTOR256_H

#include <immintrin.h>

#include "mem/base.h"

static inline __m256i erx_load256(const void *values)
{
    return _mm256_loadu_si256(values);
}

static inline void erx_store256(void *values, __m256i vector)
{
    _mm256_storeu_si256(values, vector);
}

/* A shift count and its rounding term for 64-bit lanes, shift in [1, 32]. */
typedef struct {
    __m128i right; /* for even lanes: results land in the low dword */
    __m128i left;  /* for odd lanes: results land in the high dword */
    __m256i round;
} erx_shift64_t;

static inline erx_shift64_t erx_shift64(int32_t shift)
{
    return (erx_shift64_t){
        .right = _mm_cvtsi32_si128(shift),
        .left = _mm_cvtsi32_si128(32 - shift),
        .round = _mm256_set1_epi64x((long long)(UINT64_C(1) << (shift - 1))),
    };
}

/* Rounds and shifts two vectors of 64-bit lanes and interleaves their low
 * dwords. Results fit 32 bits, so a logical shift gives the same dword as the
 * arithmetic one, which AVX2 does not have. */
static inline __m256i erx_narrow64(__m256i even, __m256i odd, erx_shift64_t shift)
{
    even = _mm256_srl_epi64(_mm256_add_epi64(even, shift.round), shift.right);
    odd = _mm256_sll_epi64(_mm256_add_epi64(odd, shift.round), shift.left);
    return _mm256_blend_epi32(even, odd, 0xaa);
}

/* RQ of 8 lanes. */
static inline __m256i erx_requantize8(__m256i value, __m256i multiplier, erx_shift64_t shift)
{
    __m256i even = _mm256_mul_epi32(value, multiplier);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(value, 32), _mm256_srli_epi64(multiplier, 32));
    return erx_narrow64(even, odd, shift);
}

/* RS of 8 lanes, shift in [1, 31]; value + 2^(shift-1) fits 32 bits. */
static inline __m256i erx_round_shift8(__m256i value, int32_t shift)
{
    value = _mm256_add_epi32(value, _mm256_set1_epi32((int32_t)(1u << (shift - 1))));
    return _mm256_sra_epi32(value, _mm_cvtsi32_si128(shift));
}

static inline __m256i erx_clamp8(__m256i value, int32_t limit)
{
    return _mm256_max_epi32(_mm256_min_epi32(value, _mm256_set1_epi32(limit)),
                            _mm256_set1_epi32(-limit));
}

/* 8 + 8 lanes as 16 in order, clamped to +-limit (at most 32767). */
static inline __m256i erx_pack16(__m256i low, __m256i high, int16_t limit)
{
    /* The instruction packs each half of the register for itself. */
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    return _mm256_max_epi16(_mm256_min_epi16(packed, _mm256_set1_epi16(limit)),
                            _mm256_set1_epi16((int16_t)-limit));
}

static inline __m256i erx_load_i16x8(const int16_t *values)
{
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)values));
}

/* Low halves only: as one factor of a pair product the other half is zero. */
static inline __m256i erx_load_low16x8(const int16_t *values)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)values));
}

static inline int64_t erx_sum64(__m256i value)
{
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    return _mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
}

static inline int32_t erx_greatest32(__m256i value)
{
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

#endif
