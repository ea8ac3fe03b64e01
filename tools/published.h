/* The published formats mamba2_int8_v1, mlp_int8_v1 and policy_int8_v1
 * (MODEL.md): weights alone, in 8 bits, a scale a row or a tensor. They hold no
 * activation scales and cannot run in integers as they are. */
#ifndef ERX_TOOLS_PUBLISHED_H
#define ERX_TOOLS_PUBLISHED_H

#include "tools/float_model.h"

/* Architecture of a world model, as published manifests give it; the caller
 * drops the reference. */
json_t *erx_published_architecture(const erx_shape_t *shape);

/* Writes a checkpoint as a published directory: the same bytes and numbers as
 * the published pipeline, which computes in single precision. architecture,
 * whose model_type decides the format, is not kept. directory must not exist or be empty; it
 * appears whole or not at all. Errors: ERX_ERR_STATE (the target holds something), ERX_ERR_IO,
 * ERX_ERR_MEMORY, ERX_ERR_UNSUPPORTED (a tensor of no or 4 dimensions). */
erx_status_t erx_published_write(const erx_parameters_t *checkpoint, json_t *architecture,
                                 const char *directory, erx_error_t *error);

/* Reads a published directory as a checkpoint: weights are scale times step.
 * Errors name the key. On success the caller closes it; on failure it is all
 * zero. */
erx_status_t erx_published_read(erx_parameters_t *checkpoint_out, const char *directory,
                                erx_error_t *error);

#endif
