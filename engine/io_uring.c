/* Storage through io_uring. Writes and flushes are submissions, which go to the
 * kernel at the next poll, all in one system call, which also waits. No kernel
 * thread polls on our behalf. A write then flush, which somebody waits for, is
 * made by a thread instead (io_writer.h); files take turns with the threads, so
 * that the copies of a record are written at the same time. */
#include "engine/io.h"

#include "engine/io_wake.h"
#include "engine/io_writer.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* An entry an operation and one for the wake, as a power of two. */
#define RING_ENTRIES  128u
#define WRITERS       2u
#define NS_PER_SECOND UINT64_C(1000000000)

ERX_STATIC_ASSERT(RING_ENTRIES >= ERX_IO_SLOTS_MAX + 1, "every slot can be in flight");

/* Which submission a completion belongs to: user data is slot * PARTS + part. */
enum { PART_WRITE, PART_FLUSH, PART_WAKE, PARTS };

/* A slot's operation in the ring. */
typedef struct {
    uint32_t bytes; /* that a write must report */
    bool awaited;
} progress_t;

typedef struct {
    erx_io_t io;
    struct io_uring ring;
    int wake;        /* descriptor of erx_io_wake_open */
    bool wake_armed; /* the ring reads the wake descriptor */
    bool woken;      /* it has, and no wait has ended for it */
    bool files_registered;
    bool buffers_registered;
    int32_t broken; /* why the ring can no longer be entered: -errno; else 0 */
    uint64_t wakes; /* where the ring puts what it read */
    erx_io_writer_t *writers[WRITERS];
    int descriptors[ERX_IO_FILES_MAX];
    progress_t progress[ERX_IO_SLOTS_MAX];
} uring_t;

static struct io_uring_sqe *next_entry(uring_t *uring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);
    ERX_ASSERT(entry != NULL); /* RING_ENTRIES has room for every slot */
    return entry;
}

/* After liburing's prepare calls, which clear both. */
static void label(struct io_uring_sqe *entry, uint32_t slot, uint32_t part, unsigned flags)
{
    entry->user_data = (uint64_t)slot * PARTS + part;
    entry->flags = (uint8_t)flags;
}

static int file_of(const uring_t *uring, uint32_t file)
{
    return uring->files_registered ? (int)file : uring->descriptors[file];
}

static unsigned file_flags(const uring_t *uring)
{
    return uring->files_registered ? IOSQE_FIXED_FILE : 0;
}

static void prepare_write(uring_t *uring, const erx_io_operation_t *operation)
{
    struct io_uring_sqe *entry = next_entry(uring);
    int file = file_of(uring, operation->file);
    if (uring->buffers_registered)
        io_uring_prep_write_fixed(entry, file, operation->buffer, operation->bytes,
                                  operation->offset, (int)operation->region);
    else
        io_uring_prep_write(entry, file, operation->buffer, operation->bytes, operation->offset);
    label(entry, operation->slot, PART_WRITE, file_flags(uring));
}

static void prepare_flush(uring_t *uring, const erx_io_operation_t *operation)
{
    struct io_uring_sqe *entry = next_entry(uring);
    io_uring_prep_fsync(entry, file_of(uring, operation->file), IORING_FSYNC_DATASYNC);
    label(entry, operation->slot, PART_FLUSH, file_flags(uring));
}

static void uring_submit(erx_io_t *io, const erx_io_operation_t *operation)
{
    uring_t *uring = (uring_t *)io;
    if (operation->kind == ERX_IO_WRITE_FLUSH) {
        erx_io_writer_submit(uring->writers[operation->file % WRITERS],
                             uring->descriptors[operation->file], operation);
        return;
    }
    uring->progress[operation->slot] = (progress_t){.bytes = operation->bytes, .awaited = true};
    if (operation->kind == ERX_IO_WRITE)
        prepare_write(uring, operation);
    else
        prepare_flush(uring, operation);
}

static void arm_wake(uring_t *uring)
{
    if (uring->wake_armed)
        return;
    struct io_uring_sqe *entry = next_entry(uring);
    io_uring_prep_read(entry, uring->wake, &uring->wakes, sizeof uring->wakes, 0);
    label(entry, 0, PART_WAKE, 0);
    uring->wake_armed = true;
}

/* Submits what is queued and, with wait_ns, waits for a completion. */
static int32_t enter(uring_t *uring, uint64_t wait_ns)
{
    if (wait_ns == 0)
        return io_uring_submit_and_get_events(&uring->ring);
    arm_wake(uring);
    struct io_uring_cqe *first;
    struct __kernel_timespec timeout = {
        .tv_sec = (int64_t)(wait_ns / NS_PER_SECOND),
        .tv_nsec = (long long)(wait_ns % NS_PER_SECOND),
    };
    return io_uring_submit_and_wait_timeout(&uring->ring, &first, 1, &timeout, NULL);
}

/* True where entering the ring may simply be tried again. */
static bool is_passing(int32_t result)
{
    return result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
           result == -EBUSY;
}

/* Takes a completion; false where it is not an operation's. */
static bool account(uring_t *uring, const struct io_uring_cqe *completion,
                    erx_io_outcome_t *outcome)
{
    uint32_t slot = (uint32_t)(completion->user_data / PARTS);
    uint32_t part = (uint32_t)(completion->user_data % PARTS);
    if (part == PART_WAKE) {
        uring->wake_armed = false;
        uring->woken = true;
        return false;
    }
    progress_t *progress = &uring->progress[slot];
    ERX_ASSERT(progress->awaited);
    progress->awaited = false;
    bool write = part == PART_WRITE;
    bool whole = write ? completion->res == (int32_t)progress->bytes : completion->res == 0;
    *outcome = (erx_io_outcome_t){.slot = slot, .in_flush = !whole && !write};
    if (!whole)
        outcome->result = completion->res != 0 ? completion->res : -EIO;
    return true;
}

static uint32_t take_written(uring_t *uring, erx_io_outcome_t *outcomes, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WRITERS; i++)
        while (count < max && erx_io_writer_take(uring->writers[i], &outcomes[count]))
            count++;
    return count;
}

/* The ring first: whoever sees a writer's wake there finds what it wrote. */
static uint32_t reap(uring_t *uring, erx_io_outcome_t *outcomes, uint32_t max)
{
    uint32_t count = 0;
    struct io_uring_cqe *completion;
    while (count < max && io_uring_peek_cqe(&uring->ring, &completion) == 0) {
        if (account(uring, completion, &outcomes[count]))
            count++;
        io_uring_cqe_seen(&uring->ring, completion);
    }
    return count + take_written(uring, outcomes + count, max - count);
}

/* The ring cannot be entered any more: whatever is in flight there has failed. */
static uint32_t give_up(uring_t *uring, erx_io_outcome_t *outcomes, uint32_t max, uint64_t wait_ns)
{
    uint32_t count = take_written(uring, outcomes, max);
    for (uint32_t slot = 0; slot < ERX_IO_SLOTS_MAX && count < max; slot++) {
        if (!uring->progress[slot].awaited)
            continue;
        uring->progress[slot].awaited = false;
        outcomes[count++] = (erx_io_outcome_t){.slot = slot, .result = uring->broken};
    }
    if (count == 0)
        erx_io_wake_wait(uring->wake, wait_ns);
    return count;
}

static uint32_t uring_poll(erx_io_t *io, erx_io_outcome_t *outcomes, uint32_t max, uint64_t wait_ns)
{
    uring_t *uring = (uring_t *)io;
    if (uring->broken != 0)
        return give_up(uring, outcomes, max, wait_ns);
    bool queued = io_uring_sq_ready(&uring->ring) > 0;
    uint32_t count = queued ? 0 : reap(uring, outcomes, max);
    if (count > 0 || (wait_ns == 0 && io->in_flight == 0))
        return count;
    int32_t result = enter(uring, uring->woken ? 0 : wait_ns);
    count = reap(uring, outcomes, max);
    if (count == 0 && wait_ns > 0)
        uring->woken = false;
    if (count == 0 && !is_passing(result)) {
        uring->broken = result;
        return give_up(uring, outcomes, max, 0);
    }
    return count;
}

static void uring_wake(erx_io_t *io)
{
    erx_io_wake_send(((uring_t *)io)->wake);
}

static int32_t uring_read(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer,
                          uint32_t bytes)
{
    return erx_io_pread(((uring_t *)io)->descriptors[file], offset, buffer, bytes);
}

static uint64_t uring_cpu_ns(const erx_io_t *io)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < WRITERS; i++)
        total += erx_io_writer_cpu_ns(((const uring_t *)io)->writers[i]);
    return total;
}

static void close_writers(uring_t *uring)
{
    for (uint32_t i = 0; i < WRITERS; i++)
        erx_io_writer_close(uring->writers[i]);
}

static void uring_close(erx_io_t *io)
{
    uring_t *uring = (uring_t *)io;
    close_writers(uring);
    /* Closing the ring lets go of the buffers only later, in the background. */
    if (uring->buffers_registered)
        (void)io_uring_unregister_buffers(&uring->ring);
    io_uring_queue_exit(&uring->ring);
    erx_io_wake_close(uring->wake);
    erx_free(uring);
}

static const erx_io_verbs_t verbs = {
    .name = "io_uring",
    .reads_in_parallel = true,
    .submit = uring_submit,
    .poll = uring_poll,
    .wake = uring_wake,
    .read = uring_read,
    .cpu_ns = uring_cpu_ns,
    .close = uring_close,
};

/* Passes one empty operation through the ring: a system may allow to set one
 * up and refuse to use it. */
static int32_t try_ring(struct io_uring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(ring);
    ERX_ASSERT(entry != NULL);
    io_uring_prep_nop(entry);
    int result = io_uring_submit_and_wait(ring, 1);
    struct io_uring_cqe *completion;
    if (result >= 0)
        result = io_uring_peek_cqe(ring, &completion);
    if (result == 0)
        io_uring_cqe_seen(ring, completion);
    return result;
}

/* No flags: the ones that save interrupts tie completions to the thread that
 * submitted, which may have handed the ring over and be busy elsewhere. */
static int32_t open_ring(struct io_uring *ring)
{
    int32_t result = io_uring_queue_init(RING_ENTRIES, ring, 0);
    if (result != 0)
        return result;
    result = try_ring(ring);
    if (result != 0)
        io_uring_queue_exit(ring);
    return result;
}

/* Lets the kernel look files and pages up once; where it refuses, each
 * operation does it. */
static void register_all(uring_t *uring, const erx_io_config_t *config, char *note)
{
    uring->files_registered =
        io_uring_register_files(&uring->ring, uring->descriptors, config->file_count) == 0;
    if (config->buffer_count == 0)
        return;
    struct iovec vectors[ERX_IO_BUFFERS_MAX];
    size_t total = 0;
    for (uint32_t i = 0; i < config->buffer_count; i++) {
        vectors[i] = (struct iovec){config->buffers[i].base, config->buffers[i].bytes};
        total += config->buffers[i].bytes;
    }
    int32_t result = io_uring_register_buffers(&uring->ring, vectors, config->buffer_count);
    uring->buffers_registered = result == 0;
    if (result == 0)
        return;
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    (void)snprintf(note, ERX_IO_NOTE_MAX,
                   "%zu KiB of buffers cannot be registered with io_uring (%s; locked memory is "
                   "limited to %llu KiB, see ulimit -l): using them unregistered, which costs a "
                   "little time",
                   total >> 10, strerror(-result), (unsigned long long)limit.rlim_cur >> 10);
}

static erx_status_t refuse_ring(int32_t result, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_UNSUPPORTED, "this system refuses io_uring (%s; see %s)",
                         strerror(-result),
                         result == -ENOMEM ? "the limit of locked memory, ulimit -l"
                                           : "sysctl kernel.io_uring_disabled and the container's "
                                             "seccomp profile");
}

/* The ring and the threads beside it; on failure neither is left. */
static erx_status_t open_parts(uring_t *uring, erx_error_t *error)
{
    int32_t result = open_ring(&uring->ring);
    if (result != 0)
        return refuse_ring(result, error);
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; status == ERX_OK && i < WRITERS; i++)
        status = erx_io_writer_open(uring->wake, &uring->writers[i], error);
    if (status != ERX_OK) {
        close_writers(uring);
        io_uring_queue_exit(&uring->ring);
    }
    return status;
}

erx_status_t erx_io_uring_open(const erx_io_config_t *config, erx_io_t **io_out,
                               char note_out[ERX_IO_NOTE_MAX], erx_error_t *error)
{
    uring_t *uring = erx_alloc(1, sizeof *uring);
    if (uring == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the storage device");
    erx_status_t status = erx_io_wake_open(&uring->wake, error);
    if (status == ERX_OK && open_parts(uring, error) != ERX_OK) {
        erx_io_wake_close(uring->wake);
        status = error->status;
    }
    if (status != ERX_OK) {
        erx_free(uring);
        return status;
    }
    erx_io_init(&uring->io, &verbs, config);
    for (uint32_t i = 0; i < config->file_count; i++)
        uring->descriptors[i] = config->files[i].descriptor;
    register_all(uring, config, note_out);
    *io_out = &uring->io;
    return ERX_OK;
}
