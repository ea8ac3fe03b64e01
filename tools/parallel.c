#include "tools/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

typedef struct {
    erx_parallel_fn job;
    void *context;
    uint32_t count;
    atomic_uint next; /* the piece that nobody has taken yet */
    atomic_uint done;
} work_t;

uint32_t erx_parallel_threads(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return ERX_MIN((uint32_t)ERX_MAX(count, 1), ERX_PARALLEL_THREADS_MAX);
}

/* Takes one piece after the other; false when there is none left. */
static bool run_piece(work_t *work)
{
    uint32_t piece = atomic_fetch_add(&work->next, 1);
    if (piece >= work->count)
        return false;
    work->job(work->context, piece);
    (void)atomic_fetch_add(&work->done, 1);
    return true;
}

static void *run_pieces(void *argument)
{
    while (run_piece(argument)) {
    }
    return NULL;
}

void erx_parallel_run(erx_parallel_fn job, void *context, uint32_t count, uint32_t threads,
                      erx_progress_t *progress)
{
    work_t work = {.job = job, .context = context, .count = count};
    pthread_t helpers[ERX_PARALLEL_THREADS_MAX];
    uint32_t wanted = threads == 0 ? erx_parallel_threads() : threads;
    wanted = ERX_MIN(ERX_MIN(wanted, count), ERX_PARALLEL_THREADS_MAX);
    uint32_t started = 0;
    /* The calling thread works too: where no helper can be had, it does it all. */
    while (started + 1 < wanted && pthread_create(&helpers[started], NULL, run_pieces, &work) == 0)
        started++;
    while (run_piece(&work))
        if (progress != NULL)
            erx_progress_update(progress, atomic_load(&work.done));
    for (uint32_t i = 0; i < started; i++)
        (void)pthread_join(helpers[i], NULL);
}
