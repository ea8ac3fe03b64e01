#include "sched/histogram.h"

#define STEPS (UINT64_C(1) << ERX_HISTOGRAM_STEPS_LOG2)

/* Values below STEPS have a bucket each; above, the leading bits choose one. */
static uint32_t bucket_of(uint64_t value)
{
    if (value < STEPS)
        return (uint32_t)value;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(value) - ERX_HISTOGRAM_STEPS_LOG2;
    return (uint32_t)((octave << ERX_HISTOGRAM_STEPS_LOG2) + (value >> octave));
}

/* Greatest value of a bucket. */
static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < STEPS)
        return bucket;
    uint32_t octave = (bucket >> ERX_HISTOGRAM_STEPS_LOG2) - 1;
    uint64_t lead = bucket - ((uint64_t)octave << ERX_HISTOGRAM_STEPS_LOG2);
    return ((lead + 1) << octave) - 1;
}

void erx_histogram_add(erx_histogram_t *histogram, uint64_t value, uint64_t times)
{
    histogram->count += times;
    histogram->greatest = ERX_MAX(histogram->greatest, value);
    histogram->buckets[bucket_of(value)] += times;
}

uint64_t erx_histogram_quantile(const erx_histogram_t *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < ERX_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > wanted || (seen == histogram->count && seen > 0))
            return ERX_MIN(bucket_end(i), histogram->greatest);
    }
    return 0;
}

erx_histogram_summary_t erx_histogram_summary(const erx_histogram_t *histogram)
{
    return (erx_histogram_summary_t){
        .p50 = erx_histogram_quantile(histogram, 0.5),
        .p99 = erx_histogram_quantile(histogram, 0.99),
        .p999 = erx_histogram_quantile(histogram, 0.999),
        .greatest = histogram->greatest,
    };
}
