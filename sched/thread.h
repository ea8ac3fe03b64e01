/* Threads that serve the engine beside the gang. */
#ifndef ERX_SCHED_THREAD_H
#define ERX_SCHED_THREAD_H

#include "mem/status.h"

typedef struct erx_thread erx_thread_t;

typedef void (*erx_thread_fn)(void *context);

/* Starts a thread of that name (at most 15 characters) that runs body, with
 * signals blocked and at raised priority where the system allows it: for one that
 * waits most of the time and should run soon when it has something to do. The
 * thread has its name and priority when this returns. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_thread_open(const char *name, erx_thread_fn body, void *context,
                             erx_thread_t **thread_out, erx_error_t *error);

/* The same at lowered priority: for work that frames must not wait for, however
 * much there is of it. */
erx_status_t erx_thread_open_background(const char *name, erx_thread_fn body, void *context,
                                        erx_thread_t **thread_out, erx_error_t *error);

/* Processor time that the thread has used so far. Any thread. */
uint64_t erx_thread_cpu_ns(const erx_thread_t *thread);

/* Waits until body returns, then frees. NULL is allowed. */
void erx_thread_close(erx_thread_t *thread);

#endif
