#include "engine/step.h"

#include "engine/step_parts.h"
#include "mem/assert.h"

static const erx_step_architecture_t *architecture_of(const erx_shape_t *shape)
{
    return erx_shape_is_stack(shape) ? &erx_step_mlp : &erx_step_mamba2;
}

static size_t scratch_place(erx_scratch_t *scratch, const erx_kernel_t *kernel,
                            const erx_shape_t *shape, uint32_t lanes_max, void *memory)
{
    const size_t panel = ERX_PANEL_ROWS;
    erx_layout_t layout = erx_layout_begin(memory);
    scratch->lanes_max = lanes_max;
    scratch->regressions_stride = panel;
    scratch->logits_stride = ERX_ALIGN_UP((size_t)ERX_LOGITS, panel);
    scratch->regressions =
        erx_layout_take(&layout, lanes_max * scratch->regressions_stride * sizeof(int32_t));
    scratch->logits =
        erx_layout_take(&layout, lanes_max * scratch->logits_stride * sizeof(int32_t));
    architecture_of(shape)->place(scratch, kernel, shape, &layout);
    return erx_layout_bytes(&layout);
}

uint32_t erx_step_group_size(const erx_shape_t *shape)
{
    size_t fitting = architecture_of(shape)->group_size(shape);
    return (uint32_t)ERX_MAX(ERX_GROUP_MIN, ERX_MIN(ERX_GROUP_MAX, fitting));
}

size_t erx_scratch_bytes(const erx_kernel_t *kernel, const erx_shape_t *shape, uint32_t lanes_max)
{
    erx_scratch_t counted;
    return scratch_place(&counted, kernel, shape, lanes_max, NULL);
}

void erx_scratch_init(erx_scratch_t *scratch, const erx_kernel_t *kernel, const erx_shape_t *shape,
                      uint32_t lanes_max, void *memory)
{
    ERX_ASSERT(memory != NULL && lanes_max > 0 && lanes_max <= ERX_LANES_MAX);
    (void)scratch_place(scratch, kernel, shape, lanes_max, memory);
}

void erx_step_leave(const erx_step_call_t *call, uint32_t lane)
{
    uint32_t choices[ERX_LOGIT_HEADS];
    const int32_t *values = ERX_STEP_ROW(call->rows, logits, lane);
    for (uint32_t head = 0; head < ERX_LOGIT_HEADS; head++) {
        choices[head] = call->kernel->argmax(values, erx_logit_widths[head]);
        values += erx_logit_widths[head];
    }
    erx_world_advance(call->lanes[lane].world, ERX_STEP_ROW(call->rows, regressions, lane), choices,
                      call->lanes[lane].control);
}

void erx_step(const erx_step_model_t *model, erx_scratch_t *rows, erx_scratch_t *own,
              const erx_step_part_t *part, const erx_lane_t *lanes, uint32_t count)
{
    ERX_ASSERT(count > 0 && count <= rows->lanes_max);
    ERX_ASSERT(part->worker < part->worker_count);
    const erx_step_call_t call = {
        .kernel = model->kernel,
        .image = model->image,
        .rows = rows,
        .own = own,
        .part = part,
        .lanes = lanes,
        .count = count,
    };
    architecture_of(&model->image->shape)->run(&call);
}
