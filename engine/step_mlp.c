/* One frame of an MLP world model (MLP.md): the newest state enters each ring,
 * the network sees the rings. Of a split batch each part takes whole lanes. */
#include "engine/step_parts.h"
#include "kernels/stack_state.h"

#include <string.h>

static void place(erx_scratch_t *scratch, const erx_kernel_t *kernel, const erx_shape_t *shape,
                  erx_layout_t *layout)
{
    void *memory = erx_layout_take(layout, erx_policy_scratch_bytes(kernel, &shape->stack));
    if (memory != NULL)
        erx_policy_scratch_init(&scratch->stack, kernel, &shape->stack, memory);
}

/* Nothing but weights and a ring that is read once: as many as there may be. */
static size_t group_size(const erx_shape_t *shape)
{
    (void)shape;
    return ERX_GROUP_MAX;
}

/* Lanes [begin, begin + count) of the call, count <= ERX_POLICY_LANES. */
static void run_lanes(const erx_step_call_t *step, uint32_t begin, uint32_t count)
{
    const erx_policy_image_t *image = &step->image->stack;
    const erx_policy_scratch_t *scratch = &step->own->stack;
    erx_policy_lane_t rings[ERX_POLICY_LANES];
    for (uint32_t i = 0; i < count; i++) {
        const erx_lane_t *lane = &step->lanes[begin + i];
        erx_stack_state_push(image, lane->world, lane->recurrent, &rings[i]);
        rings[i].control = lane->control;
    }
    erx_policy_forward(step->kernel, image, scratch, rings, count);
    for (uint32_t i = 0; i < count; i++) {
        const int32_t *outputs = erx_policy_outputs(scratch, i);
        uint32_t lane = begin + i;
        memcpy(ERX_STEP_ROW(step->rows, regressions, lane), outputs,
               ERX_REGRESSIONS * sizeof *outputs);
        memcpy(ERX_STEP_ROW(step->rows, logits, lane), outputs + ERX_REGRESSIONS,
               ERX_LOGITS * sizeof *outputs);
        erx_step_leave(step, lane);
    }
}

static void run(const erx_step_call_t *step)
{
    erx_step_share_t share = erx_step_share(step->part, step->count);
    for (uint32_t lane = share.begin; lane < share.end; lane += ERX_POLICY_LANES)
        run_lanes(step, lane, ERX_MIN(share.end - lane, ERX_POLICY_LANES));
}

const erx_step_architecture_t erx_step_mlp = {place, group_size, run};
