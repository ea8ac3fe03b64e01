/* What erx bench journal compares: ways to make the same records durable. */
#ifndef ERX_PERF_BENCH_JOURNAL_H
#define ERX_PERF_BENCH_JOURNAL_H

#include <signal.h>

#include "engine/journal.h"
#include "sched/histogram.h"

typedef struct {
    const char *directory; /* of this run */
    uint32_t record_bytes;
    uint32_t slot_count; /* record i goes where record i - slot_count was */
} erx_rival_plan_t;

/* One way. Calls come from one thread. */
typedef struct {
    const char *name;
    uint32_t copies; /* of each record that it writes */
    erx_status_t (*open)(const erx_rival_plan_t *plan, void **state_out, erx_error_t *error);
    /* Makes a sealed record durable. Where drain is NULL, it is when this
     * returns; else it adds to latency what became durable meanwhile. */
    erx_status_t (*commit)(void *state, const erx_record_t *record, erx_histogram_t *latency,
                           erx_error_t *error);
    /* Waits for everything that was committed. */
    erx_status_t (*drain)(void *state, erx_histogram_t *latency, erx_error_t *error);
    /* Reads the last record back from the file; it must be the given one. */
    erx_status_t (*check)(void *state, const erx_record_t *record, erx_error_t *error);
    void (*close)(void *state); /* NULL is allowed */
} erx_rival_t;

extern const erx_rival_t erx_rival_uring;  /* the engine's commit machine */
extern const erx_rival_t erx_rival_plain;  /* the same where io_uring is refused */
extern const erx_rival_t erx_rival_sync;   /* pwritev2, then fdatasync */
extern const erx_rival_t erx_rival_dsync;  /* pwritev2 with RWF_DSYNC */
extern const erx_rival_t erx_rival_lmdb;   /* where liblmdb is in the build */
extern const erx_rival_t erx_rival_sqlite; /* where libsqlite3 is in the build */

/* Reports that check found other bytes. */
erx_status_t erx_rival_differs(const char *name, erx_error_t *error);

typedef struct {
    const char *directory; /* of this run, empty; the files stay in it */
    uint32_t sessions;     /* frames a record */
    uint32_t fps;
    uint32_t seconds; /* paced, of each rival */
    bool smoke;       /* a few blocks of each: for tests */
} erx_bench_journal_options_t;

#define ERX_RIVALS_MAX 8u

typedef struct {
    const erx_rival_t *rival;
    erx_histogram_t paced;
    erx_histogram_t unpaced;
    uint64_t unpaced_ns;
    double paced_cpu_seconds;
} erx_rival_figures_t;

typedef struct {
    uint32_t record_bytes;
    uint32_t rival_count;
    erx_rival_figures_t rivals[ERX_RIVALS_MAX]; /* in the order of the table */
} erx_bench_journal_t;

/* Runs all rivals in turn, a second each until each had its time, paced, then
 * the same without pause. Stops early when *stop is set. Errors: those of the
 * rivals. */
erx_status_t erx_bench_journal_run(const erx_bench_journal_options_t *options,
                                   const volatile sig_atomic_t *stop,
                                   erx_bench_journal_t *bench_out, erx_error_t *error);

#endif
