/* Processor time of this process' threads by their names, as the system counts
 * it: for threads that others made. */
#ifndef ERX_NODE_THREAD_CPU_H
#define ERX_NODE_THREAD_CPU_H

#include "node/common.h"

typedef struct {
    const char *prefix; /* of the names of the threads that are added up */
    uint64_t ns;        /* their time together; grows while they run */
    uint32_t threads;
} erx_thread_group_t;

/* Fills ns and threads of every group (0 threads: there are none, or the system
 * does not say). Reads some files: not for a thread with deadlines. */
void erx_thread_cpu_read(erx_thread_group_t *groups, size_t count);

/* Reads a line of the form of /proc/PID/stat: the thread's name, of up to 15
 * characters, and its time in clock ticks. False where it has another form. */
bool erx_thread_stat_read(const char *line, char name_out[16], uint64_t *ticks_out);

#endif
