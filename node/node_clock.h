/* Time as the validator sees it. Nothing here reaches state but the seconds that
 * a block is given. */
#ifndef ERX_NODE_NODE_CLOCK_H
#define ERX_NODE_NODE_CLOCK_H

#include "node/common.h"

/* Nanoseconds that only grow. Any thread; no system call. */
uint64_t erx_node_now(void);

/* Milliseconds since 1970. */
uint64_t erx_node_unix_ms(void);

/* Processor time of the calling thread, and of the whole process, in ns. */
uint64_t erx_node_thread_cpu(void);
uint64_t erx_node_process_cpu(void);

/* Sleeps until an absolute time of erx_node_now; returns early only when a signal
 * arrives. */
void erx_node_sleep_until(uint64_t due_ns);

#endif
