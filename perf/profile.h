/* Where a frame's time goes: a kernel table that measures the one behind it.
 * One thread at a time. */
#ifndef ERX_PERF_PROFILE_H
#define ERX_PERF_PROFILE_H

#include "kernels/kernel.h"

#define ERX_PROFILE_OPERATIONS 11u

typedef struct {
    const char *name;
    uint64_t calls;
    uint64_t ticks; /* of the processor's time stamp counter */
} erx_profile_entry_t;

/* The clock that ticks are counted by. */
uint64_t erx_profile_ticks(void);

/* A table like kernel whose operations also count into the profile; starts an
 * empty profile. Valid until the next call. */
const erx_kernel_t *erx_profile_wrap(const erx_kernel_t *kernel);

/* The entries so far, in the order of a frame. */
const erx_profile_entry_t *erx_profile_entries(void);

#endif
