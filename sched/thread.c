#include "sched/thread.h"

#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Ahead of the workers, with which it may share a processor: its turns are a
 * few microseconds long, and a durable block waits for each of them. A raised
 * nice value alone shortens the wait only to some scheduler ticks. */
#define REAL_TIME_PRIORITY 1
#define RAISED_NICE        (-15)

/* A tenth of the weight of a thread of normal priority. */
#define BACKGROUND_NICE 10

struct erx_thread {
    pthread_t thread;
    erx_thread_fn body;
    void *context;
    void (*set_priority)(void); /* of the calling thread */
    sem_t ready;                /* it has its priority */
};

static void raise_priority(void)
{
    const struct sched_param priority = {.sched_priority = REAL_TIME_PRIORITY};
    /* Refused to those who may not: the thread then runs as all others do. */
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) != 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), RAISED_NICE);
}

static void lower_priority(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
}

static void *run(void *argument)
{
    erx_thread_t *thread = argument;
    thread->set_priority();
    ERX_ASSERT(sem_post(&thread->ready) == 0);
    thread->body(thread->context);
    return NULL;
}

static erx_status_t open_thread(const char *name, erx_thread_t description,
                                erx_thread_t **thread_out, erx_error_t *error)
{
    erx_thread_t *thread = erx_alloc(1, sizeof *thread);
    if (thread == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for thread %s", name);
    *thread = description;
    ERX_ASSERT(sem_init(&thread->ready, 0, 0) == 0);
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&thread->thread, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        (void)sem_destroy(&thread->ready);
        erx_free(thread);
        return erx_error_set(error, ERX_ERR_MEMORY, "cannot start thread %s: %s", name,
                             strerror(failure));
    }
    (void)pthread_setname_np(thread->thread, name);
    while (sem_wait(&thread->ready) != 0) /* a signal's handler ran */
        ERX_ASSERT(errno == EINTR);
    *thread_out = thread;
    return ERX_OK;
}

erx_status_t erx_thread_open(const char *name, erx_thread_fn body, void *context,
                             erx_thread_t **thread_out, erx_error_t *error)
{
    const erx_thread_t description = {
        .body = body, .context = context, .set_priority = raise_priority};
    return open_thread(name, description, thread_out, error);
}

erx_status_t erx_thread_open_background(const char *name, erx_thread_fn body, void *context,
                                        erx_thread_t **thread_out, erx_error_t *error)
{
    const erx_thread_t description = {
        .body = body, .context = context, .set_priority = lower_priority};
    return open_thread(name, description, thread_out, error);
}

uint64_t erx_thread_cpu_ns(const erx_thread_t *thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread->thread, &clock) == 0 ? erx_clock_read(clock) : 0;
}

void erx_thread_close(erx_thread_t *thread)
{
    if (thread == NULL)
        return;
    ERX_ASSERT(pthread_join(thread->thread, NULL) == 0);
    (void)sem_destroy(&thread->ready);
    erx_free(thread);
}
