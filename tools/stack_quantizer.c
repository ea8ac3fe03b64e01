#include "tools/stack_quantizer.h"

#include "tools/quantizer_number.h"

#include <math.h>
#include <stdlib.h>

#define CLIP_STEPS 21u /* clip factors from CLIP_LEAST to 1 */
#define CLIP_LEAST 0.6
#define STICK_STEP (1.0 / 255.0)
#define FM_UNIT    256.0

void erx_stack_see(const erx_float_world_t *world, double limits[ERX_CONTINUOUS])
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            limits[j] =
                fmax(limits[j], ERX_STACK_WIDE_MARGIN * fabs((double)world->continuous[p][j]));
}

void erx_stack_set_limits(double limits[ERX_CONTINUOUS], int32_t *fm)
{
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
        limits[j] = fmax(limits[j], 1.0);
        fm[j] = erx_quantize_i32(ERX_STACK_WIDE * FM_UNIT / limits[j]);
    }
}

double erx_stack_control_step(uint32_t i)
{
    if (i < ERX_STACK_STICKS)
        return STICK_STEP;
    return i == ERX_STACK_STICKS ? 2.0 * STICK_STEP : 1.0 / ERX_STACK_FULL;
}

double erx_stack_embed(const float *values, size_t count, int8_t *steps_out,
                       erx_weight_error_t *error)
{
    double greatest = 0.0;
    for (size_t k = 0; k < count; k++)
        greatest = fmax(greatest, fabs((double)values[k]));
    double step = greatest > 0.0 ? greatest / ERX_STACK_FULL : 1.0;
    for (size_t k = 0; k < count; k++) {
        steps_out[k] = erx_quantize_i8((double)values[k] / step);
        if (error != NULL)
            erx_weight_error_add(error, (double)values[k], steps_out[k] * step);
    }
    return step;
}

bool erx_stack_input_open(erx_stack_input_t *input_out, uint32_t width)
{
    input_out->width = width;
    input_out->steps = calloc(width, sizeof *input_out->steps);
    input_out->power = calloc(width, sizeof *input_out->power);
    return input_out->steps != NULL && input_out->power != NULL;
}

void erx_stack_input_close(erx_stack_input_t *input)
{
    free(input->steps);
    free(input->power);
    *input = (erx_stack_input_t){0};
}

void erx_stack_input_set(erx_stack_input_t *input, double scale)
{
    for (uint32_t i = 0; i < input->width; i++)
        input->steps[i] = scale;
}

/* sum_i (row[i] - scale * rounded)^2 * power[i] */
static double clip_error(const double *row, const erx_stack_input_t *input, double scale)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < input->width; i++) {
        double error = row[i] - scale * erx_quantize_i8(row[i] / scale);
        sum += error * error * input->power[i];
    }
    return sum;
}

double erx_stack_row(const double *row, const erx_stack_input_t *input, int8_t *row_out)
{
    double greatest = 0.0, best = 0.0, least = INFINITY;
    for (uint32_t i = 0; i < input->width; i++)
        greatest = fmax(greatest, fabs(row[i]));
    for (uint32_t c = 0; c < CLIP_STEPS && greatest > 0.0; c++) {
        double scale =
            greatest / ERX_STACK_FULL * (1.0 - (1.0 - CLIP_LEAST) * c / (CLIP_STEPS - 1));
        double error = clip_error(row, input, scale);
        if (error < least) {
            least = error;
            best = scale;
        }
    }
    for (uint32_t i = 0; i < input->width; i++)
        row_out[i] = best > 0.0 ? erx_quantize_i8(row[i] / best) : 0;
    return best;
}
