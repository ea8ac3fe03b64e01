/* Storage: the few verbs that journal, checkpoints and recovery need.
 *
 * One erx_io_t drives a fixed set of files of fixed size, named by their index,
 * with a fixed number of operations in flight, named by the slot that the
 * caller gives. Behind it are io_uring, pwritev2 and fdatasync where a machine
 * refuses io_uring, or, in tests, a virtual disk that fails from a seed.
 *
 * An operation's life: the caller fills a buffer, calls submit with a free
 * slot, and polls until a completion names that slot. Nothing completes inside
 * submit, and nothing need reach the device before the next poll: submit what
 * belongs together, then poll. Operations in flight are in no order; only
 * "write then flush" is, within itself. Until its completion the slot is taken
 * and the buffer belongs to the device.
 *
 * Durable is what a flush of the file covers that was submitted after the
 * write's completion, or a write whose own flush completed. A "write then
 * flush" promises nothing about other writes.
 *
 * Failure is final. The first write or flush that fails, is cut short or is
 * cancelled marks the device as failed: from then on nothing succeeds, whatever
 * was in flight completes with an error, new operations complete with -EIO
 * without reaching the device. (After a failed fdatasync Linux counts the lost
 * pages as clean; the next one would succeed and promise what is not there.)
 * Only a new process that recovers may go on. A failed read fails alone.
 *
 * Threads: submit, poll and close belong to one thread at a time, which hands
 * over only while nothing is in flight; wake is for any thread; read for any
 * thread, of ranges with no write in flight (the virtual disk knows one thread
 * only). Nothing allocates after open.
 *
 * Misuse (a taken slot, a range outside the file, a wrong alignment) is an
 * assertion, not an error. */
#ifndef ERX_ENGINE_IO_H
#define ERX_ENGINE_IO_H

#include "mem/status.h"

#define ERX_IO_ALIGNMENT   4096u /* of offsets, lengths and buffers */
#define ERX_IO_SLOTS_MAX   64u
#define ERX_IO_FILES_MAX   20u
#define ERX_IO_BUFFERS_MAX 16u
#define ERX_IO_BYTES_MAX   (1u << 30) /* of one operation, and of one buffer */
#define ERX_IO_NAME_MAX    256u
#define ERX_IO_NOTE_MAX    (ERX_ERROR_TEXT_MAX + 128u)

typedef struct erx_io erx_io_t;

typedef enum {
    ERX_IO_WRITE,
    ERX_IO_FLUSH,
    ERX_IO_WRITE_FLUSH, /* the flush starts when the write has completed whole */
} erx_io_kind_t;

typedef struct {
    uint32_t slot;
    uint32_t file;
    erx_io_kind_t kind;
    uint32_t region;    /* which of the device's buffers holds it; 0 for a flush */
    uint32_t bytes;     /* 0 for a flush */
    uint64_t offset;    /* 0 for a flush */
    const void *buffer; /* NULL for a flush */
} erx_io_operation_t;

typedef struct {
    uint32_t slot;
    int32_t result; /* 0: all of it succeeded; else -errno. Short: -EIO */
} erx_io_completion_t;

/* A file of the device. The descriptor stays the caller's, who closes it after
 * erx_io_close; the virtual disk has its own files. */
typedef struct {
    int descriptor;
    uint64_t bytes;   /* multiple of ERX_IO_ALIGNMENT */
    const char *name; /* path, for messages; copied, cut at ERX_IO_NAME_MAX */
} erx_io_file_t;

/* Memory that writes come from; all buffers of all writes lie in one of these.
 * The caller's, until erx_io_close. */
typedef struct {
    void *base; /* ERX_IO_ALIGNMENT-aligned */
    size_t bytes;
} erx_io_buffer_t;

typedef enum {
    ERX_IO_AUTO,  /* io_uring; plain where it is refused */
    ERX_IO_URING, /* io_uring or an error */
    ERX_IO_PLAIN, /* pwritev2 and fdatasync, run by poll in the order of submission */
} erx_io_backend_t;

typedef struct {
    erx_io_backend_t backend;
    uint32_t file_count;
    uint32_t buffer_count;
    const erx_io_file_t *files;
    const erx_io_buffer_t *buffers;
} erx_io_config_t;

/* Opens a device on open files. note_out receives one line for the person who
 * runs this when something was refused and its replacement is used ("io_uring
 * is refused here (...): using pwritev2 ..."); else an empty string. context is
 * not used: it is there so that a test's device can be opened through the same
 * pointer. Errors: ERX_ERR_MEMORY; ERX_ERR_UNSUPPORTED for ERX_IO_URING where
 * it is refused. */
erx_status_t erx_io_open(void *context, const erx_io_config_t *config, erx_io_t **io_out,
                         char note_out[ERX_IO_NOTE_MAX], erx_error_t *error);

typedef erx_status_t (*erx_io_open_fn)(void *context, const erx_io_config_t *config,
                                       erx_io_t **io_out, char note_out[ERX_IO_NOTE_MAX],
                                       erx_error_t *error);

/* Waits for everything in flight, then frees. NULL is allowed. */
void erx_io_close(erx_io_t *io);

/* Starts writing buffer[0, bytes) at offset of a file, and, with then_flush,
 * making it durable. One completion for both. */
void erx_io_submit_write(erx_io_t *io, uint32_t slot, uint32_t file, uint64_t offset,
                         const void *buffer, uint32_t bytes, bool then_flush);

/* Starts making durable every write of the file that has completed. */
void erx_io_submit_flush(erx_io_t *io, uint32_t slot, uint32_t file);

/* Hands submitted operations to the device and takes up to max completions,
 * in the order in which the device finished. Where there is none, waits up to
 * wait_ns for one, or for erx_io_wake; 0: does not wait. Returns their number;
 * may return 0 early. */
uint32_t erx_io_poll(erx_io_t *io, erx_io_completion_t *completions, uint32_t max,
                     uint64_t wait_ns);

/* Ends the wait of the poll at hand or, if none waits, of the next one. Any
 * thread; a system call, no lock. */
void erx_io_wake(erx_io_t *io);

/* Reads [offset, offset + bytes) at once. Returns 0 or -errno (also where the
 * file ends early: -EIO); on failure the buffer's contents are undefined. */
int32_t erx_io_read(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer, uint32_t bytes);

/* Readers of erx_io_read_many. With 4 to 8 requests of a megabyte the disks that
 * were tried gave twice what they gave to one. */
#define ERX_IO_READERS_MAX 8u

/* Reads the i-th thing and may use it. reader names the thread that does:
 * no two with the same number at a time. */
typedef void (*erx_io_read_fn)(void *context, uint32_t i, uint32_t reader);

/* Calls read for every i < count, several at a time where the device allows it.
 * For start-up: it starts threads. */
void erx_io_read_many(const erx_io_t *io, uint32_t count, erx_io_read_fn read, void *context);

/* Operations that were submitted and have not been polled. */
uint32_t erx_io_in_flight(const erx_io_t *io);

/* ERX_OK while the device works; else the first failure: which file, what,
 * where, and what to do. */
erx_status_t erx_io_health(const erx_io_t *io, erx_error_t *error);

/* Processor time of threads that the device has of its own. Any thread. */
uint64_t erx_io_cpu_ns(const erx_io_t *io);

/* "io_uring", "pwritev2" or what tests call theirs. */
const char *erx_io_name(const erx_io_t *io);

/* For those that implement a device -------------------------------------- */

/* What a device finished, before the rules above are applied to it. */
typedef struct {
    uint32_t slot;
    bool in_flush;  /* what failed was the flush, not the write */
    int32_t result; /* 0 or -errno; a short write: bytes that were written, > 0 */
} erx_io_outcome_t;

/* The calls above check and keep count; these only do. submit gets at most
 * ERX_IO_SLOTS_MAX operations before their outcomes are taken. */
typedef struct {
    const char *name;
    bool reads_in_parallel; /* read may be called by several threads at a time */
    void (*submit)(erx_io_t *io, const erx_io_operation_t *operation);
    uint32_t (*poll)(erx_io_t *io, erx_io_outcome_t *outcomes, uint32_t max, uint64_t wait_ns);
    void (*wake)(erx_io_t *io);
    int32_t (*read)(erx_io_t *io, uint32_t file, uint64_t offset, void *buffer, uint32_t bytes);
    uint64_t (*cpu_ns)(const erx_io_t *io); /* NULL: it has no threads */
    void (*close)(erx_io_t *io);            /* nothing is in flight; frees the device */
} erx_io_verbs_t;

typedef enum {
    ERX_IO_SLOT_FREE,
    ERX_IO_SLOT_SUBMITTED,
    ERX_IO_SLOT_REJECTED, /* submitted to a failed device: completes at the next poll */
} erx_io_slot_state_t;

typedef struct {
    erx_io_slot_state_t state;
    erx_io_operation_t operation;
} erx_io_slot_t;

/* First member of every device. */
struct erx_io {
    const erx_io_verbs_t *verbs;
    uint32_t file_count;
    uint32_t buffer_count;
    uint32_t in_flight;
    uint32_t rejected;
    bool failed;
    bool failed_in_flush;
    int32_t failed_result;               /* as in erx_io_outcome_t */
    erx_io_operation_t failed_operation; /* the first that failed */
    uint64_t file_bytes[ERX_IO_FILES_MAX];
    char file_names[ERX_IO_FILES_MAX][ERX_IO_NAME_MAX];
    erx_io_buffer_t buffers[ERX_IO_BUFFERS_MAX];
    erx_io_slot_t slots[ERX_IO_SLOTS_MAX];
};

/* Fills the common part from config, checking it. */
void erx_io_init(erx_io_t *io, const erx_io_verbs_t *verbs, const erx_io_config_t *config);

/* Devices that erx_io_open chooses from. note_out is left alone where there is
 * nothing to say. */
erx_status_t erx_io_uring_open(const erx_io_config_t *config, erx_io_t **io_out,
                               char note_out[ERX_IO_NOTE_MAX], erx_error_t *error);
erx_status_t erx_io_plain_open(const erx_io_config_t *config, erx_io_t **io_out,
                               erx_error_t *error);

#endif
