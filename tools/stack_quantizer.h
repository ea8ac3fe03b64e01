/* What quantizing a policy and an MLP world model have in common: the numbers of
 * a network that sees a stack of frames (POLICY.md 2 to 5 and 10). */
#ifndef ERX_TOOLS_STACK_QUANTIZER_H
#define ERX_TOOLS_STACK_QUANTIZER_H

#include "tools/float_step.h"
#include "tools/quantizer_report.h"

#define ERX_STACK_FULL         127.0   /* of an 8-bit number */
#define ERX_STACK_WIDE         16256.0 /* 127 << 7: of a 16-bit column */
#define ERX_STACK_WIDE_MARGIN  1.25    /* of a continuous value's range, over what was seen */
#define ERX_STACK_UNIT         256.0   /* a step of an activation, in units */
#define ERX_STACK_Q16          65536.0
#define ERX_STACK_SHIFT_MIN    16
#define ERX_STACK_SHIFT_MAX    30

#define ERX_STACK_STICKS       4u /* controller columns that are centred: (s + 128) / 255 */
#define ERX_STACK_STICK_CENTRE (128.0 / 255.0)

/* Widens limits, the range of each continuous value in game units, by what one
 * state has. */
void erx_stack_see(const erx_float_world_t *world, double limits[ERX_CONTINUOUS]);

/* After the last state: makes limits at least 1 and fm of them. */
void erx_stack_set_limits(double limits[ERX_CONTINUOUS], int32_t *fm);

/* Real value of one step of column i of a player's controller (i < 13). */
double erx_stack_control_step(uint32_t i);

/* Rounds an embedding's table to 8 bits. Returns its scale; adds what rounding
 * cost to error, where it is not NULL. */
double erx_stack_embed(const float *values, size_t count, int8_t *steps_out,
                       erx_weight_error_t *error);

/* A matrix' input: what its integer columns mean, and how strong they are. */
typedef struct {
    double *steps; /* [width] real value of one step of each column */
    double *power; /* [width] mean square of each column, in its steps */
    uint32_t width;
} erx_stack_input_t;

/* False: no memory. On success the caller closes it. */
bool erx_stack_input_open(erx_stack_input_t *input_out, uint32_t width);

/* An all-zero object is allowed. */
void erx_stack_input_close(erx_stack_input_t *input);

/* Sets all steps to scale. */
void erx_stack_input_set(erx_stack_input_t *input, double scale);

/* Rounds a row, whose columns are multiplied by their steps, with the clipping
 * that costs least on real inputs. Returns the row's scale; 0 for zeros. */
double erx_stack_row(const double *row, const erx_stack_input_t *input, int8_t *row_out);

#endif
