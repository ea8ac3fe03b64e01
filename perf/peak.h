/* The machine's limit for a kernel's arithmetic: multiply-adds from registers
 * alone, measured in the same run as what is compared with it. */
#ifndef ERX_PERF_PEAK_H
#define ERX_PERF_PEAK_H

#include "kernels/kernel.h"

/* Multiply-accumulates of i8 operands that one core does in about
 * duration_ns without touching memory, in GMAC/s; 0 where no limit is known
 * for the kernel (the scalar reference). */
double erx_peak_gmacs(const erx_kernel_t *kernel, uint64_t duration_ns);

/* Runs rounds of ERX_PEAK_MACS multiply-adds each; one an instruction set.
 * The result depends on all of them, so that none can be left out. */
#define ERX_PEAK_MACS_AVX2       (6u * 16u)
#define ERX_PEAK_MACS_AVX512VNNI (24u * 64u)
int32_t erx_peak_avx2(uint64_t rounds);
int32_t erx_peak_avx512vnni(uint64_t rounds);

#endif
