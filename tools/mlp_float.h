/* An MLP world model in floats (kernels/MLP.md): what the integers are made
 * from and measured against. Moments run in groups, each sum in a fixed order. */
#ifndef ERX_TOOLS_MLP_FLOAT_H
#define ERX_TOOLS_MLP_FLOAT_H

#include "tools/calibration_data.h"

#define ERX_MLP_GROUP 32u /* moments that one pass carries */

/* A moment of a game: the state of frame is the newest. */
typedef struct {
    const erx_sequence_t *game;
    uint32_t frame; /* followed by another one, whose controllers are applied now */
} erx_mlp_moment_t;

/* One group's values, moment beside moment: [width][ERX_MLP_GROUP]. */
typedef struct {
    float *input;
    float *hidden; /* after ReLU */
    float *trunk;  /* after ReLU */
    float *output; /* ERX_FLOAT_OUTPUTS rows */
    void *memory;
} erx_mlp_pass_t;

/* Memory of a pass. Errors: ERX_ERR_MEMORY. An all-zero pass may be closed. */
erx_status_t erx_mlp_pass_open(erx_mlp_pass_t *pass_out, const erx_float_model_t *model,
                               erx_error_t *error);
void erx_mlp_pass_close(erx_mlp_pass_t *pass);

/* Runs the model, bound as an MLP, at moments[0, count), count <= ERX_MLP_GROUP.
 * Before a game's first frame that one stands for those that are missing. */
void erx_mlp_float_run(const erx_float_model_t *model, const erx_sequences_t *sequences,
                       const erx_mlp_moment_t *moments, uint32_t count, erx_mlp_pass_t *pass);

#endif
