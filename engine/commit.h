/* The commit machine: makes records durable in order, and checkpoints beside
 * them, while the engine executes.
 *
 * The control thread fills a record buffer and submits it; the machine writes
 * it to both copies, each write with a flush of its own, and confirms a record
 * when both copies of it and of every record before it are durable. At most
 * ERX_COMMITS_MAX records are in flight; then the control thread waits, which is
 * the engine's backpressure. Checkpoints lie in staging buffers until an
 * fdatasync of their file that was started after their write had completed;
 * their write starts when the next record is confirmed.
 *
 * The machine turns on a thread of its own, or, without one (tests), whenever
 * the control thread calls erx_commit_turn or waits.
 *
 * Who writes what: a buffer belongs to the control thread while it is FREE and
 * to the machine from SUBMITTED until DURABLE, when the control thread collects
 * it. Each change of hands is one store-release of the buffer's state and one
 * load-acquire by the other side. confirmed and failed are written by the
 * machine alone.
 *
 * Failure is final: after the first write or flush that fails nothing more is
 * confirmed, waits end, and erx_commit_health gives the reason. */
#ifndef ERX_ENGINE_COMMIT_H
#define ERX_ENGINE_COMMIT_H

#include "engine/checkpoint.h"
#include "engine/io.h"

#define ERX_COMMITS_MAX 8u  /* records in flight */
#define ERX_STAGES_MAX  24u /* staging buffers of checkpoints */

ERX_STATIC_ASSERT(ERX_COMMITS_MAX *ERX_JOURNAL_COPIES + ERX_STAGES_MAX + ERX_IO_FILES_MAX <=
                      ERX_IO_SLOTS_MAX,
                  "every operation has a slot of its own");

typedef struct erx_commit erx_commit_t;

/* The files of the device: the two copies of the journal are files 0 and 1,
 * checkpoints of pool p are in file ERX_JOURNAL_COPIES + p. */
typedef struct {
    uint64_t record_bytes; /* of the longest record, a multiple of 4096 */
    uint64_t stage_bytes;  /* of the longest image, a multiple of 4096 */
    uint32_t stage_count;  /* 1 to ERX_STAGES_MAX */
    bool threaded;
    /* Called by the machine for every record that is confirmed, in order; may
     * be NULL. */
    void (*confirmed)(void *context, const erx_record_t *record);
    void *context;
} erx_commit_plan_t;

/* What became durable since the last look. */
typedef struct {
    uint64_t sequence;  /* of a record, or of a checkpoint */
    uint64_t commit_ns; /* of a record: from submission to confirmation */
} erx_committed_t;

/* Takes the memory. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_commit_open(const erx_commit_plan_t *plan, erx_commit_t **commit_out,
                             erx_error_t *error);

/* The memory that all writes come from: a buffer of the device. */
erx_io_buffer_t erx_commit_memory(const erx_commit_t *commit);

/* Starts the machine on a device, which stays the caller's; everything up to
 * confirmed is durable. Errors: those of the thread. */
erx_status_t erx_commit_start(erx_commit_t *commit, erx_io_t *io, uint64_t confirmed,
                              erx_error_t *error);

/* The buffer for the next record. NULL while all are in flight or not yet
 * collected. */
erx_record_t *erx_commit_next_record(erx_commit_t *commit);

/* Submits that record, sealed: it goes to record->offset of both copies. */
void erx_commit_submit_record(erx_commit_t *commit);

/* A free staging buffer; ERX_STAGES_MAX where there is none. It stays free until
 * it is submitted. */
uint32_t erx_commit_free_stage(const erx_commit_t *commit, uint32_t from);
erx_checkpoint_t *erx_commit_stage(erx_commit_t *commit, uint32_t stage);

/* Submits a filled staging buffer; the machine seals it and writes it to offset
 * of the pool's file, once the next record is confirmed. */
void erx_commit_submit_stage(erx_commit_t *commit, uint32_t stage, uint64_t offset);

/* Has the machine write what was submitted without waiting for another record. */
void erx_commit_hurry(erx_commit_t *commit);

/* Takes the next record that was confirmed; false when there is none. */
bool erx_commit_collect_record(erx_commit_t *commit, erx_committed_t *committed_out);

/* A staging buffer whose image is durable, from an index on; ERX_STAGES_MAX
 * where there is none. Free again after erx_commit_release_stage. */
uint32_t erx_commit_durable_stage(const erx_commit_t *commit, uint32_t from);
void erx_commit_release_stage(erx_commit_t *commit, uint32_t stage);

/* Greatest sequence that is durable with all before it. Any thread. */
uint64_t erx_commit_confirmed(const erx_commit_t *commit);

/* ERX_OK, or the first failure. Any thread. */
erx_status_t erx_commit_health(const erx_commit_t *commit, erx_error_t *error);

/* Lets the machine do what can be done now, waiting up to wait_ns for a
 * completion. Without a thread only. */
void erx_commit_turn(erx_commit_t *commit, uint64_t wait_ns);

/* A short wait of the control thread for the machine, which turns meanwhile. */
void erx_commit_wait(erx_commit_t *commit);

/* Processor time of the machine's thread so far. */
uint64_t erx_commit_cpu_ns(const erx_commit_t *commit);

/* Waits until everything submitted is durable or has failed, and stops the
 * machine. The device is then the caller's to close. */
void erx_commit_stop(erx_commit_t *commit);

/* Frees; stop first, unless the machine never started or the device is gone. */
void erx_commit_close(erx_commit_t *commit);

#endif
