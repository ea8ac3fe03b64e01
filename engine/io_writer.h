/* A thread that makes writes durable in calls that it waits in, one after the
 * other; what is queued for one file meanwhile shares a flush.
 *
 * Up to Linux 6.18 a direct write that goes through a ring is completed by a
 * kernel thread of normal priority. While workers keep every processor busy, it
 * waits for them up to a tick of the scheduler: 4 ms seen at the 99th percentile.
 * A thread that waits in the call itself is woken by the device's interrupt, and
 * at raised priority it runs at once. So writes that somebody waits for take this
 * way, and the ring has all others. */
#ifndef ERX_ENGINE_IO_WRITER_H
#define ERX_ENGINE_IO_WRITER_H

#include "engine/io.h"

typedef struct erx_io_writer erx_io_writer_t;

/* Starts the thread, which sends on wake (erx_io_wake_open) after each write.
 * Errors: ERX_ERR_MEMORY. */
erx_status_t erx_io_writer_open(int wake, erx_io_writer_t **writer_out, erx_error_t *error);

/* Queues a write then flush, at most ERX_IO_SLOTS_MAX before their outcomes are
 * taken. submit and take belong to one thread at a time. */
void erx_io_writer_submit(erx_io_writer_t *writer, int descriptor,
                          const erx_io_operation_t *operation);

/* Takes the outcome of the next write that is over, in the order of submission;
 * false where there is none. */
bool erx_io_writer_take(erx_io_writer_t *writer, erx_io_outcome_t *outcome);

/* Processor time of the thread so far. Any thread. */
uint64_t erx_io_writer_cpu_ns(const erx_io_writer_t *writer);

/* Nothing is queued. NULL is allowed. */
void erx_io_writer_close(erx_io_writer_t *writer);

#endif
