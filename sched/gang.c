#include "sched/gang.h"

#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long a worker spins for the next job before it parks. Waking a parked
 * thread costs tens of microseconds, so this covers the gaps inside a block
 * and not the one between blocks, which rouse covers. */
#define WORKER_SPIN_NS 200000u
/* Pauses between two looks at the clock. */
#define PAUSES_A_LOOK 64u
/* The leader often shares a processor with a worker, whose work it would hold
 * up by spinning: it parks almost at once. */
#define LEADER_PAUSES 64u
/* Pauses in a barrier before it gives up its processor for a turn. Workers
 * that have a processor each never get there; with fewer processors than
 * workers, the one that is waited for could otherwise not run until the
 * kernel's time slice ends. */
#define BARRIER_PAUSES_A_YIELD 4096u

/* The bell is what workers watch and park on. Its upper bits count jobs and
 * its lower bits count rouses since the last start, so that one store starts a
 * job, and any change of the word restarts the spinning. Both may wrap: a
 * worker never misses a job, and a missed rouse costs only time. */
#define BELL_JOB_SHIFT  8u
#define BELL_ROUSE_MASK ((1u << BELL_JOB_SHIFT) - 1)

/* What one worker alone uses. */
typedef struct {
    alignas(ERX_CACHE_LINE) erx_gang_t *gang;
    uint32_t index;
    uint32_t cpu;
    uint32_t node;
    uint32_t barrier_phase; /* barriers that it has come to */
    pthread_t thread;
    const erx_topo_t *topo; /* only until open returns */
    erx_error_t error;      /* of pinning; read after the first wait */
} lane_t;

/* Each line below has one kind of writer. Orders are argued at each use and
 * summed up in CONCURRENCY.md. */
struct erx_gang {
    /* Written by the leader to start a job; job and context are plain, made
     * visible by the bell. A job of NULL means: return from the thread. */
    alignas(ERX_CACHE_LINE) _Atomic uint32_t bell;
    erx_gang_job_fn job;
    void *context;
    uint32_t worker_count;
    /* Workers that are parked or about to be. */
    alignas(ERX_CACHE_LINE) _Atomic uint32_t parked_count;
    /* Workers that have not returned from the job; the leader parks on it. */
    alignas(ERX_CACHE_LINE) _Atomic uint32_t remaining;
    _Atomic uint32_t leader_parked;
    /* Workers that have come to the present barrier. */
    alignas(ERX_CACHE_LINE) _Atomic uint32_t barrier_arrived;
    /* Barriers passed. */
    alignas(ERX_CACHE_LINE) _Atomic uint32_t barrier_phase;
    lane_t lanes[];
};

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* Spins while the bell reads seen, up to the spin budget; what it reads then.
 * Acquire: with the new value come job and context, and everything that the
 * leader wrote before the start. */
static uint32_t spin_on_bell(erx_gang_t *gang, uint32_t seen)
{
    uint64_t deadline = erx_clock_now() + WORKER_SPIN_NS;
    do {
        for (uint32_t i = 0; i < PAUSES_A_LOOK; i++) {
            uint32_t bell = atomic_load_explicit(&gang->bell, memory_order_acquire);
            if (bell != seen)
                return bell;
            pause_briefly();
        }
    } while (erx_clock_now() < deadline);
    return seen;
}

/* Parks while the bell reads seen. Sequentially consistent, as is the leader's
 * side (ring): the worker counts itself and then looks at the bell, the leader
 * rings the bell and then looks at the count, and one of the two must see the
 * other. The kernel compares the bell once more before it sleeps. */
static void park_on_bell(erx_gang_t *gang, uint32_t seen)
{
    (void)atomic_fetch_add_explicit(&gang->parked_count, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&gang->bell, memory_order_seq_cst) == seen)
        futex_wait(&gang->bell, seen);
    (void)atomic_fetch_sub_explicit(&gang->parked_count, 1, memory_order_relaxed);
}

static uint32_t wait_for_job(erx_gang_t *gang, uint32_t last_job)
{
    uint32_t seen = last_job << BELL_JOB_SHIFT;
    for (;;) {
        uint32_t bell = spin_on_bell(gang, seen);
        if (bell >> BELL_JOB_SHIFT != last_job)
            return bell >> BELL_JOB_SHIFT;
        if (bell == seen)
            park_on_bell(gang, seen);
        seen = bell; /* roused: spin again */
    }
}

/* Release: what this worker wrote in the job is visible to the leader, who
 * acquires when it reads 0; the read-modify-writes of all workers form one
 * release sequence, so 0 carries them all. Sequentially consistent for the
 * same handshake as park_on_bell, with the leader as the one that parks. */
static void finish_job(erx_gang_t *gang)
{
    if (atomic_fetch_sub_explicit(&gang->remaining, 1, memory_order_seq_cst) == 1 &&
        atomic_load_explicit(&gang->leader_parked, memory_order_seq_cst) != 0)
        futex_wake_all(&gang->remaining);
}

static void *worker_main(void *argument)
{
    lane_t *lane = argument;
    erx_gang_t *gang = lane->gang;
    (void)erx_topo_pin(lane->topo, lane->cpu, &lane->error);
    finish_job(gang); /* being pinned is the first job */
    for (uint32_t job = 0;;) {
        job = wait_for_job(gang, job);
        if (gang->job == NULL)
            return NULL;
        gang->job(gang->context, lane->index);
        finish_job(gang);
    }
}

/* The leader's half of park_on_bell. */
static void ring(erx_gang_t *gang, uint32_t bell)
{
    atomic_store_explicit(&gang->bell, bell, memory_order_seq_cst);
    if (atomic_load_explicit(&gang->parked_count, memory_order_seq_cst) > 0)
        futex_wake_all(&gang->bell);
}

static uint32_t read_bell(const erx_gang_t *gang)
{
    /* Relaxed: only the leader writes it. */
    return atomic_load_explicit(&gang->bell, memory_order_relaxed);
}

/* Gives every worker the job; NULL ends the workers. */
static void give(erx_gang_t *gang, erx_gang_job_fn job, void *context)
{
    gang->job = job;
    gang->context = context;
    ring(gang, ((read_bell(gang) >> BELL_JOB_SHIFT) + 1) << BELL_JOB_SHIFT);
}

/* Ends and joins the first started workers. */
static void stop(erx_gang_t *gang, uint32_t started)
{
    give(gang, NULL, NULL);
    for (uint32_t i = 0; i < started; i++)
        (void)pthread_join(gang->lanes[i].thread, NULL);
}

static int start_worker(erx_gang_t *gang, const erx_topo_t *topo, uint32_t index)
{
    lane_t *lane = &gang->lanes[index];
    lane->gang = gang;
    lane->index = index;
    lane->cpu = topo->cpus[index].cpu;
    lane->node = topo->cpus[index].node;
    lane->topo = topo;
    int reason = pthread_create(&lane->thread, NULL, worker_main, lane);
    if (reason != 0)
        return reason;
    char name[32]; /* the kernel keeps 15 characters: enough for ERX_CPUS_MAX */
    (void)snprintf(name, sizeof name, "erx-worker-%u", index);
    (void)pthread_setname_np(lane->thread, name);
    return 0;
}

static erx_status_t start_workers(erx_gang_t *gang, const erx_topo_t *topo, erx_error_t *error)
{
    uint32_t count = gang->worker_count;
    atomic_store_explicit(&gang->remaining, count, memory_order_relaxed);
    /* Signals are the embedder's: its handlers must not run on a worker. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = 0;
    uint32_t started = 0;
    while (started < count && (reason = start_worker(gang, topo, started)) == 0)
        started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason != 0) {
        stop(gang, started);
        return erx_error_set(error, ERX_ERR_MEMORY,
                             "cannot start worker %u of %u (%s): raise the limit of threads or use "
                             "fewer workers",
                             started, count, strerror(reason));
    }
    erx_gang_wait(gang);
    for (uint32_t i = 0; i < count; i++) {
        if (gang->lanes[i].error.status != ERX_OK) {
            *error = gang->lanes[i].error;
            stop(gang, count);
            return error->status;
        }
    }
    return ERX_OK;
}

erx_status_t erx_gang_open(const erx_topo_t *topo, uint32_t worker_count, erx_gang_t **gang_out,
                           erx_error_t *error)
{
    if (worker_count == 0 || worker_count > topo->cpu_count)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%u workers asked for, %u processors usable: choose 1 to %u",
                             worker_count, topo->cpu_count, topo->cpu_count);
    erx_gang_t *gang = erx_alloc(1, sizeof *gang + worker_count * sizeof(lane_t));
    if (gang == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a gang of %u workers",
                             worker_count);
    gang->worker_count = worker_count;
    erx_status_t status = start_workers(gang, topo, error);
    if (status != ERX_OK) {
        erx_free(gang);
        return status;
    }
    *gang_out = gang;
    return ERX_OK;
}

uint32_t erx_gang_worker_count(const erx_gang_t *gang)
{
    return gang->worker_count;
}

uint32_t erx_gang_worker_node(const erx_gang_t *gang, uint32_t worker)
{
    ERX_ASSERT(worker < gang->worker_count);
    return gang->lanes[worker].node;
}

void erx_gang_rouse(erx_gang_t *gang)
{
    uint32_t bell = read_bell(gang);
    ring(gang, (bell & ~BELL_ROUSE_MASK) | ((bell + 1) & BELL_ROUSE_MASK));
}

void erx_gang_start(erx_gang_t *gang, erx_gang_job_fn job, void *context)
{
    ERX_ASSERT(job != NULL);
    ERX_ASSERT(atomic_load_explicit(&gang->remaining, memory_order_relaxed) == 0);
    /* Relaxed: the bell publishes it. */
    atomic_store_explicit(&gang->remaining, gang->worker_count, memory_order_relaxed);
    give(gang, job, context);
}

void erx_gang_wait(erx_gang_t *gang)
{
    for (uint32_t i = 0; i < LEADER_PAUSES; i++) {
        if (atomic_load_explicit(&gang->remaining, memory_order_acquire) == 0)
            return;
        pause_briefly();
    }
    /* Sequentially consistent: see finish_job. */
    atomic_store_explicit(&gang->leader_parked, 1, memory_order_seq_cst);
    uint32_t remaining;
    while ((remaining = atomic_load_explicit(&gang->remaining, memory_order_seq_cst)) != 0)
        futex_wait(&gang->remaining, remaining);
    atomic_store_explicit(&gang->leader_parked, 0, memory_order_relaxed);
}

void erx_gang_run(erx_gang_t *gang, erx_gang_job_fn job, void *context)
{
    erx_gang_start(gang, job, context);
    erx_gang_wait(gang);
}

/* The last to come opens the barrier for the others. Acquire and release on
 * the count: the last one has seen what all wrote before; release and acquire
 * on the phase hand that on. Nobody can come to the next barrier before the
 * phase is stored, so the count is reset before, relaxed. */
void erx_gang_barrier(erx_gang_t *gang, uint32_t worker)
{
    ERX_ASSERT(worker < gang->worker_count);
    uint32_t phase = ++gang->lanes[worker].barrier_phase;
    uint32_t before = atomic_fetch_add_explicit(&gang->barrier_arrived, 1, memory_order_acq_rel);
    if (before + 1 == gang->worker_count) {
        atomic_store_explicit(&gang->barrier_arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&gang->barrier_phase, phase, memory_order_release);
        return;
    }
    uint32_t pauses = 0;
    while (atomic_load_explicit(&gang->barrier_phase, memory_order_acquire) != phase) {
        pause_briefly();
        if (++pauses == BARRIER_PAUSES_A_YIELD) {
            pauses = 0;
            (void)sched_yield();
        }
    }
}

void erx_gang_close(erx_gang_t *gang)
{
    if (gang == NULL)
        return;
    stop(gang, gang->worker_count);
    erx_free(gang);
}
