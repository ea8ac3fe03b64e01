#include "kernels/tensors.h"

const uint16_t erx_category_counts[ERX_CATEGORICALS] = {
    400, 8, 33, 3, 3, 32, 64, 400, 8, 33, 3, 3, 32, 64, 33,
};

const uint16_t erx_logit_widths[ERX_LOGIT_HEADS] = {
    400, 400, 8, 8, 3, 3, 3, 3, 32, 32, 64, 64,
};
