/* A disk in memory that fails as disks do, from a seed: the same seed and the
 * same calls give the same bytes, completions and failures.
 *
 * It outlives the process that is simulated on it: open it (as erx_io_open
 * does), run, cut the power, open it again, recover. What was flushed is kept.
 * Of every other write, sectors of 512 bytes are kept, dropped, or kept in
 * part, in any order, and one of them may be torn in its middle.
 *
 * Time is virtual: operations take a while drawn from the seed, so completions
 * come in any order, and a poll that waits moves the clock. A failed flush
 * behaves as on Linux: what it should have covered counts as clean, is kept or
 * lost at the next power cut, and no later flush helps. A buffer that changes
 * while its write is in flight is an assertion.
 *
 * Operations (writes, flushes, "write then flush" as two, reads) are numbered
 * from 0 over the disk's life; faults name those numbers. Single-threaded. */
#ifndef ERX_TESTS_SUPPORT_VIRTUAL_DISK_H
#define ERX_TESTS_SUPPORT_VIRTUAL_DISK_H

#include "engine/io.h"

#define ERX_VIRTUAL_FAULTS_MAX 8u

typedef struct erx_virtual_disk erx_virtual_disk_t;

typedef enum {
    ERX_VIRTUAL_ERROR,       /* -error_number; a write may have reached the disk in part */
    ERX_VIRTUAL_SHORT,       /* a write stops after some of its sectors; others: EIO */
    ERX_VIRTUAL_CANCELLED,   /* -ECANCELED; a write may have reached the disk, or not */
    ERX_VIRTUAL_LATE,        /* takes delay_ns longer */
    ERX_VIRTUAL_LOST,        /* a write or flush that does nothing and says 0 */
    ERX_VIRTUAL_MISDIRECTED, /* a write that lands elsewhere in its file and says 0 */
    ERX_VIRTUAL_FLIPPED,     /* a write or read with one bit wrong that says 0 */
} erx_virtual_fault_kind_t;

typedef enum {
    ERX_VIRTUAL_ANY,
    ERX_VIRTUAL_WRITES,
    ERX_VIRTUAL_FLUSHES,
    ERX_VIRTUAL_READS,
} erx_virtual_target_t;

/* Strikes the first operation numbered >= from that is of the target, and with
 * for_ever all later ones. */
typedef struct {
    erx_virtual_fault_kind_t kind;
    erx_virtual_target_t target;
    uint64_t from;
    bool for_ever;
    int32_t error_number; /* EIO, ENOSPC, ...; for ERX_VIRTUAL_ERROR */
    uint64_t delay_ns;    /* for ERX_VIRTUAL_LATE */
} erx_virtual_fault_t;

/* Called after every submission and every outcome of the device: all moments
 * at which a power cut can leave something new. May fork the disk. */
typedef void (*erx_virtual_observer_fn)(void *context, erx_virtual_disk_t *disk);

typedef struct {
    uint64_t seed;
    uint32_t file_count;
    const uint64_t *file_bytes;  /* [file_count], multiples of ERX_IO_ALIGNMENT */
    uint64_t write_ns, flush_ns; /* greatest duration; 0: 0.2 ms and 0.8 ms */
} erx_virtual_disk_config_t;

/* A disk of zeroed files. Aborts where there is no memory. */
erx_virtual_disk_t *erx_virtual_disk_create(const erx_virtual_disk_config_t *config);

/* An erx_io_open_fn; context is the disk. Descriptors and backend of config are
 * not used; number and sizes of the files must be the disk's. One at a time:
 * erx_io_close (everything in flight finishes), a cut or a kill ends it. */
erx_status_t erx_virtual_disk_open(void *context, const erx_io_config_t *config, erx_io_t **io_out,
                                   char note_out[ERX_IO_NOTE_MAX], erx_error_t *error);

/* Replaces the faults that are still to strike. */
void erx_virtual_disk_set_faults(erx_virtual_disk_t *disk, const erx_virtual_fault_t *faults,
                                 uint32_t count);

void erx_virtual_disk_observe(erx_virtual_disk_t *disk, erx_virtual_observer_fn observer,
                              void *context);

/* The power fails: what was not flushed is kept or lost. The device that was
 * open is dead: whatever is or comes in flight fails with -EIO and changes
 * nothing. Its owner still closes it, before or after the disk is opened
 * again, but before the disk is freed. */
void erx_virtual_disk_cut(erx_virtual_disk_t *disk);

/* The process is killed, the machine runs on: as cut, but every write that was
 * in flight lands whole or not at all, and completed ones stay as they are,
 * unflushed. */
void erx_virtual_disk_kill(erx_virtual_disk_t *disk);

/* A new disk: what this one could be after a power cut now, drawn from seed.
 * The disk itself goes on. No faults, no observer. */
erx_virtual_disk_t *erx_virtual_disk_fork(const erx_virtual_disk_t *disk, uint64_t seed);

/* The bytes of a file as a read sees them, to look at or to damage. Only while
 * nothing is in flight; all of it is durable from then on, and so is what is changed. */
uint8_t *erx_virtual_disk_bytes(erx_virtual_disk_t *disk, uint32_t file);

/* Operations so far, the virtual time, and how often a fault struck. */
uint64_t erx_virtual_disk_operations(const erx_virtual_disk_t *disk);
uint64_t erx_virtual_disk_now(const erx_virtual_disk_t *disk);
uint64_t erx_virtual_disk_strikes(const erx_virtual_disk_t *disk);

/* Moves the virtual clock, as computing does. */
void erx_virtual_disk_advance(erx_virtual_disk_t *disk, uint64_t ns);

/* Every device was closed. NULL is allowed. */
void erx_virtual_disk_free(erx_virtual_disk_t *disk);

#endif
