#include <immintrin.h>

#include "kernels/unroll.h"
#include "perf/peak.h"

int32_t erx_peak_avx512vnni(uint64_t rounds)
{
    __m512i acc[24];
    __m512i a = _mm512_set1_epi32((int)rounds);
    __m512i w = _mm512_set1_epi32((int)rounds + 1);
    ERX_UNROLL
    for (int i = 0; i < 24; i++) {
        acc[i] = _mm512_setzero_si512();
        __asm__("" : "+v"(acc[i])); /* equal sums would be computed once */
    }
    for (uint64_t round = 0; round < rounds; round++) {
        /* The operands look new in every round. */
        __asm__ volatile("" : "+v"(a), "+v"(w));
        ERX_UNROLL
        for (int i = 0; i < 24; i++)
            acc[i] = _mm512_dpbusd_epi32(acc[i], a, w);
    }
    ERX_UNROLL
    for (int i = 1; i < 24; i++)
        acc[0] = _mm512_add_epi32(acc[0], acc[i]);
    return _mm512_reduce_add_epi32(acc[0]);
}
