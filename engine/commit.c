#include "engine/commit.h"

#include <stdatomic.h>
#include <string.h>

#include "engine/mutant.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "mem/region.h"
#include "sched/clock.h"
#include "sched/thread.h"

#define IDLE_WAIT_NS    UINT64_C(1000000000) /* a wake ends it */
#define CONTROL_WAIT_NS UINT64_C(50000)
#define SLOT_STAGES     (ERX_COMMITS_MAX * ERX_JOURNAL_COPIES)
#define SLOT_FLUSHES    (SLOT_STAGES + ERX_STAGES_MAX)

typedef enum { FREE, SUBMITTED, DURABLE } state_t;

typedef struct {
    atomic_int state;
    uint32_t pending; /* operations of the machine that are under way */
    uint64_t submitted_ns;
    uint64_t commit_ns;
    erx_record_t *record;
} commit_record_t;

typedef enum { WAITING, WRITING, WRITTEN, FLUSHING } stage_progress_t;

typedef struct {
    atomic_int state;
    stage_progress_t progress; /* the machine's, as is file; WAITING unless it has begun */
    uint32_t file;
    uint64_t offset;
    uint64_t records; /* that were submitted before it */
    erx_checkpoint_t *image;
} stage_t;

struct erx_commit {
    erx_commit_plan_t plan;
    erx_region_t region;
    erx_io_t *io;
    erx_thread_t *thread;
    atomic_bool stopping;
    atomic_bool failed;
    atomic_bool hurried; /* by the control thread, until the machine has seen it */
    _Atomic uint64_t confirmed;
    erx_error_t error; /* published by failed */
    /* The control thread's. */
    uint64_t submit_count;
    uint64_t collect_count;
    /* The machine's. */
    uint64_t start_count;
    uint64_t confirm_count;
    bool flushing[ERX_IO_FILES_MAX];
#ifdef ERX_MUTANTS
    bool retried[ERX_IO_SLOTS_MAX];
#endif
    commit_record_t records[ERX_COMMITS_MAX];
    stage_t stages[ERX_STAGES_MAX];
};

erx_status_t erx_commit_open(const erx_commit_plan_t *plan, erx_commit_t **commit_out,
                             erx_error_t *error)
{
    ERX_ASSERT(plan->stage_count >= 1 && plan->stage_count <= ERX_STAGES_MAX);
    ERX_ASSERT(plan->record_bytes % ERX_IO_ALIGNMENT == 0);
    ERX_ASSERT(plan->stage_bytes % ERX_IO_ALIGNMENT == 0);
    erx_commit_t *commit = erx_alloc(1, sizeof *commit);
    if (commit == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the journal");
    commit->plan = *plan;
    erx_status_t status = erx_region_open(&commit->region,
                                          ERX_COMMITS_MAX * plan->record_bytes +
                                              plan->stage_count * plan->stage_bytes,
                                          ERX_NODE_ANY, error);
    if (status != ERX_OK) {
        erx_free(commit);
        return erx_error_prefix(error, "buffers of the journal");
    }
    for (uint32_t i = 0; i < ERX_COMMITS_MAX; i++)
        commit->records[i].record =
            erx_region_take(&commit->region, plan->record_bytes, ERX_IO_ALIGNMENT);
    for (uint32_t i = 0; i < plan->stage_count; i++)
        commit->stages[i].image =
            erx_region_take(&commit->region, plan->stage_bytes, ERX_IO_ALIGNMENT);
    erx_region_seal(&commit->region);
    *commit_out = commit;
    return ERX_OK;
}

erx_io_buffer_t erx_commit_memory(const erx_commit_t *commit)
{
    return (erx_io_buffer_t){.base = commit->region.base, .bytes = commit->region.bytes};
}

static void fail(erx_commit_t *commit)
{
    if (atomic_load_explicit(&commit->failed, memory_order_relaxed))
        return;
    if (erx_io_health(commit->io, &commit->error) == ERX_OK)
        (void)erx_error_set(&commit->error, ERX_ERR_IO, "the journal was cancelled");
    atomic_store_explicit(&commit->failed, true, memory_order_release);
}

static void start_record_copy(erx_commit_t *commit, uint32_t index, uint32_t copy)
{
    const erx_record_t *record = commit->records[index].record;
    bool then_flush = !ERX_MUTANT(SKIP_FLUSH) && !ERX_MUTANT(FLUSH_BEFORE_WRITE);
    erx_io_submit_write(commit->io, index * ERX_JOURNAL_COPIES + copy, copy, record->offset, record,
                        record->length, then_flush);
}

static void start_record(erx_commit_t *commit, uint32_t index)
{
    commit_record_t *entry = &commit->records[index];
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
        start_record_copy(commit, index, copy);
    entry->pending = ERX_JOURNAL_COPIES;
    if (ERX_MUTANT(FLUSH_BEFORE_WRITE)) {
        /* The slots of flushes of checkpoints serve; a busy one skips its turn. */
        for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++) {
            if (commit->flushing[copy])
                continue;
            commit->flushing[copy] = true;
            erx_io_submit_flush(commit->io, SLOT_FLUSHES + copy, copy);
        }
    }
}

static void start_stage(erx_commit_t *commit, uint32_t index)
{
    stage_t *stage = &commit->stages[index];
    uint32_t bytes = erx_checkpoint_seal(stage->image);
    stage->progress = WRITING;
    stage->file = ERX_JOURNAL_COPIES + stage->image->pool;
    erx_io_submit_write(commit->io, SLOT_STAGES + index, stage->file, stage->offset, stage->image,
                        bytes, false);
}

/* Flushes a pool's file once no write of it is under way, so that one flush
 * serves all images of a block. */
static void start_flush(erx_commit_t *commit, uint32_t file)
{
    bool any = false;
    for (uint32_t i = 0; i < commit->plan.stage_count; i++) {
        const stage_t *stage = &commit->stages[i];
        if (stage->progress == WRITING && stage->file == file)
            return;
        any |= stage->progress == WRITTEN && stage->file == file;
    }
    if (!any || commit->flushing[file])
        return;
    for (uint32_t i = 0; i < commit->plan.stage_count; i++) {
        stage_t *stage = &commit->stages[i];
        if (stage->progress == WRITTEN && stage->file == file)
            stage->progress = FLUSHING;
    }
    commit->flushing[file] = true;
    erx_io_submit_flush(commit->io, SLOT_FLUSHES + file, file);
}

static void end_flush(erx_commit_t *commit, uint32_t file)
{
    commit->flushing[file] = false;
    for (uint32_t i = 0; i < commit->plan.stage_count; i++) {
        stage_t *stage = &commit->stages[i];
        if (stage->progress != FLUSHING || stage->file != file)
            continue;
        stage->progress = WAITING;
        /* Release: the control thread may fill the buffer again. */
        atomic_store_explicit(&stage->state, DURABLE, memory_order_release);
    }
}

/* Starts checkpoints after the record that follows them: they come at the end of
 * a block, and many megabytes in the device's queue would hold up the record of
 * the next block, which is about to come. */
static void start_stages(erx_commit_t *commit)
{
    bool hurried = atomic_exchange_explicit(&commit->hurried, false, memory_order_acquire);
    for (uint32_t i = 0; i < commit->plan.stage_count; i++) {
        const stage_t *stage = &commit->stages[i];
        /* Acquire: the image's bytes were written before it was submitted. */
        if (atomic_load_explicit(&stage->state, memory_order_acquire) == SUBMITTED &&
            stage->progress == WAITING && (hurried || commit->confirm_count > stage->records))
            start_stage(commit, i);
    }
}

/* Starts what the control thread has submitted. */
static void start_all(erx_commit_t *commit)
{
    for (;;) {
        uint32_t index = (uint32_t)(commit->start_count % ERX_COMMITS_MAX);
        /* Acquire: the record's bytes were written before it was submitted. */
        if (atomic_load_explicit(&commit->records[index].state, memory_order_acquire) !=
                SUBMITTED ||
            commit->start_count >= commit->confirm_count + ERX_COMMITS_MAX)
            break;
        start_record(commit, index);
        commit->start_count++;
    }
    start_stages(commit);
    for (uint32_t file = ERX_JOURNAL_COPIES; file < commit->io->file_count; file++)
        start_flush(commit, file);
}

static void confirm_all(erx_commit_t *commit)
{
    while (commit->confirm_count < commit->start_count) {
        commit_record_t *entry = &commit->records[commit->confirm_count % ERX_COMMITS_MAX];
        if (entry->pending > 0)
            return;
        uint64_t sequence = entry->record->sequence;
        if (commit->plan.confirmed != NULL)
            commit->plan.confirmed(commit->plan.context, entry->record);
        entry->commit_ns = erx_clock_now() - entry->submitted_ns;
        commit->confirm_count++;
        /* Release: who sees the sequence as confirmed finds it durable. */
        atomic_store_explicit(&commit->confirmed, sequence, memory_order_release);
        atomic_store_explicit(&entry->state, DURABLE, memory_order_release);
    }
}

#ifdef ERX_MUTANTS
/* Retries what failed, once, as if a flush that failed could be made good. */
static bool mutant_retries(erx_commit_t *commit, const erx_io_completion_t *completion)
{
    uint32_t slot = completion->slot;
    bool in_flush = commit->io->failed && commit->io->failed_in_flush;
    if (!ERX_MUTANT(RETRY_FLUSH) || (commit->io->failed && !in_flush) || commit->retried[slot])
        return false;
    commit->retried[slot] = true;
    commit->io->failed = false;
    if (slot >= SLOT_FLUSHES)
        erx_io_submit_flush(commit->io, slot, slot - SLOT_FLUSHES);
    else if (slot >= SLOT_STAGES)
        start_stage(commit, slot - SLOT_STAGES);
    else if (in_flush)
        erx_io_submit_flush(commit->io, slot, slot % ERX_JOURNAL_COPIES);
    else
        start_record_copy(commit, slot / ERX_JOURNAL_COPIES, slot % ERX_JOURNAL_COPIES);
    return true;
}

static bool mutant_ignores(erx_commit_t *commit)
{
    if (ERX_MUTANT(IGNORE_SHORT_WRITE))
        commit->io->failed = false;
    return ERX_MUTANT(IGNORE_SHORT_WRITE);
}
#else
#define mutant_retries(commit, completion) false
#define mutant_ignores(commit)             false
#endif

static void complete(erx_commit_t *commit, const erx_io_completion_t *completion)
{
    uint32_t slot = completion->slot;
    if (completion->result != 0 && mutant_retries(commit, completion))
        return;
    if (completion->result != 0 && !mutant_ignores(commit)) {
        fail(commit);
        return;
    }
    if (slot < SLOT_STAGES)
        commit->records[slot / ERX_JOURNAL_COPIES].pending--;
    else if (slot < SLOT_FLUSHES)
        commit->stages[slot - SLOT_STAGES].progress = WRITTEN;
    else
        end_flush(commit, slot - SLOT_FLUSHES);
}

static bool has_failed(const erx_commit_t *commit)
{
    /* Acquire: the error was written before. */
    return atomic_load_explicit(&commit->failed, memory_order_acquire);
}

void erx_commit_turn(erx_commit_t *commit, uint64_t wait_ns)
{
    erx_io_completion_t completions[ERX_IO_SLOTS_MAX];
    if (!has_failed(commit))
        start_all(commit);
    uint32_t count = erx_io_poll(commit->io, completions, ERX_IO_SLOTS_MAX, wait_ns);
    for (uint32_t i = 0; i < count; i++)
        complete(commit, &completions[i]);
    if (has_failed(commit))
        return;
    confirm_all(commit);
    start_stages(commit);
    for (uint32_t file = ERX_JOURNAL_COPIES; file < commit->io->file_count; file++)
        start_flush(commit, file);
}

static void run(void *context)
{
    erx_commit_t *commit = context;
    while (!atomic_load_explicit(&commit->stopping, memory_order_acquire))
        erx_commit_turn(commit, IDLE_WAIT_NS);
}

erx_status_t erx_commit_start(erx_commit_t *commit, erx_io_t *io, uint64_t confirmed,
                              erx_error_t *error)
{
    commit->io = io;
    atomic_store_explicit(&commit->confirmed, confirmed, memory_order_relaxed);
    if (!commit->plan.threaded)
        return ERX_OK;
    return erx_thread_open("erx-commit", run, commit, &commit->thread, error);
}

void erx_commit_wait(erx_commit_t *commit)
{
    if (commit->thread == NULL)
        erx_commit_turn(commit, CONTROL_WAIT_NS);
    else
        erx_clock_sleep_until(erx_clock_now() + CONTROL_WAIT_NS);
}

void erx_commit_hurry(erx_commit_t *commit)
{
    atomic_store_explicit(&commit->hurried, true, memory_order_release);
    if (commit->thread != NULL)
        erx_io_wake(commit->io);
}

erx_record_t *erx_commit_next_record(erx_commit_t *commit)
{
    commit_record_t *entry = &commit->records[commit->submit_count % ERX_COMMITS_MAX];
    /* Acquire: the machine has finished reading the buffer. */
    bool free = atomic_load_explicit(&entry->state, memory_order_acquire) == FREE;
    return free ? entry->record : NULL;
}

void erx_commit_submit_record(erx_commit_t *commit)
{
    commit_record_t *entry = &commit->records[commit->submit_count++ % ERX_COMMITS_MAX];
    entry->submitted_ns = erx_clock_now();
    if (ERX_MUTANT(PUBLISH_BEFORE_DURABLE))
        atomic_store_explicit(&commit->confirmed, entry->record->sequence, memory_order_release);
    /* Release: the record's bytes come with it. */
    atomic_store_explicit(&entry->state, SUBMITTED, memory_order_release);
    if (commit->thread != NULL)
        erx_io_wake(commit->io);
}

uint32_t erx_commit_free_stage(const erx_commit_t *commit, uint32_t from)
{
    for (uint32_t i = from; i < commit->plan.stage_count; i++)
        if (atomic_load_explicit(&commit->stages[i].state, memory_order_acquire) == FREE)
            return i;
    return ERX_STAGES_MAX;
}

erx_checkpoint_t *erx_commit_stage(erx_commit_t *commit, uint32_t stage)
{
    return commit->stages[stage].image;
}

void erx_commit_submit_stage(erx_commit_t *commit, uint32_t stage, uint64_t offset)
{
    commit->stages[stage].offset = offset;
    commit->stages[stage].records = commit->submit_count;
    /* Release: the image's bytes come with it. */
    atomic_store_explicit(&commit->stages[stage].state, SUBMITTED, memory_order_release);
    if (commit->thread != NULL)
        erx_io_wake(commit->io);
}

bool erx_commit_collect_record(erx_commit_t *commit, erx_committed_t *committed_out)
{
    commit_record_t *entry = &commit->records[commit->collect_count % ERX_COMMITS_MAX];
    if (atomic_load_explicit(&entry->state, memory_order_acquire) != DURABLE)
        return false;
    *committed_out = (erx_committed_t){
        .sequence = entry->record->sequence,
        .commit_ns = entry->commit_ns,
    };
    commit->collect_count++;
    atomic_store_explicit(&entry->state, FREE, memory_order_release);
    return true;
}

uint32_t erx_commit_durable_stage(const erx_commit_t *commit, uint32_t from)
{
    for (uint32_t i = from; i < commit->plan.stage_count; i++)
        if (atomic_load_explicit(&commit->stages[i].state, memory_order_acquire) == DURABLE)
            return i;
    return ERX_STAGES_MAX;
}

void erx_commit_release_stage(erx_commit_t *commit, uint32_t stage)
{
    atomic_store_explicit(&commit->stages[stage].state, FREE, memory_order_release);
}

uint64_t erx_commit_confirmed(const erx_commit_t *commit)
{
    return atomic_load_explicit(&commit->confirmed, memory_order_acquire);
}

erx_status_t erx_commit_health(const erx_commit_t *commit, erx_error_t *error)
{
    if (!has_failed(commit))
        return ERX_OK;
    *error = commit->error;
    return error->status;
}

uint64_t erx_commit_cpu_ns(const erx_commit_t *commit)
{
    return commit->thread == NULL ? 0
                                  : erx_thread_cpu_ns(commit->thread) + erx_io_cpu_ns(commit->io);
}

static bool is_busy(const erx_commit_t *commit)
{
    for (uint32_t i = 0; i < ERX_COMMITS_MAX; i++)
        if (atomic_load_explicit(&commit->records[i].state, memory_order_acquire) == SUBMITTED)
            return true;
    for (uint32_t i = 0; i < commit->plan.stage_count; i++)
        if (atomic_load_explicit(&commit->stages[i].state, memory_order_acquire) == SUBMITTED)
            return true;
    return false;
}

void erx_commit_stop(erx_commit_t *commit)
{
    while (is_busy(commit) && !has_failed(commit)) {
        erx_commit_hurry(commit);
        erx_commit_wait(commit);
    }
    atomic_store_explicit(&commit->stopping, true, memory_order_release);
    if (commit->thread != NULL)
        erx_io_wake(commit->io);
    erx_thread_close(commit->thread);
    commit->thread = NULL;
}

void erx_commit_close(erx_commit_t *commit)
{
    if (commit == NULL)
        return;
    ERX_ASSERT(commit->thread == NULL);
    erx_region_close(&commit->region);
    erx_free(commit);
}
