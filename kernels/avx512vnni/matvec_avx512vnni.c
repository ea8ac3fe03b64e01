/* Row-major matrix times one vector with vpdpbusd. Weights become u8 = s8 + 128
 * in the register (one exclusive or), so that the vector stays s8 and what is
 * too much is 128 * sum(x), the same for every row. Four rows share each load
 * of the vector; the last columns are loads under a mask. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/unroll.h"

#define ROWS         4u
#define STEP_COLUMNS 64u

/* Weights arrive from far memory: this many bytes ahead of the loads. */
#define FETCH_AHEAD 16384u

static __mmask64 tail_mask(uint32_t columns)
{
    uint32_t rest = columns % STEP_COLUMNS;
    return rest == 0 ? 0 : UINT64_MAX >> (STEP_COLUMNS - rest);
}

/* 128 * sum of the vector. */
static int32_t excess(const int8_t *input, uint32_t columns)
{
    const __m512i factor = _mm512_set1_epi8((char)0x80); /* 128 as u8 */
    __mmask64 mask = tail_mask(columns);
    uint32_t whole = columns / STEP_COLUMNS * STEP_COLUMNS;
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t j = 0; j < whole; j += STEP_COLUMNS)
        sum = _mm512_dpbusd_epi32(sum, factor, _mm512_loadu_si512(input + j));
    if (mask != 0)
        sum = _mm512_dpbusd_epi32(sum, factor, _mm512_maskz_loadu_epi8(mask, input + whole));
    return _mm512_reduce_add_epi32(sum);
}

/* Sums of the lanes of each of four vectors. */
static __m128i sum_lanes(const __m512i s[ROWS])
{
    __m512i low = _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), //
                                   _mm512_unpackhi_epi32(s[0], s[1]));
    __m512i high =
        _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
    __m512i all =
        _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* row_count is a constant at every call. */
static inline __attribute__((always_inline)) void some_rows(const uint32_t row_count,
                                                            const int8_t *weights, uint32_t columns,
                                                            const int8_t *input,
                                                            int32_t input_excess, uint8_t *output)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __mmask64 mask = tail_mask(columns);
    uint32_t whole = columns / STEP_COLUMNS * STEP_COLUMNS;
    __m512i sums[ROWS] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                          _mm512_setzero_si512()};
    for (uint32_t j = 0; j < whole; j += STEP_COLUMNS) {
        __m512i x = _mm512_loadu_si512(input + j);
        ERX_UNROLL
        for (uint32_t r = 0; r < row_count; r++) {
            const int8_t *row = weights + (size_t)r * columns + j;
            _mm_prefetch((const char *)((uintptr_t)row + FETCH_AHEAD), _MM_HINT_T1);
            __m512i w = _mm512_xor_si512(_mm512_loadu_si512(row), flip);
            sums[r] = _mm512_dpbusd_epi32(sums[r], w, x);
        }
    }
    if (mask != 0) {
        __m512i x = _mm512_maskz_loadu_epi8(mask, input + whole);
        ERX_UNROLL
        for (uint32_t r = 0; r < row_count; r++) {
            const int8_t *row = weights + (size_t)r * columns + whole;
            __m512i w = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, row), flip);
            sums[r] = _mm512_dpbusd_epi32(sums[r], w, x);
        }
    }
    int32_t totals[ROWS];
    _mm_storeu_si128((__m128i *)(void *)totals,
                     _mm_sub_epi32(sum_lanes(sums), _mm_set1_epi32(input_excess)));
    memcpy(output, totals, row_count * sizeof *totals);
}

void erx_avx512vnni_matvec(const int8_t *weights, uint32_t rows, uint32_t columns,
                           const int8_t *input, void *output)
{
    uint8_t *out = output;
    int32_t input_excess = excess(input, columns);
    uint32_t i = 0;
    for (; i + ROWS <= rows; i += ROWS)
        some_rows(ROWS, weights + (size_t)i * columns, columns, input, input_excess,
                  out + i * sizeof(int32_t));
    for (; i < rows; i++)
        some_rows(1, weights + (size_t)i * columns, columns, input, input_excess,
                  out + i * sizeof(int32_t));
}
