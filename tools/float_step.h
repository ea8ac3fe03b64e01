/* One frame of the float model for several columns at once. A column is one
 * frame of one session; columns that share a state are consecutive frames of
 * it, and whole games are run that way where every input is known. */
#ifndef ERX_TOOLS_FLOAT_STEP_H
#define ERX_TOOLS_FLOAT_STEP_H

#include "tools/float_model.h"

/* A game state in game units (NUMERICS 1 without the fixed point). */
typedef struct {
    float continuous[ERX_PLAYERS][ERX_CONTINUOUS];
    uint8_t binary[ERX_PLAYERS][ERX_BINARIES];
    uint16_t category[ERX_CATEGORICALS];
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]; /* those that led to this frame */
} erx_float_world_t;

typedef struct {
    const erx_float_world_t *world;
    const uint8_t (*control)[ERX_CONTROLLER_BYTES]; /* [ERX_PLAYERS], applied now */
    float *state;  /* erx_float_state_count values, zero at the start */
    float *output; /* [ERX_FLOAT_OUTPUTS]: regressions in the model's units, logits */
} erx_float_column_t;

/* What flows through one layer for one column, to be looked at. */
typedef struct {
    const float *u;       /* [d]: input of in_proj */
    const float *project; /* z | x | B | C | dt rows of in_proj */
    const float *v;       /* [cd]: convolution in front of SiLU */
    const float *w;       /* [cd]: after it, x | B | C */
    const float *dt;      /* [H]: after softplus */
    const float *h;       /* [H][N][P]: new state */
    const float *y;       /* [di]: read-out, in front of the gate */
    const float *q;       /* [di]: input of out_proj */
} erx_float_layer_view_t;

typedef struct {
    const float *hn; /* [d]: final norm */
    const float *hh; /* [d]: with the controllers, input of the heads */
} erx_float_head_view_t;

/* Who looks on; any function may be NULL. column counts from 0 in each call. */
typedef struct {
    void *context;
    /* The residual stream: stage 0 after the embedding, stage l + 1 after layer l. */
    void (*residual)(void *context, uint32_t column, uint32_t stage, const float *x);
    void (*layer)(void *context, uint32_t column, uint32_t layer,
                  const erx_float_layer_view_t *view);
    void (*heads)(void *context, uint32_t column, const erx_float_head_view_t *view);
} erx_float_observer_t;

typedef struct erx_float_scratch erx_float_scratch_t;

/* Working memory of one thread; NULL when there is none. */
erx_float_scratch_t *erx_float_scratch_open(const erx_shape_t *shape, uint32_t input_width);

/* NULL is allowed. */
void erx_float_scratch_close(erx_float_scratch_t *scratch);

/* Values of one session's recurrent state. */
size_t erx_float_state_count(const erx_shape_t *shape);

/* Runs columns[0, count), count <= ERX_FLOAT_COLUMNS, in this order. observer
 * may be NULL. */
void erx_float_step(const erx_float_model_t *model, erx_float_scratch_t *scratch,
                    const erx_float_column_t *columns, uint32_t count,
                    const erx_float_observer_t *observer);

/* The 13 controller values of one player. */
void erx_float_control_values(const uint8_t control[ERX_CONTROLLER_BYTES], float *values);

/* Closes the loop as NUMERICS 7 does, in floats. */
void erx_float_advance(const erx_float_model_t *model, erx_float_world_t *world,
                       const float *output,
                       const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

/* First index of the maximum of a logit head (0 <= head < ERX_LOGIT_HEADS). */
uint32_t erx_float_choice(const float *output, uint32_t head);

/* The same state in fixed point, and back. */
void erx_float_world_to_fixed(const erx_float_world_t *world, erx_world_t *fixed_out);
void erx_float_world_from_fixed(const erx_world_t *fixed, erx_float_world_t *world_out);

#endif
