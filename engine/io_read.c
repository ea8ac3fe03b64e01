/* Many reads at once: a disk gives its full rate only to several that wait. */
#include "engine/io.h"

#include <stdatomic.h>

#include "mem/assert.h"
#include "sched/thread.h"

typedef struct {
    erx_io_read_fn read;
    void *context;
    uint32_t count;
    _Atomic uint32_t next;
    _Atomic uint32_t readers;
} work_t;

static void read_some(void *context)
{
    work_t *work = context;
    /* Whose turn it is, is all that is shared; the end of the threads publishes
     * the rest. */
    uint32_t reader = atomic_fetch_add_explicit(&work->readers, 1, memory_order_relaxed);
    for (;;) {
        uint32_t i = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (i >= work->count)
            return;
        work->read(work->context, i, reader);
    }
}

void erx_io_read_many(const erx_io_t *io, uint32_t count, erx_io_read_fn read, void *context)
{
    work_t work = {.read = read, .context = context, .count = count};
    erx_thread_t *readers[ERX_IO_READERS_MAX - 1] = {NULL};
    uint32_t wanted = io->verbs->reads_in_parallel ? ERX_MIN(count, ERX_IO_READERS_MAX) : 1;
    erx_error_t error;
    /* Where a thread is refused, those that are there read on. */
    for (uint32_t i = 1; i < wanted; i++)
        if (erx_thread_open("erx-read", read_some, &work, &readers[i - 1], &error) != ERX_OK)
            break;
    read_some(&work);
    for (uint32_t i = 0; i < ERX_IO_READERS_MAX - 1; i++)
        erx_thread_close(readers[i]);
}
