#include "tools/policy_integer.h"

#include "kernels/select.h"
#include "mem/alloc.h"

ERX_STATIC_ASSERT(ERX_POLICY_GROUP <= ERX_POLICY_LANES, "a group of samples is a batch");

erx_status_t erx_policy_integer_open(erx_policy_integer_t *integer_out,
                                     const erx_policy_tensors_t *tensors, erx_error_t *error)
{
    const erx_policy_shape_t *shape = &tensors->shape;
    const erx_kernel_t *kernel = erx_kernel_best();
    *integer_out = (erx_policy_integer_t){
        .kernel = kernel,
        .frame_bytes = erx_policy_frame_bytes(shape),
        .image_memory = erx_alloc(erx_policy_image_bytes(kernel, shape), 1),
        .scratch_memory = erx_alloc(erx_policy_scratch_bytes(kernel, shape), 1),
    };
    integer_out->frames =
        erx_alloc((size_t)ERX_POLICY_GROUP * shape->context, integer_out->frame_bytes);
    if (integer_out->image_memory == NULL || integer_out->scratch_memory == NULL ||
        integer_out->frames == NULL) {
        erx_policy_integer_close(integer_out);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the integer policy");
    }
    erx_policy_image_pack(kernel, tensors, integer_out->image_memory, &integer_out->image);
    erx_policy_scratch_init(&integer_out->scratch, kernel, shape, integer_out->scratch_memory);
    return ERX_OK;
}

void erx_policy_integer_close(erx_policy_integer_t *integer)
{
    erx_free(integer->frames);
    erx_free(integer->scratch_memory);
    erx_free(integer->image_memory);
    *integer = (erx_policy_integer_t){0};
}

void erx_policy_integer_load(const erx_policy_integer_t *integer, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *samples, uint32_t count)
{
    uint32_t context = integer->image.shape.context;
    int8_t *frame = integer->frames;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < context; k++, frame += integer->frame_bytes) {
            erx_float_world_t world;
            erx_world_t fixed;
            /* The sample has its seat as player 0 already. */
            erx_policy_sample_world(sequences, &samples[i], context, k, &world);
            erx_float_world_to_fixed(&world, &fixed);
            erx_policy_encode(&integer->image, &fixed, 0, frame);
        }
}

void erx_policy_integer_answer(void *context, const erx_sequences_t *sequences,
                               const erx_policy_sample_t *samples, uint32_t count,
                               int32_t (*outputs)[ERX_POLICY_OUTPUTS])
{
    const erx_policy_integer_t *integer = context;
    erx_policy_lane_t lanes[ERX_POLICY_LANES] = {0};
    size_t lane_bytes = integer->image.shape.context * integer->frame_bytes;
    for (uint32_t i = 0; i < count; i++)
        lanes[i].frames = integer->frames + i * lane_bytes;
    erx_policy_integer_load(integer, sequences, samples, count);
    erx_policy_run(integer->kernel, &integer->image, &integer->scratch, lanes, count, outputs);
}
