/* From a float policy to the integers of profile i8mlp-1 (kernels/POLICY.md). */
#ifndef ERX_TOOLS_POLICY_QUANTIZER_H
#define ERX_TOOLS_POLICY_QUANTIZER_H

#include "engine/policy_file.h"
#include "tools/policy_sample.h"

/* Fills draft_out, which the caller closes: its tensors pass
 * erx_policy_tensors_check, name is cut to ERX_MODEL_NAME_MAX. Ranges come from
 * moments of the training games. Errors: ERX_ERR_RANGE (a tensor's numbers have
 * no usable range, no training games), ERX_ERR_MEMORY. */
erx_status_t erx_policy_quantize(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                                 const char *name, erx_policy_file_t *draft_out,
                                 erx_error_t *error);

#endif
