/* How a block's frames become batches: grouped by model and home node, then
 * either sliced into groups that single workers carry through all layers, or
 * stepped by the whole gang together when they are few.
 *
 * The plan is remade for every block in memory that was taken at start. Which
 * worker steps a group never changes what the group computes. */
#ifndef ERX_ENGINE_BATCH_H
#define ERX_ENGINE_BATCH_H

#include <stdatomic.h>

#include "engine/block.h"

typedef enum { ERX_SCHEDULE_AUTO, ERX_SCHEDULE_SLICE, ERX_SCHEDULE_SPLIT } erx_schedule_t;

/* Sessions of one model that are stepped together. */
typedef struct {
    erx_model_t *model;
    uint32_t lane_begin;
    uint32_t lane_count;
    uint64_t finished_ns; /* set by who stepped it */
} erx_group_t;

/* Lanes of one model and home node: what a plan divides into groups. */
typedef struct {
    erx_model_t *model;
    uint32_t node;
    uint32_t lane_begin;
    uint32_t lane_count;
    bool split;
} erx_run_t;

#define ERX_RUNS_MAX (ERX_MODELS_MAX * ERX_NODES_MAX)

/* The groups of one worker's own share. Idle workers take from others' shares,
 * so that a worker that is held up does not hold up the block. */
typedef struct {
    alignas(ERX_CACHE_LINE) atomic_uint next; /* first group that nobody has taken */
    uint32_t end;
} erx_share_t;

typedef struct {
    uint32_t worker_count;
    const uint32_t *worker_nodes; /* [worker_count] */
    erx_schedule_t schedule;
    uint32_t frame_capacity;
    erx_lane_t *lanes;    /* [frame_capacity], grouped */
    erx_frame_t **frames; /* [frame_capacity], the frame of each lane */
    uint32_t run_count;
    erx_run_t *runs;      /* [ERX_RUNS_MAX], work space of the plan */
    uint32_t group_count; /* split groups first */
    uint32_t split_count; /* of them are for the whole gang */
    erx_group_t *groups;  /* [frame_capacity] */
    erx_share_t *shares;  /* [worker_count] */
} erx_batch_t;

/* Bytes of memory that a batch for these maxima needs. */
size_t erx_batch_bytes(uint32_t worker_count, uint32_t frame_capacity);

/* Lays the batch out in memory (zeroed, cache-line aligned). worker_nodes must
 * outlive it. */
void erx_batch_init(erx_batch_t *batch, uint32_t worker_count, const uint32_t *worker_nodes,
                    uint32_t frame_capacity, erx_schedule_t schedule, void *memory);

/* Plans the block. models[0, model_count) are all that may occur in it. */
void erx_batch_plan(erx_batch_t *batch, const erx_block_t *block, erx_model_t *models,
                    uint32_t model_count);

/* Takes a group for a worker: from its own share, else from another's, of its
 * own node first. NULL when none is left. Any worker, while a block executes. */
erx_group_t *erx_batch_take(erx_batch_t *batch, uint32_t worker);

#endif
