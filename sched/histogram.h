/* Latencies in nanoseconds, counted in buckets of at most 1/128 of their value:
 * percentiles of any number of samples in fixed memory, the maximum exact. */
#ifndef ERX_SCHED_HISTOGRAM_H
#define ERX_SCHED_HISTOGRAM_H

#include "mem/base.h"

#define ERX_HISTOGRAM_STEPS_LOG2 7 /* buckets an octave, as a power of two */
#define ERX_HISTOGRAM_BUCKETS    ((65u - ERX_HISTOGRAM_STEPS_LOG2) << ERX_HISTOGRAM_STEPS_LOG2)

typedef struct {
    uint64_t count;
    uint64_t greatest;
    uint64_t buckets[ERX_HISTOGRAM_BUCKETS];
} erx_histogram_t;

/* Counts value, times times over. One writer. */
void erx_histogram_add(erx_histogram_t *histogram, uint64_t value, uint64_t times);

/* Least upper bound of a share of the samples, such as 0.99, at bucket
 * precision; 0 when there are none. */
uint64_t erx_histogram_quantile(const erx_histogram_t *histogram, double share);

/* The shares that latencies are told by, and the greatest. */
typedef struct {
    uint64_t p50, p99, p999, greatest;
} erx_histogram_summary_t;

erx_histogram_summary_t erx_histogram_summary(const erx_histogram_t *histogram);

#endif
