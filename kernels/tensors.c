#include "kernels/tensors.h"

const uint16_t erx_category_counts[ERX_CATEGORICALS] = {
    400, 8, 33, 3, 3, 32, 64, 400, 8, 33, 3, 3, 32, 64, 33,
};

const uint16_t erx_logit_widths[ERX_LOGIT_HEADS] = {
    400, 400, 8, 8, 3, 3, 3, 3, 32, 32, 64, 64,
};

const uint16_t erx_regression_widths[ERX_REGRESSION_HEADS] = {8, 6, 10, 6};

const char *const erx_profile_names[ERX_PROFILES + 1] = {"i16ssm-1", "i16ssm-2", NULL};

const char *const erx_head_names[ERX_REGRESSION_HEADS + ERX_LOGIT_HEADS] = {
    "continuous", "binary",    "velocity",       "dynamics",       "p0_action",  "p1_action",
    "p0_jumps",   "p1_jumps",  "p0_l_cancel",    "p1_l_cancel",    "p0_hurtbox", "p1_hurtbox",
    "p0_ground",  "p1_ground", "p0_last_attack", "p1_last_attack",
};
