/* encoding_config of a checkpoint: what turns game units into a network's
 * inputs, and which variants of the encoding are on. */
#ifndef ERX_TOOLS_ENCODING_SCALES_H
#define ERX_TOOLS_ENCODING_SCALES_H

#include "kernels/tensors.h"
#include "mem/status.h"

#include <jansson.h>

/* The scale of each continuous value, in the order of NUMERICS 1. A key that is
 * not there, or an encoding that is NULL, stands for the published scale. The
 * error names the key. */
erx_status_t erx_encoding_scales(const json_t *encoding, float scales_out[ERX_CONTINUOUS],
                                 erx_error_t *error);

/* Refuses the first of these variants that is on. */
erx_status_t erx_encoding_check_variants(const json_t *encoding, const char *const *variants,
                                         uint32_t count, erx_error_t *error);

#endif
