/* The integer policy outside an engine: packed for this machine's best kernel,
 * to calibrate with and to measure. */
#ifndef ERX_TOOLS_POLICY_INTEGER_H
#define ERX_TOOLS_POLICY_INTEGER_H

#include "tools/policy_measure.h"

typedef struct {
    const erx_kernel_t *kernel;
    erx_policy_image_t image;
    erx_policy_scratch_t scratch;
    int8_t *frames; /* [ERX_POLICY_GROUP][K][frame bytes] */
    size_t frame_bytes;
    void *image_memory, *scratch_memory; /* owned, as frames */
} erx_policy_integer_t;

/* Packs checked tensors, which are not needed afterwards. Errors:
 * ERX_ERR_MEMORY. On success the caller closes it; on failure it is all zero. */
erx_status_t erx_policy_integer_open(erx_policy_integer_t *integer_out,
                                     const erx_policy_tensors_t *tensors, erx_error_t *error);

/* An all-zero object is allowed. */
void erx_policy_integer_close(erx_policy_integer_t *integer);

/* Encodes the samples' contexts; lane i is sample i. */
void erx_policy_integer_load(const erx_policy_integer_t *integer, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *samples, uint32_t count);

/* An answerer of erx_policy_measure; context is an erx_policy_integer_t. */
void erx_policy_integer_answer(void *context, const erx_sequences_t *sequences,
                               const erx_policy_sample_t *samples, uint32_t count,
                               int32_t (*outputs)[ERX_POLICY_OUTPUTS]);

#endif
