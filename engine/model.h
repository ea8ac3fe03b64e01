/* A loaded model: shared packed weights, one copy a NUMA node, the sessions
 * that play it, and what a frame costs on this machine. */
#ifndef ERX_ENGINE_MODEL_H
#define ERX_ENGINE_MODEL_H

#include "engine/cost.h"
#include "engine/manifest.h"
#include "engine/model_file.h"
#include "engine/session.h"
#include "mem/weights.h"

/* A place for a model that arrives later has sessions, all zero else. */
typedef struct {
    bool is_place; /* it was opened as one */
    char name[ERX_MODEL_NAME_MAX + 1];
    uint8_t hash[32]; /* of manifest and weights */
    erx_shape_t shape;
    const erx_kernel_t *kernel;
    uint32_t node_count;
    erx_weights_t *weights[ERX_NODES_MAX];
    erx_image_t *images;                   /* [node_count] */
    erx_step_model_t steps[ERX_NODES_MAX]; /* what workers of a node step with */
    size_t image_bytes;
    uint32_t group_size; /* sessions that one worker carries together */
    uint32_t worker_count;
    erx_scratch_t *scratches; /* [worker_count] */
    erx_region_t *scratch_regions;
    erx_session_pool_t sessions;
    erx_cost_t cost;
} erx_model_t;

/* How a model is laid out on the machine. */
typedef struct {
    const erx_topo_t *topo;
    erx_gang_t *gang;
    const erx_kernel_t *kernel;
    uint32_t session_capacity;
} erx_model_plan_t;

/* Loads the model directory: checks everything, packs or attaches the weights,
 * takes memory for sessions and workers. Errors: those of the model file, the
 * weights, the pool. On failure nothing is held. Thread rule: control thread,
 * no block executing. */
erx_status_t erx_model_open(erx_model_t *model_out, const char *directory,
                            const erx_model_plan_t *plan, erx_error_t *error);

/* The same for a model in memory, which is not needed afterwards. */
erx_status_t erx_model_open_bytes(erx_model_t *model_out, const erx_model_bytes_t *bytes,
                                  const erx_model_plan_t *plan, erx_error_t *error);

/* Takes the sessions of a model that arrives later, with arenas of arena_bytes.
 * Errors: ERX_ERR_RANGE, ERX_ERR_MEMORY. */
erx_status_t erx_model_open_place(erx_model_t *model_out, uint32_t arena_bytes,
                                  const erx_model_plan_t *plan, erx_error_t *error);

/* The model arrives at its place, whose sessions stay. Errors: ERX_ERR_STATE
 * (there is one), ERX_ERR_RANGE (it needs longer arenas), those of open. On
 * failure the place is what it was. */
erx_status_t erx_model_bind(erx_model_t *place, const erx_model_bytes_t *bytes,
                            const erx_model_plan_t *plan, erx_error_t *error);

/* Makes it a place again, whose sessions are gone. */
void erx_model_unbind(erx_model_t *model);

/* Gives everything back. An all-zero model is allowed. */
void erx_model_close(erx_model_t *model);

#endif
