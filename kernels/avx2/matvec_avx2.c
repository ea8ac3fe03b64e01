/* Row-major matrix times one vector with vpmaddwd: i8 widened to i16 on the way
 * in, so that every product is exact. Four rows share each load of the vector. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx2/avx2.h"
#include "kernels/avx2/vector256.h"
#include "kernels/unroll.h"

#define ROWS         4u
#define STEP_COLUMNS 16u

/* Weights arrive from far memory: this many bytes ahead of the loads. */
#define FETCH_AHEAD 16384u

static __m256i widen(const int8_t *values)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)values));
}

/* The last columns, zeros behind them. */
static __m256i widen_part(const int8_t *values, uint32_t count)
{
    int8_t part[STEP_COLUMNS] = {0};
    memcpy(part, values, count);
    return widen(part);
}

static int32_t sum8(__m256i value)
{
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

/* row_count is a constant at every call. */
static inline __attribute__((always_inline)) void some_rows(const uint32_t row_count,
                                                            const int8_t *weights, uint32_t columns,
                                                            const int8_t *input, uint8_t *output)
{
    __m256i sums[ROWS];
    int32_t totals[ROWS];
    uint32_t whole = columns / STEP_COLUMNS * STEP_COLUMNS;
    ERX_UNROLL
    for (uint32_t r = 0; r < row_count; r++)
        sums[r] = _mm256_setzero_si256();
    for (uint32_t j = 0; j < whole; j += STEP_COLUMNS) {
        __m256i x = widen(input + j);
        ERX_UNROLL
        for (uint32_t r = 0; r < row_count; r++) {
            const int8_t *row = weights + (size_t)r * columns + j;
            _mm_prefetch((const char *)((uintptr_t)row + FETCH_AHEAD), _MM_HINT_T1);
            sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(x, widen(row)));
        }
    }
    if (whole != columns) {
        __m256i x = widen_part(input + whole, columns - whole);
        ERX_UNROLL
        for (uint32_t r = 0; r < row_count; r++) {
            __m256i w = widen_part(weights + (size_t)r * columns + whole, columns - whole);
            sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(x, w));
        }
    }
    ERX_UNROLL
    for (uint32_t r = 0; r < row_count; r++)
        totals[r] = sum8(sums[r]);
    memcpy(output, totals, row_count * sizeof *totals);
}

void erx_avx2_matvec(const int8_t *weights, uint32_t rows, uint32_t columns, const int8_t *input,
                     void *output)
{
    uint8_t *out = output;
    uint32_t i = 0;
    for (; i + ROWS <= rows; i += ROWS)
        some_rows(ROWS, weights + (size_t)i * columns, columns, input, out + i * sizeof(int32_t));
    for (; i < rows; i++)
        some_rows(1, weights + (size_t)i * columns, columns, input, out + i * sizeof(int32_t));
}
