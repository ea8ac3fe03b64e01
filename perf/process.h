/* What this process has used. */
#ifndef ERX_PERF_PROCESS_H
#define ERX_PERF_PROCESS_H

#include "mem/base.h"

/* User and system time of all threads so far. */
double erx_process_cpu_seconds(void);

/* Resident memory now. 0 where /proc cannot be read. */
uint64_t erx_process_rss_bytes(void);

#endif
