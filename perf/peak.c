#include "perf/peak.h"

#include <string.h>

#include "sched/clock.h"

typedef int32_t (*peak_fn)(uint64_t rounds);

static peak_fn peak_of(const erx_kernel_t *kernel, uint64_t *macs_out)
{
#ifdef ERX_ISA_AVX512VNNI
    if (kernel == &erx_kernel_avx512vnni) {
        *macs_out = ERX_PEAK_MACS_AVX512VNNI;
        return erx_peak_avx512vnni;
    }
#endif
#ifdef ERX_ISA_AVX2
    if (kernel == &erx_kernel_avx2) {
        *macs_out = ERX_PEAK_MACS_AVX2;
        return erx_peak_avx2;
    }
#endif
    (void)kernel;
    *macs_out = 0;
    return NULL;
}

double erx_peak_gmacs(const erx_kernel_t *kernel, uint64_t duration_ns)
{
    uint64_t macs;
    peak_fn peak = peak_of(kernel, &macs);
    if (peak == NULL)
        return 0;
    uint64_t rounds = 1000, elapsed = 0;
    int32_t volatile result;
    while (elapsed < duration_ns) {
        uint64_t begin = erx_clock_now();
        result = peak(rounds);
        elapsed = erx_clock_now() - begin;
        if (elapsed < duration_ns)
            rounds *= 2;
    }
    (void)result;
    return (double)(macs * rounds) / (double)elapsed;
}
