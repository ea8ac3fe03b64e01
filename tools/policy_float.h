/* A policy network in floats: what is trained, and what the integers are
 * measured against. Samples run in groups, each sum in a fixed order.
 *
 * The network is the published one: for every frame of the context the 58
 * scaled values of both players (kernels/NUMERICS.md 2, as real numbers), then
 * the embeddings of player 0, player 1 and the stage; all frames, oldest
 * first, are the columns of trunk.0. Player 0 is the seat that it plays. */
#ifndef ERX_TOOLS_POLICY_FLOAT_H
#define ERX_TOOLS_POLICY_FLOAT_H

#include "kernels/policy_net.h"
#include "tools/float_step.h"
#include "tools/parameters.h"

#define ERX_POLICY_GROUP 32u /* samples that one pass carries */

enum { ERX_POLICY_HIDDEN, ERX_POLICY_TRUNK, ERX_POLICY_ANALOG, ERX_POLICY_BUTTON };
#define ERX_POLICY_LAYERS 4u

/* A linear layer; the values belong to the checkpoint. */
typedef struct {
    float *weights; /* [rows][columns] */
    float *bias;    /* [rows] */
    uint32_t rows, columns;
} erx_policy_layer_t;

typedef struct {
    erx_policy_shape_t shape;
    float input_scale[ERX_CONTINUOUS];        /* game units to the network's */
    uint32_t frame_width;                     /* columns of a frame */
    uint32_t input_width;                     /* of all frames */
    uint32_t embed_columns[ERX_CATEGORICALS]; /* first column in a frame, order of NUMERICS 1 */
    float *embeds[ERX_POLICY_EMBEDS];
    erx_policy_layer_t layers[ERX_POLICY_LAYERS];
} erx_policy_float_t;

/* One group's values, sample beside sample: [width][ERX_POLICY_GROUP]. */
typedef struct {
    float *input;
    float *hidden; /* after ReLU */
    float *trunk;  /* after ReLU */
    float *output; /* ERX_POLICY_OUTPUTS rows, before the sigmoid */
    void *memory;
} erx_policy_pass_t;

/* Names of a checkpoint's tensors: an embedding's table, a layer's weights and
 * bias. */
extern const char *const erx_policy_embed_names[ERX_POLICY_EMBEDS];
extern const char *const erx_policy_layer_names[ERX_POLICY_LAYERS];

/* Makes a view of a checkpoint, which must outlive it: finds every tensor,
 * checks shapes against each other, refuses what is missing, too much, or not
 * in profile i8mlp-1. Scales that encoding_config does not name are the
 * published ones. Errors name the tensor or key. */
erx_status_t erx_policy_float_bind(erx_policy_float_t *policy_out,
                                   const erx_parameters_t *checkpoint, erx_error_t *error);

/* Memory of a pass. Errors: ERX_ERR_MEMORY. Close frees it; an all-zero pass is
 * allowed. */
erx_status_t erx_policy_pass_open(erx_policy_pass_t *pass_out, const erx_policy_float_t *policy,
                                  erx_error_t *error);
void erx_policy_pass_close(erx_policy_pass_t *pass);

/* Values of one frame as player 0's seat sees it: values[frame_width]. */
void erx_policy_float_encode(const erx_policy_float_t *policy, const erx_float_world_t *world,
                             float *values);

/* Fills what one layer gives (ERX_POLICY_HIDDEN, ...) from what the one before
 * it gave. */
void erx_policy_float_run_layer(const erx_policy_float_t *policy, const erx_policy_pass_t *pass,
                                uint32_t layer);

/* Fills hidden, trunk and output from input. */
void erx_policy_float_run(const erx_policy_float_t *policy, const erx_policy_pass_t *pass);

#endif
