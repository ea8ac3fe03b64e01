#include "engine/io_writer.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "engine/io_wake.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/thread.h"

typedef struct {
    int descriptor;
    erx_io_operation_t operation;
    int32_t result; /* as in erx_io_outcome_t */
} entry_t;

/* Counts name entries modulo ERX_IO_SLOTS_MAX. The owner fills an entry before
 * it posts the semaphore; done is stored by the thread and read by the owner. */
struct erx_io_writer {
    int wake;
    sem_t queued;
    atomic_bool stopping;
    erx_thread_t *thread;
    uint32_t submitted; /* the owner's */
    uint32_t taken;     /* the owner's */
    _Atomic uint32_t done;
    entry_t entries[ERX_IO_SLOTS_MAX];
};

static void wait_for_entry(erx_io_writer_t *writer)
{
    while (sem_wait(&writer->queued) != 0)
        ERX_ASSERT(errno == EINTR);
}

static entry_t *entry_at(erx_io_writer_t *writer, uint32_t count)
{
    return &writer->entries[count % ERX_IO_SLOTS_MAX];
}

/* Takes one more queued entry. */
static bool take_queued(erx_io_writer_t *writer)
{
    return sem_trywait(&writer->queued) == 0;
}

/* Writes entries [from, from + count) of one file and makes them durable: one by
 * its write, several by a flush of the file. A durable write alone would not do for
 * those before it: where the device can, it goes past the device's cache and
 * leaves there what was written before. */
static void write_several(erx_io_writer_t *writer, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        entry_t *entry = entry_at(writer, from + i);
        erx_io_operation_t operation = entry->operation;
        operation.kind = count == 1 ? ERX_IO_WRITE_FLUSH : ERX_IO_WRITE;
        entry->result = erx_io_pwrite(entry->descriptor, &operation);
    }
    if (count == 1)
        return;
    int32_t flushed = erx_io_flush(entry_at(writer, from)->descriptor);
    for (uint32_t i = 0; i < count && flushed != 0; i++)
        entry_at(writer, from + i)->result = flushed;
}

static void run(void *context)
{
    erx_io_writer_t *writer = context;
    uint32_t taken = 0; /* entries that were queued and are not written */
    for (uint32_t done = 0;;) {
        if (taken == 0) {
            wait_for_entry(writer);
            taken = 1;
        }
        if (atomic_load_explicit(&writer->stopping, memory_order_acquire))
            return;
        while (take_queued(writer))
            taken++;
        uint32_t count = 1;
        while (count < taken &&
               entry_at(writer, done + count)->descriptor == entry_at(writer, done)->descriptor)
            count++;
        write_several(writer, done, count);
        done += count;
        taken -= count;
        /* Release: the results come with it. */
        atomic_store_explicit(&writer->done, done, memory_order_release);
        erx_io_wake_send(writer->wake);
    }
}

erx_status_t erx_io_writer_open(int wake, erx_io_writer_t **writer_out, erx_error_t *error)
{
    erx_io_writer_t *writer = erx_alloc(1, sizeof *writer);
    if (writer == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the storage device");
    writer->wake = wake;
    ERX_ASSERT(sem_init(&writer->queued, 0, 0) == 0);
    erx_status_t status = erx_thread_open("erx-write", run, writer, &writer->thread, error);
    if (status != ERX_OK) {
        (void)sem_destroy(&writer->queued);
        erx_free(writer);
        return status;
    }
    *writer_out = writer;
    return ERX_OK;
}

void erx_io_writer_submit(erx_io_writer_t *writer, int descriptor,
                          const erx_io_operation_t *operation)
{
    ERX_ASSERT(writer->submitted - writer->taken < ERX_IO_SLOTS_MAX);
    entry_t *entry = &writer->entries[writer->submitted++ % ERX_IO_SLOTS_MAX];
    *entry = (entry_t){.descriptor = descriptor, .operation = *operation};
    ERX_ASSERT(sem_post(&writer->queued) == 0);
}

bool erx_io_writer_take(erx_io_writer_t *writer, erx_io_outcome_t *outcome)
{
    /* Acquire: the thread has written the result and is done with the buffer. */
    if (atomic_load_explicit(&writer->done, memory_order_acquire) == writer->taken)
        return false;
    const entry_t *entry = &writer->entries[writer->taken++ % ERX_IO_SLOTS_MAX];
    *outcome = (erx_io_outcome_t){.slot = entry->operation.slot, .result = entry->result};
    return true;
}

uint64_t erx_io_writer_cpu_ns(const erx_io_writer_t *writer)
{
    return erx_thread_cpu_ns(writer->thread);
}

void erx_io_writer_close(erx_io_writer_t *writer)
{
    if (writer == NULL)
        return;
    ERX_ASSERT(writer->taken == writer->submitted);
    atomic_store_explicit(&writer->stopping, true, memory_order_release);
    ERX_ASSERT(sem_post(&writer->queued) == 0);
    erx_thread_close(writer->thread);
    (void)sem_destroy(&writer->queued);
    erx_free(writer);
}
