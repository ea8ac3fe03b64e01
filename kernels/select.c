/* Compiled for the baseline instruction set: it must run before anything is
 * known about the processor. */
#include "kernels/select.h"

#include <string.h>

uint32_t erx_kernel_list(const erx_kernel_t **kernels_out)
{
    uint32_t count = 0;
    __builtin_cpu_init();
#ifdef ERX_ISA_AVX512VNNI
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vnni"))
        kernels_out[count++] = &erx_kernel_avx512vnni;
#endif
#ifdef ERX_ISA_AVX2
    if (__builtin_cpu_supports("avx2"))
        kernels_out[count++] = &erx_kernel_avx2;
#endif
    kernels_out[count++] = &erx_kernel_scalar;
    return count;
}

const erx_kernel_t *erx_kernel_best(void)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    (void)erx_kernel_list(kernels);
    return kernels[0];
}

const erx_kernel_t *erx_kernel_find(const char *name)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(kernels[i]->name, name) == 0)
            return kernels[i];
    return NULL;
}
