/* What the implementations of a frame share: one for each architecture of a
 * model. Only engine/step*.c include this. */
#ifndef ERX_ENGINE_STEP_PARTS_H
#define ERX_ENGINE_STEP_PARTS_H

#include "engine/step.h"
#include "mem/layout.h"

/* One call of erx_step, as its phases see it. */
typedef struct {
    const erx_kernel_t *kernel;
    const erx_image_t *image;
    erx_scratch_t *rows;
    erx_scratch_t *own;
    const erx_step_part_t *part;
    const erx_lane_t *lanes;
    uint32_t count;
} erx_step_call_t;

/* The lane's row of an array of the batch. */
#define ERX_STEP_ROW(rows, array, lane) ((rows)->array + (size_t)(lane) * (rows)->array##_stride)

/* This part's share [begin, end) of count things. */
typedef struct {
    uint32_t begin, end;
} erx_step_share_t;

static inline erx_step_share_t erx_step_share(const erx_step_part_t *part, uint32_t count)
{
    return (erx_step_share_t){
        .begin = (uint32_t)((uint64_t)count * part->worker / part->worker_count),
        .end = (uint32_t)((uint64_t)count * (part->worker + 1) / part->worker_count),
    };
}

/* Choices of a lane from its row of logits, and its new world state. */
void erx_step_leave(const erx_step_call_t *call, uint32_t lane);

/* An architecture. */
typedef struct {
    /* Lays out what it needs besides the outputs' rows. */
    void (*place)(erx_scratch_t *scratch, const erx_kernel_t *kernel, const erx_shape_t *shape,
                  erx_layout_t *layout);
    /* Sessions in a group, to be kept in the groups' range. */
    size_t (*group_size)(const erx_shape_t *shape);
    void (*run)(const erx_step_call_t *call);
} erx_step_architecture_t;

extern const erx_step_architecture_t erx_step_mamba2;
extern const erx_step_architecture_t erx_step_mlp;

#endif
