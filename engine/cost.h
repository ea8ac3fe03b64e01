/* What a frame costs on this machine, measured once when a model is loaded
 * (which also warms caches and page tables, so that the first frame is as fast
 * as the thousandth). Costs decide who steps what, never what comes out. */
#ifndef ERX_ENGINE_COST_H
#define ERX_ENGINE_COST_H

#include "engine/limits.h"
#include "engine/step.h"

#define ERX_COST_POINTS_MAX 8u

/* Nanoseconds to step counts[i] sessions: by one worker alone, and by the
 * whole gang together. Between points costs are interpolated. */
typedef struct {
    uint32_t point_count;
    uint32_t counts[ERX_COST_POINTS_MAX]; /* rising from 1 */
    uint64_t slice_ns[ERX_COST_POINTS_MAX];
    uint64_t split_ns[ERX_COST_POINTS_MAX];
} erx_cost_t;

/* Measures on throw-away sessions. steps: one a NUMA node; scratches: one a
 * worker. Errors: ERX_ERR_MEMORY. Control thread, no block executing. */
erx_status_t erx_cost_measure(erx_cost_t *cost_out, erx_gang_t *gang, const erx_step_model_t *steps,
                              erx_scratch_t *scratches, uint32_t group_size, erx_error_t *error);

/* Nanoseconds of one session's share of the fullest measured slice. */
uint64_t erx_cost_frame_ns(const erx_cost_t *cost);

/* Whether the gang is done sooner when it steps count sessions together than
 * when each worker takes a slice of them. */
bool erx_cost_prefers_split(const erx_cost_t *cost, uint32_t count, uint32_t worker_count);

#endif
