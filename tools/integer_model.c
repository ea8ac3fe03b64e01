#include "tools/integer_model.h"

#include "engine/account.h"
#include "kernels/select.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *zeroed(size_t bytes)
{
    size_t rounded = ERX_ALIGN_UP(bytes, (size_t)ERX_CACHE_LINE);
    uint8_t *memory = aligned_alloc(ERX_CACHE_LINE, rounded);
    if (memory != NULL)
        memset(memory, 0, rounded);
    return memory;
}

erx_status_t erx_integer_model_open(erx_integer_model_t *model_out, const erx_tensors_t *tensors,
                                    erx_error_t *error)
{
    *model_out =
        (erx_integer_model_t){.kernel = erx_kernel_for(erx_kernel_best(), &tensors->shape)};
    model_out->memory = zeroed(erx_image_bytes(model_out->kernel, &tensors->shape));
    if (model_out->memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the integer model");
    erx_image_pack(model_out->kernel, tensors, model_out->memory);
    erx_image_map(model_out->kernel, tensors, model_out->memory, &model_out->image);
    return ERX_OK;
}

void erx_integer_model_close(erx_integer_model_t *model)
{
    free(model->memory);
    *model = (erx_integer_model_t){0};
}

bool erx_integer_group_open(erx_integer_group_t *group_out, const erx_integer_model_t *model,
                            uint32_t lane_count)
{
    const erx_shape_t *shape = &model->image.shape;
    *group_out = (erx_integer_group_t){0};
    size_t state_bytes = erx_recurrent_bytes(shape);
    group_out->state_stride = ERX_ALIGN_UP(state_bytes, (size_t)ERX_CACHE_LINE);
    group_out->states = zeroed(group_out->state_stride * lane_count);
    group_out->scratch_memory = zeroed(erx_scratch_bytes(model->kernel, shape, lane_count));
    if (group_out->states == NULL || group_out->scratch_memory == NULL)
        return false;
    erx_scratch_init(&group_out->scratch, model->kernel, shape, lane_count,
                     group_out->scratch_memory);
    return true;
}

void erx_integer_group_close(erx_integer_group_t *group)
{
    free(group->states);
    free(group->scratch_memory);
    *group = (erx_integer_group_t){0};
}

uint8_t *erx_integer_group_state(const erx_integer_group_t *group, uint32_t lane)
{
    return group->states + lane * group->state_stride;
}

void erx_integer_step(const erx_integer_model_t *model, erx_integer_group_t *group,
                      const erx_lane_t *lanes, uint32_t lane_count, uint32_t layer_count)
{
    erx_image_t image = model->image;
    image.shape.layer_count = layer_count;
    const erx_step_model_t step = {model->kernel, &image};
    const erx_step_part_t alone = {.worker = 0, .worker_count = 1};
    erx_step(&step, &group->scratch, &group->scratch, &alone, lanes, lane_count);
}
