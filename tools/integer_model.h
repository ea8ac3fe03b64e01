/* The integer model as tools run it: one kernel, one thread a session group.
 * The arithmetic is the engine's own (engine/step.h). */
#ifndef ERX_TOOLS_INTEGER_MODEL_H
#define ERX_TOOLS_INTEGER_MODEL_H

#include "engine/step.h"
#include "mem/status.h"

typedef struct {
    const erx_kernel_t *kernel;
    erx_image_t image;
    uint8_t *memory; /* owned */
} erx_integer_model_t;

/* Packs tensors for the best kernel of this machine; the result no longer
 * needs them. On success the caller closes it. */
erx_status_t erx_integer_model_open(erx_integer_model_t *model_out, const erx_tensors_t *tensors,
                                    erx_error_t *error);

/* An all-zero model is allowed. */
void erx_integer_model_close(erx_integer_model_t *model);

/* Sessions of one group and one thread, with their states. */
typedef struct {
    erx_scratch_t scratch;
    uint8_t *scratch_memory; /* owned */
    uint8_t *states;         /* owned; zero at the start */
    size_t state_stride;
} erx_integer_group_t;

/* Room for lane_count sessions (at most ERX_LANES_MAX); false when there is no
 * memory. The caller closes the group in every case. */
bool erx_integer_group_open(erx_integer_group_t *group_out, const erx_integer_model_t *model,
                            uint32_t lane_count);

void erx_integer_group_close(erx_integer_group_t *group);

/* State of a session. */
uint8_t *erx_integer_group_state(const erx_integer_group_t *group, uint32_t lane);

/* Steps lanes through the first layer_count layers (all of them: the heads'
 * outputs, and the worlds moved on, mean something). What the group's scratch
 * holds afterwards is one row a lane. */
void erx_integer_step(const erx_integer_model_t *model, erx_integer_group_t *group,
                      const erx_lane_t *lanes, uint32_t lane_count, uint32_t layer_count);

#endif
