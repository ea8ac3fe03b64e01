#include "perf/bench_journal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/io.h"
#include "perf/process.h"
#include "sched/clock.h"
#include "sched/thread.h"
#include "tools/progress.h"
#include "tools/random.h"

#define FILE_BYTES_USUAL ((uint64_t)16 << 20) /* of a rival's records, before they are reused */
#define SLOTS_MIN        8u
#define SMOKE_BLOCKS     12u
#define LEAD_NS          UINT64_C(20000000) /* before the first block of a turn */
#define UNPACED_SHARE    4u                 /* unpaced: 1 / this of the paced time */

static const erx_rival_t *const rivals[] = {
    &erx_rival_uring,  &erx_rival_plain, &erx_rival_sync, &erx_rival_dsync,
#ifdef ERX_HAVE_LMDB
    &erx_rival_lmdb,
#endif
#ifdef ERX_HAVE_SQLITE
    &erx_rival_sqlite,
#endif
};

ERX_STATIC_ASSERT(ERX_COUNT(rivals) <= ERX_RIVALS_MAX, "the table has room");

/* One rival's run. */
typedef struct {
    void *state;
    erx_record_t *record; /* its last one */
} lane_t;

typedef struct {
    const erx_bench_journal_options_t *options;
    const volatile sig_atomic_t *stop;
    erx_bench_journal_t *bench;
    erx_rival_plan_t plan;
    erx_random_t random;
    lane_t lanes[ERX_RIVALS_MAX];
    erx_status_t status;
    erx_error_t *error;
} run_t;

erx_status_t erx_rival_differs(const char *name, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_DIFFERS, "%s: the last record is not what was written",
                         name);
}

/* The next record of a lane: frames of all sessions, with new inputs. */
static const erx_record_t *next_record(run_t *run, lane_t *lane)
{
    erx_record_t *record = lane->record;
    record->sequence++;
    record->block = record->sequence;
    record->offset = record->sequence % run->plan.slot_count * run->plan.record_bytes;
    record->frame_count = run->options->sessions;
    erx_frame_entry_t *frames = (erx_frame_entry_t *)(void *)(record + 1);
    for (uint32_t i = 0; i < record->frame_count; i++) {
        frames[i].slot = i;
        frames[i].frame = (uint32_t)record->sequence;
        frames[i].frame_hash = erx_random_next(&run->random);
    }
    erx_record_seal(record);
    return record;
}

static erx_status_t commit_one(run_t *run, uint32_t i, erx_histogram_t *latency, erx_error_t *error)
{
    const erx_rival_t *rival = rivals[i];
    const erx_record_t *record = next_record(run, &run->lanes[i]);
    uint64_t begin = erx_clock_now();
    erx_status_t status = rival->commit(run->lanes[i].state, record, latency, error);
    if (status == ERX_OK && rival->drain == NULL)
        erx_histogram_add(latency, erx_clock_now() - begin, 1);
    return status;
}

static erx_status_t drain(run_t *run, uint32_t i, erx_histogram_t *latency, erx_error_t *error)
{
    return rivals[i]->drain == NULL ? ERX_OK
                                    : rivals[i]->drain(run->lanes[i].state, latency, error);
}

/* A second of blocks on the crank's grid. */
static erx_status_t run_paced(run_t *run, uint32_t i, erx_error_t *error)
{
    erx_rival_figures_t *figures = &run->bench->rivals[i];
    const erx_crank_t crank = {.start_ns = erx_clock_now() + LEAD_NS,
                               .rate_numerator = run->options->fps,
                               .rate_denominator = 1};
    uint64_t blocks = run->options->smoke ? SMOKE_BLOCKS : run->options->fps;
    double cpu_before = erx_process_cpu_seconds();
    erx_status_t status = ERX_OK;
    for (uint64_t tick = 0; status == ERX_OK && tick < blocks && *run->stop == 0; tick++) {
        erx_clock_sleep_until(erx_crank_due(&crank, tick));
        status = commit_one(run, i, &figures->paced, error);
    }
    if (status == ERX_OK)
        status = drain(run, i, &figures->paced, error);
    figures->paced_cpu_seconds += erx_process_cpu_seconds() - cpu_before;
    return status;
}

/* As many blocks as it can in a part of a second. */
static erx_status_t run_unpaced(run_t *run, uint32_t i, erx_error_t *error)
{
    erx_rival_figures_t *figures = &run->bench->rivals[i];
    uint64_t begin = erx_clock_now();
    uint64_t end = begin + ERX_NS_PER_SECOND / UNPACED_SHARE;
    erx_status_t status = ERX_OK;
    for (uint64_t block = 0; status == ERX_OK && *run->stop == 0; block++) {
        if (run->options->smoke ? block == SMOKE_BLOCKS : erx_clock_now() >= end)
            break;
        status = commit_one(run, i, &figures->unpaced, error);
    }
    if (status == ERX_OK)
        status = drain(run, i, &figures->unpaced, error);
    figures->unpaced_ns += erx_clock_now() - begin;
    return status;
}

/* All rivals in turn, so that each sees the same neighbours on the machine. */
static erx_status_t run_turns(run_t *run, const char *label,
                              erx_status_t (*turn)(run_t *, uint32_t, erx_error_t *),
                              erx_error_t *error)
{
    uint32_t rounds = run->options->smoke ? 1 : run->options->seconds;
    uint32_t count = run->bench->rival_count;
    erx_progress_t progress;
    erx_progress_start(&progress, label, (uint64_t)rounds * count);
    erx_status_t status = ERX_OK;
    for (uint32_t k = 0; status == ERX_OK && k < rounds * count && *run->stop == 0; k++) {
        status = turn(run, k % count, error);
        erx_progress_update(&progress, k + 1);
    }
    erx_progress_finish(&progress);
    return status;
}

static erx_status_t check_all(run_t *run, erx_error_t *error)
{
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; status == ERX_OK && i < run->bench->rival_count; i++)
        if (run->lanes[i].record->sequence > 0)
            status = rivals[i]->check(run->lanes[i].state, run->lanes[i].record, error);
    return status;
}

static erx_status_t open_lane(run_t *run, uint32_t i, erx_error_t *error)
{
    lane_t *lane = &run->lanes[i];
    lane->record = aligned_alloc(ERX_IO_ALIGNMENT, run->plan.record_bytes);
    if (lane->record == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a record");
    memset(lane->record, 0, run->plan.record_bytes);
    return rivals[i]->open(&run->plan, &lane->state, error);
}

/* On a thread like the one on which the commit machine runs, so that nobody is
 * kept from the processor for longer than another. */
static void run_all(void *context)
{
    run_t *run = context;
    erx_error_t *error = run->error;
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; status == ERX_OK && i < run->bench->rival_count; i++)
        status = open_lane(run, i, error);
    if (status == ERX_OK)
        status = run_turns(run, "paced", run_paced, error);
    if (status == ERX_OK)
        status = run_turns(run, "unpaced", run_unpaced, error);
    if (status == ERX_OK)
        status = check_all(run, error);
    for (uint32_t i = 0; i < run->bench->rival_count; i++) {
        rivals[i]->close(run->lanes[i].state);
        free(run->lanes[i].record);
    }
    run->status = status;
}

erx_status_t erx_bench_journal_run(const erx_bench_journal_options_t *options,
                                   const volatile sig_atomic_t *stop,
                                   erx_bench_journal_t *bench_out, erx_error_t *error)
{
    uint64_t length = erx_record_length(0, options->sessions, 0);
    uint32_t slots = options->smoke ? SLOTS_MIN : (uint32_t)(FILE_BYTES_USUAL / length);
    run_t run = {.options = options, .stop = stop, .bench = bench_out, .error = error};
    run.plan = (erx_rival_plan_t){.directory = options->directory,
                                  .record_bytes = (uint32_t)length,
                                  .slot_count = ERX_MAX(slots, SLOTS_MIN)};
    bench_out->record_bytes = run.plan.record_bytes;
    bench_out->rival_count = ERX_COUNT(rivals);
    for (uint32_t i = 0; i < ERX_COUNT(rivals); i++)
        bench_out->rivals[i] = (erx_rival_figures_t){.rival = rivals[i]};
    erx_random_seed(&run.random, 1, 0);
    erx_thread_t *thread;
    erx_status_t status = erx_thread_open("erx-bench", run_all, &run, &thread, error);
    if (status != ERX_OK)
        return status;
    erx_thread_close(thread);
    return run.status;
}
