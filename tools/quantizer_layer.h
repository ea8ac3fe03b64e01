/* One layer of the quantizer (NUMERICS 5 and 8). */
#ifndef ERX_TOOLS_QUANTIZER_LAYER_H
#define ERX_TOOLS_QUANTIZER_LAYER_H

#include "tools/quantizer.h"

/* Fills the tensors of a layer of the draft and its weights' errors in the
 * report. Layers may be filled by different threads. */
erx_status_t erx_quantizer_layer(const erx_float_model_t *model,
                                 const erx_calibration_t *calibration, uint32_t index,
                                 const erx_quantizer_report_t *report, erx_model_draft_t *draft,
                                 erx_error_t *error);

#endif
