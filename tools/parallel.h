/* Independent pieces of work on all processors, for tools. Which thread runs a
 * piece is left open: a piece writes only to memory of its own, and the caller
 * combines the results in the order of the pieces, so that the outcome does
 * not depend on the number of threads. */
#ifndef ERX_TOOLS_PARALLEL_H
#define ERX_TOOLS_PARALLEL_H

#include "mem/base.h"
#include "tools/progress.h"

#define ERX_PARALLEL_THREADS_MAX 256u

typedef void (*erx_parallel_fn)(void *context, uint32_t piece);

/* Processors that this process may use, at least 1. */
uint32_t erx_parallel_threads(void);

/* Runs job for every piece in [0, count) and returns when all are done.
 * threads = 0 stands for all processors. progress, where it is not NULL, was
 * started with count as its total. */
void erx_parallel_run(erx_parallel_fn job, void *context, uint32_t count, uint32_t threads,
                      erx_progress_t *progress);

#endif
