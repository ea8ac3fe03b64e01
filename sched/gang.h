/* The gang: W pinned workers that run one function together.
 *
 * One leader thread (any thread outside the gang, one at a time) starts a job
 * and waits for it. Between jobs workers spin for a short while and then park;
 * rouse wakes parked ones ahead of a start whose time is known, so that the
 * start itself is one store. Inside a job workers may meet at the barrier,
 * which makes no system call unless a worker keeps the others waiting for so
 * long that it has probably lost its processor. Signals are blocked on
 * workers; their threads are named erx-worker-<index>. CONCURRENCY.md lists
 * who writes what. */
#ifndef ERX_SCHED_GANG_H
#define ERX_SCHED_GANG_H

#include "mem/status.h"
#include "sched/topo.h"

typedef struct erx_gang erx_gang_t;

/* Runs on every worker of the gang; worker is in [0, worker_count). */
typedef void (*erx_gang_job_fn)(void *context, uint32_t worker);

/* Starts worker_count threads, worker i pinned to topo->cpus[i]. Errors:
 * ERX_ERR_RANGE for 0 workers or more than topo has processors (the message
 * names both), ERX_ERR_MEMORY, ERX_ERR_PERMISSION. topo is not kept. */
erx_status_t erx_gang_open(const erx_topo_t *topo, uint32_t worker_count, erx_gang_t **gang_out,
                           erx_error_t *error);

uint32_t erx_gang_worker_count(const erx_gang_t *gang);

/* NUMA node index (into topo) of a worker. */
uint32_t erx_gang_worker_node(const erx_gang_t *gang, uint32_t worker);

/* Wakes parked workers and keeps them spinning for the spin budget. Optional;
 * leader only, between jobs. */
void erx_gang_rouse(erx_gang_t *gang);

/* Gives job to every worker and returns at once. Leader only; no job may be
 * under way. */
void erx_gang_start(erx_gang_t *gang, erx_gang_job_fn job, void *context);

/* Returns when every worker has returned from the job. What the workers wrote
 * is then visible to the leader. Leader only. */
void erx_gang_wait(erx_gang_t *gang);

/* start, then wait. */
void erx_gang_run(erx_gang_t *gang, erx_gang_job_fn job, void *context);

/* Returns when every worker of the gang has called it; what each wrote before
 * is visible to all after. Workers only, inside a job; all of them, or the job
 * never ends. Spins. */
void erx_gang_barrier(erx_gang_t *gang, uint32_t worker);

/* Stops and joins the workers. No job may be under way. NULL is allowed. */
void erx_gang_close(erx_gang_t *gang);

#endif
