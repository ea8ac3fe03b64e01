/* How much the outputs of the float model change with each channel of its
 * 8-bit activations: the model run backwards over one frame. Every head gets a
 * random combination of its outputs, with signs for factors; the mean of the
 * squared slopes of these is the sum of the squared slopes of all outputs.
 *
 * Slopes are those within one frame, plus what the convolution's taps bring
 * to the next three: the state's further echo is left out. */
#ifndef ERX_TOOLS_SENSITIVITY_H
#define ERX_TOOLS_SENSITIVITY_H

#include "tools/calibration.h"
#include "tools/random.h"

typedef struct erx_sensitivity erx_sensitivity_t;

/* NULL when there is no memory. */
erx_sensitivity_t *erx_sensitivity_open(const erx_float_model_t *model);

/* NULL is allowed. */
void erx_sensitivity_close(erx_sensitivity_t *sensitivity);

/* Shows one frame, as an observer of erx_float_step sees it: copies what is
 * needed later. */
void erx_sensitivity_see_residual(erx_sensitivity_t *sensitivity, uint32_t stage, const float *x);
void erx_sensitivity_see_layer(erx_sensitivity_t *sensitivity, uint32_t layer,
                               const erx_float_layer_view_t *view);

/* Goes backwards through the frame that was shown and adds the squared slopes
 * to the activations' slopes. */
void erx_sensitivity_add(erx_sensitivity_t *sensitivity, erx_random_t *random,
                         erx_calibration_t *calibration);

#endif
