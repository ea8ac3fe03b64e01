/* The per-head scalars of the state update (NUMERICS 5.5). */
#ifndef ERX_KERNELS_DECAY_H
#define ERX_KERNELS_DECAY_H

#include "kernels/image.h"

typedef struct {
    int16_t Abar; /* Q15 factor of the old state */
    int16_t Km;   /* mantissa of the factor of the input */
    int32_t ns;   /* its shift, in [2, 16] */
} erx_decay_t;

/* dt is the head's row of in_proj, before its bias. */
erx_decay_t erx_decay(const erx_layer_t *layer, uint32_t head, int32_t dt);

#endif
