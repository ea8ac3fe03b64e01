#include "tests/kernels/random_model.h"

#include <stdlib.h>
#include <string.h>

#include "tests/kernels/draw.h"

#define SAT16_MAX       32767
#define SAT8_MAX        127
#define CONV_WEIGHT_MAX 16383
#define BIAS_MAX        (1 << 28)
/* A 16-bit operand times a row of at most this sum stays inside 32 bits. */
#define ROW_SUM_MAX 65535u

#define SHAPE(d, N, H, layers)                                                                     \
    {                                                                                              \
        .d_model = (d), .d_inner = 2 * (d), .d_state = (N), .layer_count = (layers),               \
        .head_count = (H), .head_dim = 2 * (d) / (H)                                               \
    }

const erx_shape_t erx_test_shapes[ERX_TEST_SHAPES] = {
    SHAPE(32, 2, 1, 2),    SHAPE(32, 4, 4, 1),     SHAPE(64, 8, 4, 2),      SHAPE(96, 2, 12, 1),
    SHAPE(96, 6, 6, 2),    SHAPE(96, 10, 4, 1),    SHAPE(96, 16, 3, 1),     SHAPE(96, 64, 2, 1),
    SHAPE(96, 128, 1, 1),  SHAPE(128, 16, 4, 2),   SHAPE(256, 16, 8, 1),    SHAPE(384, 64, 12, 1),
    SHAPE(512, 16, 16, 1), SHAPE(1024, 2, 128, 1), SHAPE(1024, 128, 16, 1),
};

/* Who makes a model, and where. */
typedef struct {
    erx_fence_t *fence;
    erx_rng_t *rng;
} maker_t;

static int8_t *make_i8(const maker_t *maker, size_t count)
{
    int8_t *values = erx_fence_take(maker->fence, count);
    erx_draw_i8(maker->rng, values, count, -SAT8_MAX, SAT8_MAX);
    return values;
}

static int16_t *make_i16(const maker_t *maker, size_t count, int32_t limit)
{
    int16_t *values = erx_fence_take(maker->fence, count * sizeof *values);
    erx_draw_i16(maker->rng, values, count, -limit, limit);
    return values;
}

static int32_t *make_i32(const maker_t *maker, size_t count, int64_t low, int64_t high)
{
    int32_t *values = erx_fence_take(maker->fence, count * sizeof *values);
    erx_draw_i32(maker->rng, values, count, low, high);
    return values;
}

/* Rows of at most ROW_SUM_MAX, cut from a random column on, so that extremes
 * stand anywhere. */
static int16_t *make_bounded_rows(const maker_t *maker, uint32_t rows, uint32_t columns)
{
    int16_t *values = make_i16(maker, (size_t)rows * columns, SAT16_MAX);
    for (uint32_t row = 0; row < rows; row++) {
        int32_t left = ROW_SUM_MAX;
        uint32_t first = (uint32_t)erx_rng_range(maker->rng, 0, columns - 1);
        for (uint32_t i = 0; i < columns; i++) {
            int16_t *value = &values[(size_t)row * columns + (first + i) % columns];
            int32_t size = ERX_MIN(abs(*value), left);
            *value = (int16_t)(*value < 0 ? -size : size);
            left -= size;
        }
    }
    return values;
}

static int32_t *make_multipliers(const maker_t *maker, uint32_t rows, uint64_t accumulator_max,
                                 int32_t shift, uint64_t result_max)
{
    int32_t *values = erx_fence_take(maker->fence, rows * sizeof *values);
    for (uint32_t row = 0; row < rows; row++)
        values[row] = erx_draw_multiplier(maker->rng, accumulator_max, shift, result_max);
    return values;
}

/* Multipliers of an 8-bit matrix, whose results plus addend fit 32 bits at any
 * block exponent. */
static int32_t *make_multipliers8(const maker_t *maker, const int8_t *weights, uint32_t rows,
                                  uint32_t columns, int32_t shift, uint32_t addend)
{
    int32_t *values = erx_fence_take(maker->fence, rows * sizeof *values);
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < columns; i++)
            sum += (uint64_t)abs(weights[(size_t)row * columns + i]);
        values[row] = erx_draw_multiplier(maker->rng, sum * SAT8_MAX, shift - ERX_EXPONENT_MAX,
                                          (uint64_t)INT32_MAX - addend);
    }
    return values;
}

static int32_t draw(const maker_t *maker, int32_t low, int32_t high)
{
    return erx_draw_scalar(maker->rng, low, high);
}

static int64_t draw_epsilon(const maker_t *maker)
{
    return INT64_C(1) << erx_rng_range(maker->rng, 0, 62);
}

static void make_scalars(const maker_t *maker, erx_tensors_t *tensors)
{
    tensors->R = ERX_RESIDUAL_BITS;
    tensors->T_sh = draw(maker, 0, 14);
    tensors->Wf_s = draw(maker, 16, 32);
    tensors->fh = draw(maker, 0, 12);
    tensors->Gf_s = draw(maker, 3, 24);
    tensors->Wctl_s = draw(maker, 1, 32);
    tensors->Gh_s = draw(maker, 3, 24);
    tensors->Wl_s = draw(maker, 16, 30);
    tensors->Cmax = ERX_MIN(SAT16_MAX, INT32_MAX / (32768 * (int32_t)tensors->shape.d_state));
    tensors->eps1 = draw_epsilon(maker);
}

static void make_globals(const maker_t *maker, erx_tensors_t *tensors)
{
    uint32_t d = tensors->shape.d_model;
    uint64_t accumulator_max = (uint64_t)ROW_SUM_MAX * SAT16_MAX;
    int32_t table_max = ERX_MIN(SAT16_MAX, (BIAS_MAX / (int32_t)ERX_CATEGORICALS) >> tensors->T_sh);
    tensors->Wf = make_bounded_rows(maker, d, ERX_FEATURES);
    tensors->Wf_m =
        make_multipliers(maker, d, accumulator_max, tensors->Wf_s, INT32_MAX - 2 * BIAS_MAX);
    tensors->bf = make_i32(maker, d, -BIAS_MAX, BIAS_MAX);
    tensors->fm = make_i32(maker, ERX_CONTINUOUS, 0, INT32_MAX);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        tensors->T[k] = make_i16(maker, (size_t)erx_category_counts[k] * d, table_max);
    tensors->Wctl = make_bounded_rows(maker, d, ERX_CONTROLS);
    tensors->Wctl_m =
        make_multipliers(maker, d, accumulator_max, tensors->Wctl_s, INT32_MAX - 2 * BIAS_MAX);
    tensors->bctl = make_i32(maker, d, -BIAS_MAX, BIAS_MAX);
    tensors->Gf = make_i16(maker, d, SAT16_MAX);
    tensors->Gh = make_i16(maker, d, SAT16_MAX);
    tensors->Wr = make_i16(maker, (size_t)ERX_REGRESSIONS * d, SAT16_MAX);
    tensors->Wr_m = make_i32(maker, ERX_REGRESSIONS, 0, 1 << 22);
    tensors->Wr_s = make_i32(maker, ERX_REGRESSIONS, 33, 62); /* 2^62 >> 33 fits 32 bits */
    tensors->br = make_i32(maker, ERX_REGRESSIONS, -BIAS_MAX, BIAS_MAX);
    tensors->Wl = make_i8(maker, (size_t)ERX_LOGITS * d);
    tensors->Wl_m = make_multipliers8(maker, tensors->Wl, ERX_LOGITS, d, tensors->Wl_s, BIAS_MAX);
    tensors->bl = make_i32(maker, ERX_LOGITS, -BIAS_MAX, BIAS_MAX);
}

static void make_layer_scalars(const maker_t *maker, erx_layer_tensors_t *layer)
{
    layer->G1_s = draw(maker, 3, 24);
    layer->Win_s = draw(maker, 16, 30);
    layer->fz = draw(maker, 8, 12);
    layer->Wc_s = draw(maker, 1, 32);
    layer->fx = draw(maker, 8, 12);
    layer->kb = draw(maker, 0, 8);
    layer->kc = draw(maker, 0, 15);
    layer->y_s = draw(maker, 1, 32);
    layer->G2_s = draw(maker, 3, 24);
    layer->Wo_s = draw(maker, 16, 30);
    layer->eps2 = draw_epsilon(maker);
}

/* 2^31 * |my| + 32767 * |mD| < 2^(31 + y_s), half of it for each. */
static void make_read_out(const maker_t *maker, uint32_t heads, erx_layer_tensors_t *layer)
{
    int64_t half = INT64_C(1) << (layer->y_s - 1);
    int64_t my_max = ERX_MIN(half, INT64_C(1) << 30) - 1;
    int64_t mD_max = ERX_MIN((half << 31) / SAT16_MAX, INT64_C(1) << 30) - 1;
    layer->my = make_i32(maker, heads, -my_max, my_max);
    layer->mD = make_i32(maker, heads, -mD_max, mD_max);
}

static void make_layer(const maker_t *maker, const erx_shape_t *shape, erx_layer_tensors_t *layer)
{
    uint32_t d = shape->d_model;
    uint32_t di = shape->d_inner;
    uint32_t rows = erx_shape_project_rows(shape);
    uint32_t channels = erx_shape_conv_dim(shape);
    uint32_t heads = shape->head_count;
    make_layer_scalars(maker, layer);
    layer->Win = make_i8(maker, (size_t)rows * d);
    layer->Win_m = make_multipliers8(maker, layer->Win, rows, d, layer->Win_s, BIAS_MAX);
    layer->Wc = make_i16(maker, (size_t)channels * ERX_CONV_TAPS, CONV_WEIGHT_MAX);
    layer->Wc_m = make_multipliers(maker, channels, (uint64_t)4 * CONV_WEIGHT_MAX * SAT16_MAX,
                                   layer->Wc_s, INT32_MAX - BIAS_MAX);
    layer->bc = make_i32(maker, channels, -BIAS_MAX, BIAS_MAX);
    layer->dtb = make_i32(maker, heads, -BIAS_MAX, BIAS_MAX);
    layer->Am = make_i32(maker, heads, 0, INT32_MAX);
    layer->md = make_i32(maker, heads, 0, INT32_MAX);
    make_read_out(maker, heads, layer);
    layer->G1 = make_i16(maker, d, SAT16_MAX);
    layer->G2 = make_i16(maker, di, SAT16_MAX);
    layer->Wo = make_i8(maker, (size_t)d * di);
    layer->Wo_m = make_multipliers8(maker, layer->Wo, d, di, layer->Wo_s, ERX_RESIDUAL_MAX);
}

void erx_random_model(erx_fence_t *fence, erx_rng_t *rng, const erx_shape_t *shape,
                      erx_tensors_t *tensors_out)
{
    const maker_t maker = {.fence = fence, .rng = rng};
    memset(tensors_out, 0, sizeof *tensors_out);
    tensors_out->shape = *shape;
    make_scalars(&maker, tensors_out);
    make_globals(&maker, tensors_out);
    for (uint32_t l = 0; l < shape->layer_count; l++)
        make_layer(&maker, shape, &tensors_out->layers[l]);
}

void erx_random_image(erx_fence_t *fence, const erx_kernel_t *kernel, const erx_tensors_t *tensors,
                      erx_image_t *image_out)
{
    size_t bytes = erx_image_bytes(kernel, &tensors->shape);
    uint8_t *base = erx_fence_take(fence, bytes);
    memset(base, 0, bytes);
    erx_image_pack(kernel, tensors, base);
    erx_image_map(kernel, tensors, base, image_out);
}
