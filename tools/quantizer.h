/* From a float model and its calibration to the integers of a profile
 * (NUMERICS 8). QUANTIZER.md tells the recipe. */
#ifndef ERX_TOOLS_QUANTIZER_H
#define ERX_TOOLS_QUANTIZER_H

#include "tools/calibration.h"
#include "tools/model_draft.h"
#include "tools/quantizer_report.h"

/* Fills an open draft of the model's shape and seals it. report receives the
 * error of every weight. threads = 0: all processors; the result is the same
 * for any number. Errors name the tensor: ERX_ERR_RANGE where a value rule of
 * the profile cannot be met, ERX_ERR_MEMORY. */
erx_status_t erx_quantizer_run(const erx_float_model_t *model, const erx_calibration_t *calibration,
                               uint32_t threads, erx_quantizer_report_t *report,
                               erx_model_draft_t *draft, erx_error_t *error);

#endif
