#include "sched/clock.h"

#include "mem/assert.h"

#include <time.h>

__extension__ typedef unsigned __int128 uint128_t;

uint64_t erx_clock_read(int clock_id)
{
    struct timespec now;
    if (clock_gettime(clock_id, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * ERX_NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t erx_clock_now(void)
{
    return erx_clock_read(CLOCK_MONOTONIC);
}

int64_t erx_clock_unix_seconds(void)
{
    return (int64_t)(erx_clock_read(CLOCK_REALTIME) / ERX_NS_PER_SECOND);
}

void erx_clock_sleep_until(uint64_t due_ns)
{
    struct timespec due = {
        .tv_sec = (time_t)(due_ns / ERX_NS_PER_SECOND),
        .tv_nsec = (long)(due_ns % ERX_NS_PER_SECOND),
    };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

uint64_t erx_crank_due(const erx_crank_t *crank, uint64_t tick)
{
    ERX_ASSERT(crank->rate_numerator > 0 && crank->rate_denominator > 0);
    /* 64 + 32 + 30 bits: cannot overflow. */
    uint128_t scaled = (uint128_t)tick * crank->rate_denominator * ERX_NS_PER_SECOND;
    return crank->start_ns + (uint64_t)(scaled / crank->rate_numerator);
}
