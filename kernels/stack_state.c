#include "kernels/stack_state.h"

#include <string.h>

/* In front of the frames. */
typedef struct {
    uint32_t begun;  /* 1 once a frame was put in */
    uint32_t oldest; /* index of the oldest frame: the next one takes its place */
    uint8_t zero[ERX_CACHE_LINE - 2 * sizeof(uint32_t)];
} header_t;

ERX_STATIC_ASSERT(sizeof(header_t) == ERX_CACHE_LINE, "frames start at a cache line");

size_t erx_stack_state_bytes(const erx_policy_shape_t *shape)
{
    return sizeof(header_t) + shape->context * erx_policy_frame_bytes(shape);
}

void erx_stack_state_push(const erx_policy_image_t *image, const erx_world_t *world, uint8_t *state,
                          erx_policy_lane_t *lane_out)
{
    const erx_policy_shape_t *shape = &image->shape;
    size_t stride = erx_policy_frame_bytes(shape);
    header_t *header = (header_t *)(void *)state;
    int8_t *frames = (int8_t *)state + sizeof *header;
    int8_t *newest = frames + header->oldest * stride;
    erx_policy_encode(image, world, 0, newest);
    if (header->begun == 0) {
        for (uint32_t k = 1; k < shape->context; k++)
            memcpy(frames + k * stride, newest, stride);
        header->begun = 1;
    }
    header->oldest = (header->oldest + 1) % shape->context;
    *lane_out = (erx_policy_lane_t){.frames = frames, .oldest = header->oldest};
}

bool erx_stack_state_is_valid(const erx_policy_shape_t *shape, const uint8_t *state)
{
    header_t header;
    memcpy(&header, state, sizeof header);
    return header.begun <= 1 && header.oldest < shape->context;
}
