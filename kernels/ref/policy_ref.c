#include "kernels/ref/policy_ref.h"

#include "kernels/requant.h"

/* Section 2: the 16-bit columns of a frame. */
static void wide_columns(const erx_policy_tensors_t *tensors, const erx_world_t *world,
                         uint32_t player, int32_t *columns)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
            int64_t scaled = (int64_t)world->S[player ^ p][j] * tensors->fm[j];
            *columns++ = (int32_t)erx_clamp64(erx_round_shift(scaled, 24), -16256, 16256);
        }
}

static int8_t bit(bool set)
{
    return set ? 127 : 0;
}

/* Controller of one player. */
static int8_t *control_columns(const uint8_t control[ERX_CONTROLLER_BYTES], int8_t *columns)
{
    for (uint32_t axis = 0; axis < 4; axis++)
        *columns++ = erx_sat8((int8_t)control[axis]);
    *columns++ = (int8_t)((control[4] > control[5] ? control[4] : control[5]) / 2);
    for (uint32_t button = 0; button < 5; button++) /* A, B, X, Y, Z */
        *columns++ = bit(control[6] >> button & 1);
    *columns++ = bit(control[7] & 4); /* L */
    *columns++ = bit(control[7] & 8); /* R */
    *columns++ = bit(control[7] & 1); /* D-up */
    return columns;
}

/* Binaries and controller of one player. */
static int8_t *flag_columns(const erx_world_t *world, uint32_t player, int8_t *columns)
{
    for (uint32_t i = 0; i < ERX_BINARIES; i++)
        *columns++ = bit(world->binary[player][i]);
    return control_columns(world->control[player], columns);
}

static int8_t *embed_columns(const erx_policy_tensors_t *tensors, uint32_t embed, uint16_t value,
                             int8_t *columns)
{
    uint32_t width = tensors->shape.embed_widths[embed];
    for (uint32_t i = 0; i < width; i++)
        *columns++ = tensors->E[embed][value * width + i];
    return columns;
}

/* Section 2: the 8-bit columns of a frame. */
static void dense_columns(const erx_policy_tensors_t *tensors, const erx_world_t *world,
                          uint32_t player, int8_t *columns)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        columns = flag_columns(world, player ^ p, columns);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        const uint16_t *category = world->category + (player ^ p) * ERX_PLAYER_CATEGORIES;
        for (uint32_t i = 0; i < ERX_PLAYER_CATEGORIES; i++)
            columns = embed_columns(tensors, i, category[i], columns);
    }
    (void)embed_columns(tensors, ERX_POLICY_EMBEDS - 1, world->category[ERX_C_STAGE], columns);
}

/* Section 3, before ReLU. */
static void first_layer(const erx_policy_tensors_t *tensors, const int32_t *wide,
                        const int8_t *dense, int32_t *units)
{
    uint32_t wide_count = tensors->shape.context * ERX_POLICY_WIDE;
    uint32_t dense_count = erx_policy_dense_input(&tensors->shape);
    for (uint32_t o = 0; o < tensors->shape.hidden; o++) {
        int32_t wide_sum = 0, dense_sum = 0;
        for (uint32_t i = 0; i < wide_count; i++)
            wide_sum += tensors->Wc[(size_t)o * wide_count + i] * wide[i];
        for (uint32_t i = 0; i < dense_count; i++)
            dense_sum += tensors->Wd[(size_t)o * dense_count + i] * dense[i];
        units[o] = erx_requantize(wide_sum, tensors->Wc_m[o], tensors->Wc_s) +
                   erx_requantize(dense_sum, tensors->Wd_m[o], tensors->Wd_s) + tensors->b1[o];
    }
}

/* Section 4: returns the block exponent. */
static int32_t shrink(const int32_t *units, uint32_t count, int8_t *activation)
{
    int32_t greatest = 0;
    for (uint32_t o = 0; o < count; o++)
        greatest = units[o] > greatest ? units[o] : greatest;
    int32_t exponent = erx_block_exponent(greatest, 8);
    for (uint32_t o = 0; o < count; o++)
        activation[o] = erx_sat8(erx_round_shift(units[o] > 0 ? units[o] : 0, 8 + exponent));
    return exponent;
}

/* Section 5: a layer of 8-bit weights. */
static void layer(const int8_t *weights, const int32_t *multiplier, const int32_t *bias,
                  int32_t shift, uint32_t rows, uint32_t columns, const int8_t *activation,
                  int32_t exponent, int32_t *units)
{
    for (uint32_t o = 0; o < rows; o++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < columns; i++)
            sum += weights[(size_t)o * columns + i] * activation[i];
        units[o] = erx_requantize(sum, multiplier[o], shift - exponent) + bias[o];
    }
}

/* Columns of all frames; returns the end of the 8-bit ones. */
static int8_t *stack_columns(const erx_policy_tensors_t *tensors, const erx_world_t *frames,
                             uint32_t player, int32_t *wide, int8_t *dense)
{
    uint32_t columns = erx_policy_dense_columns(&tensors->shape);
    for (uint32_t k = 0; k < tensors->shape.context; k++, dense += columns) {
        wide_columns(tensors, &frames[k], player, wide + k * ERX_POLICY_WIDE);
        dense_columns(tensors, &frames[k], player, dense);
    }
    return dense;
}

static void layers(const erx_policy_tensors_t *tensors, const int32_t *wide, const int8_t *dense,
                   int32_t *outputs)
{
    const erx_policy_shape_t *shape = &tensors->shape;
    int32_t units[ERX_POLICY_WIDTH_MAX];
    int8_t activation[ERX_POLICY_WIDTH_MAX];
    first_layer(tensors, wide, dense, units);
    int32_t exponent = shrink(units, shape->hidden, activation);
    layer(tensors->Wt, tensors->Wt_m, tensors->bt, tensors->Wt_s, shape->trunk, shape->hidden,
          activation, exponent, units);
    exponent = shrink(units, shape->trunk, activation);
    layer(tensors->Wo, tensors->Wo_m, tensors->bo, tensors->Wo_s, erx_policy_output_count(shape),
          shape->trunk, activation, exponent, outputs);
}

void erx_ref_policy(const erx_policy_tensors_t *tensors, const erx_world_t *frames, uint32_t player,
                    int32_t outputs[ERX_POLICY_OUTPUTS])
{
    int32_t wide[ERX_POLICY_WIDTH_MAX];
    int8_t dense[ERX_POLICY_WIDTH_MAX];
    (void)stack_columns(tensors, frames, player, wide, dense);
    layers(tensors, wide, dense, outputs);
}

void erx_ref_policy_world(const erx_policy_tensors_t *tensors, const erx_world_t *frames,
                          const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES],
                          int32_t outputs[ERX_REGRESSIONS + ERX_LOGITS])
{
    int32_t wide[ERX_POLICY_WIDTH_MAX];
    int8_t dense[ERX_POLICY_WIDTH_MAX];
    int8_t *end = stack_columns(tensors, frames, 0, wide, dense);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        end = control_columns(control[p], end);
    layers(tensors, wide, dense, outputs);
}
