/* The two measurements that fidelity is made of. */
#ifndef ERX_TOOLS_FIDELITY_PARTS_H
#define ERX_TOOLS_FIDELITY_PARTS_H

#include "tools/fidelity.h"

/* What both work on. */
typedef struct {
    const erx_float_model_t *floats;
    const erx_integer_model_t *integers;
    const erx_sequences_t *sequences;
    const erx_fidelity_options_t *options;
    const erx_sequence_t **games; /* the games that are measured */
    uint32_t game_count;
} erx_fidelity_work_t;

/* Every frame's input is real data: SNR and agreement. */
erx_status_t erx_fidelity_teacher(const erx_fidelity_work_t *work, erx_fidelity_t *fidelity,
                                  erx_error_t *error);

/* Outputs become inputs: drift of positions. */
erx_status_t erx_fidelity_rollouts(const erx_fidelity_work_t *work, erx_fidelity_t *fidelity,
                                   erx_error_t *error);

#endif
