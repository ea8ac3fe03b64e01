/* What `erx quantize` does with a policy network: bind, quantize, measure,
 * write. */
#ifndef ERX_TOOLS_POLICY_MAKE_H
#define ERX_TOOLS_POLICY_MAKE_H

#include "tools/parameters.h"

typedef struct {
    const char *source;      /* base name of what the checkpoint was read from */
    const char *calibration; /* game sequences */
    const char *out;         /* directory to make */
    const char *name;        /* of the policy */
    const char *report;      /* where to write what was measured as JSON; NULL: nowhere */
} erx_policy_make_t;

/* Makes a policy directory of a checkpoint and prints how well it imitates.
 * Errors name what is wrong with which file. */
erx_status_t erx_policy_make(const erx_policy_make_t *request, const erx_parameters_t *checkpoint,
                             erx_error_t *error);

/* Writes a policy checkpoint in the published format policy_int8_v1. */
erx_status_t erx_policy_publish(const erx_parameters_t *checkpoint, const char *directory,
                                erx_error_t *error);

#endif
