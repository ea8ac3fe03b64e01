/* From an MLP world model in floats to the integers of profile i8mlp-1
 * (kernels/MLP.md), and how near they are. */
#ifndef ERX_TOOLS_MLP_QUANTIZER_H
#define ERX_TOOLS_MLP_QUANTIZER_H

#include "tools/fidelity.h"
#include "tools/model_draft.h"
#include "tools/quantizer_report.h"

/* Moments of the training games that ranges are taken from. */
#define ERX_MLP_MOMENTS 8192u

/* Fills and seals the draft, which is of the model's shape, and each weight's
 * error in the report. Errors: ERX_ERR_RANGE (no training game, a scale out of
 * range), ERX_ERR_MEMORY, those of erx_model_draft_seal. */
erx_status_t erx_mlp_quantize(const erx_float_model_t *model, const erx_sequences_t *sequences,
                              const erx_quantizer_report_t *report, erx_model_draft_t *draft,
                              erx_error_t *error);

/* Compares all outputs, every input real, over at most game_frames frames of
 * each test game (of all games where none is a test game). Stages and rollouts
 * stay empty. Errors: ERX_ERR_RANGE (no game of two frames), ERX_ERR_MEMORY. */
erx_status_t erx_mlp_fidelity(erx_fidelity_t *fidelity_out, const erx_float_model_t *model,
                              const erx_integer_model_t *integers, const erx_sequences_t *sequences,
                              uint32_t game_frames, erx_error_t *error);

#endif
