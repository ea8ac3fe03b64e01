/* One frame of a batch of sessions of one model. Kernels compute; this says in
 * which order and on what memory, with one implementation an architecture:
 * step_mamba2.c (NUMERICS 2 to 7: the layer loop) and step_mlp.c (MLP.md).
 *
 * A batch is stepped either by one worker alone (a slice), or by all workers
 * of a gang together (a split): then each takes a share of every matrix' rows
 * and of the lanes, and they meet at a barrier between phases. Both run the
 * same code and give the same bytes. */
#ifndef ERX_ENGINE_STEP_H
#define ERX_ENGINE_STEP_H

#include "kernels/kernel.h"
#include "kernels/policy_net.h"
#include "kernels/world.h"
#include "sched/gang.h"

#define ERX_LANES_MAX 64u /* sessions of one batch */

/* Sessions that one worker carries through the layers together: enough that
 * weights, which may have to come from memory when the third-level cache is
 * shared with others, are read rarely; few enough that their states of one
 * layer, fetched during in_proj, are still near when the scan needs them. */
#define ERX_GROUP_MIN         8u
#define ERX_GROUP_MAX         32u
#define ERX_GROUP_STATE_BYTES ((size_t)1280 << 10)

ERX_STATIC_ASSERT(ERX_GROUP_MAX <= ERX_LANES_MAX, "a group is a batch");
ERX_STATIC_ASSERT(ERX_GROUP_MIN <= ERX_GROUP_MAX, "group sizes are a range");

/* One session in a batch: where its state lies and what is pressed. */
typedef struct {
    erx_world_t *world;
    uint8_t *recurrent; /* canonical order (NUMERICS 10, MLP.md 2); 64-byte aligned */
    const uint8_t (*control)[ERX_CONTROLLER_BYTES]; /* [ERX_PLAYERS], applied now */
} erx_lane_t;

/* A worker's memory: rows for the lanes of a batch, and vectors for the one
 * lane that the worker is busy with. Strides count elements. */
typedef struct {
    uint32_t lanes_max;
    int32_t *x;           /* residual stream */
    uint8_t *activation;  /* input of the next product */
    int16_t *narrow;      /* z | x,B,C rows of in_proj */
    int32_t *dt;          /* dt rows of in_proj */
    int32_t *exponent;    /* block exponent a lane */
    int32_t *regressions; /* [lanes][ERX_PANEL_ROWS]; the first 30 count */
    int32_t *logits;      /* [lanes][1024]; the first 1,020 count */
    uint8_t **fetch;      /* the lanes' states of the layer at hand */
    size_t x_stride, activation_stride, narrow_stride, dt_stride, regressions_stride, logits_stride;
    int16_t *features, *controls, *hidden;
    erx_conv_out_t conv;
    int16_t *y;
    int32_t *gated;
    erx_policy_scratch_t stack; /* of an MLP world model, which needs nothing else but outputs */
} erx_scratch_t;

/* The model as a worker of one NUMA node sees it. */
typedef struct {
    const erx_kernel_t *kernel;
    const erx_image_t *image;
} erx_step_model_t;

/* Who steps: one worker alone has worker_count 1 and no gang. */
typedef struct {
    uint32_t worker;
    uint32_t worker_count;
    erx_gang_t *gang;
} erx_step_part_t;

/* Sessions in a group of this shape, in [ERX_GROUP_MIN, ERX_GROUP_MAX]. */
uint32_t erx_step_group_size(const erx_shape_t *shape);

/* Bytes that a scratch for lanes_max lanes needs. */
size_t erx_scratch_bytes(const erx_kernel_t *kernel, const erx_shape_t *shape, uint32_t lanes_max);

/* Lays a scratch out in memory (zeroed, 64-byte aligned, erx_scratch_bytes
 * long), which must outlive it. */
void erx_scratch_init(erx_scratch_t *scratch, const erx_kernel_t *kernel, const erx_shape_t *shape,
                      uint32_t lanes_max, void *memory);

/* Steps lanes[0, count) by one frame. rows holds the lanes' rows and is shared
 * by all parts; own is this worker's scratch (the same object for a part of
 * one). On return rows->regressions and rows->logits hold the frame's outputs.
 * count <= lanes_max of rows. No allocation, lock or system call. */
void erx_step(const erx_step_model_t *model, erx_scratch_t *rows, erx_scratch_t *own,
              const erx_step_part_t *part, const erx_lane_t *lanes, uint32_t count);

#endif
