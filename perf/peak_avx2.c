#include <immintrin.h>

#include "kernels/unroll.h"
#include "perf/peak.h"

int32_t erx_peak_avx2(uint64_t rounds)
{
    __m256i acc[6];
    __m256i a = _mm256_set1_epi32((int)rounds);
    __m256i w = _mm256_set1_epi32((int)rounds + 1);
    ERX_UNROLL
    for (int i = 0; i < 6; i++) {
        acc[i] = _mm256_setzero_si256();
        __asm__("" : "+x"(acc[i])); /* equal sums would be computed once */
    }
    for (uint64_t round = 0; round < rounds; round++) {
        ERX_UNROLL
        for (int i = 0; i < 6; i++) {
            __m256i product;
            /* As assembly, because equal products would be computed once. */
            __asm__ volatile("vpmaddwd %2, %1, %0" : "=x"(product) : "x"(a), "x"(w));
            acc[i] = _mm256_add_epi32(acc[i], product);
        }
    }
    ERX_UNROLL
    for (int i = 1; i < 6; i++)
        acc[0] = _mm256_add_epi32(acc[0], acc[i]);
    int32_t lanes[8];
    _mm256_storeu_si256((__m256i *)(void *)lanes, acc[0]);
    return lanes[0] + lanes[7];
}
