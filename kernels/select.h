/* Which kernels this build holds and this processor can run. */
#ifndef ERX_KERNELS_SELECT_H
#define ERX_KERNELS_SELECT_H

#include "kernels/kernel.h"

#define ERX_KERNELS_MAX 3u

/* Fills kernels_out[ERX_KERNELS_MAX] with those that run here, best first (the
 * scalar reference last); returns how many. */
uint32_t erx_kernel_list(const erx_kernel_t **kernels_out);

/* The best kernel that runs here. */
const erx_kernel_t *erx_kernel_best(void);

/* Kernel by name ("scalar", "avx2", "avx512vnni"); NULL for an unknown name or
 * one that is not in the build or that the processor cannot run. */
const erx_kernel_t *erx_kernel_find(const char *name);

#endif
