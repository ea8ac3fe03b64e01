#include "node/node_clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * ERX_SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t erx_node_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t erx_node_unix_ms(void)
{
    return read_clock(CLOCK_REALTIME) / ERX_MILLISECOND_NS;
}

uint64_t erx_node_thread_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t erx_node_process_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void erx_node_sleep_until(uint64_t due_ns)
{
    struct timespec due = {
        .tv_sec = (time_t)(due_ns / ERX_SECOND_NS),
        .tv_nsec = (long)(due_ns % ERX_SECOND_NS),
    };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}
