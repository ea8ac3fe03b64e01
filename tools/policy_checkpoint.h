/* Policy checkpoints as files: safetensors with the published names. */
#ifndef ERX_TOOLS_POLICY_CHECKPOINT_H
#define ERX_TOOLS_POLICY_CHECKPOINT_H

#include "kernels/policy_net.h"
#include "tools/parameters.h"

/* Makes an untrained network in checkpoint_out, which the caller closes: names,
 * layout and scales are the published ones, weights are drawn from the seed.
 * Errors: those of erx_policy_shape_check, ERX_ERR_MEMORY. */
erx_status_t erx_policy_checkpoint_make(const erx_policy_shape_t *shape, uint64_t seed,
                                        erx_parameters_t *checkpoint_out, erx_error_t *error);

/* Writes a checkpoint; the file appears whole or not at all. facts, which may
 * be NULL, goes into the metadata as "training". Errors: ERX_ERR_IO,
 * ERX_ERR_MEMORY. */
erx_status_t erx_policy_checkpoint_write(const erx_parameters_t *checkpoint, const json_t *facts,
                                         const char *path, erx_error_t *error);

#endif
