/* What this process has used, and whether it was asked to stop. */
#ifndef ERX_PERF_PROCESS_H
#define ERX_PERF_PROCESS_H

#include "mem/base.h"

#include <signal.h>

/* User and system time of all threads so far. */
double erx_process_cpu_seconds(void);

/* Resident memory now. 0 where /proc cannot be read. */
uint64_t erx_process_rss_bytes(void);

/* From now on SIGINT and SIGTERM set the flag that is returned, and nothing else. */
const volatile sig_atomic_t *erx_process_catch_stop(void);

#endif
