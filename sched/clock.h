/* Time, and the crank's grid of deadlines. Nothing here reaches state. */
#ifndef ERX_SCHED_CLOCK_H
#define ERX_SCHED_CLOCK_H

#include "mem/status.h"

#define ERX_NS_PER_SECOND UINT64_C(1000000000)

/* CLOCK_MONOTONIC in nanoseconds (vDSO: no system call). Any thread. */
uint64_t erx_clock_now(void);

/* Seconds since 1970, for the timestamps that blocks carry. Any thread. */
int64_t erx_clock_unix_seconds(void);

/* Any clock of the system, such as a thread's processor time, in nanoseconds; 0
 * where it cannot be read. Any thread. */
uint64_t erx_clock_read(int clock_id);

/* Sleeps until an absolute time of erx_clock_now; returns early only when a
 * signal arrives. */
void erx_clock_sleep_until(uint64_t due_ns);

/* A grid of due times start + k * denominator / numerator seconds: exact
 * rational rates, no drift (each due time is computed from k, not from the one
 * before). */
typedef struct {
    uint64_t start_ns;
    uint32_t rate_numerator;   /* frames ... */
    uint32_t rate_denominator; /* ... a second */
} erx_crank_t;

/* Due time of tick k, rounded down to a nanosecond. */
uint64_t erx_crank_due(const erx_crank_t *crank, uint64_t tick);

#endif
