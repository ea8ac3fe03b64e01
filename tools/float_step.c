#include "tools/float_step.h"

#include "mem/assert.h"
#include "mem/layout.h"
#include "tools/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES     16u /* columns that one tile of the product carries */
#define TILE_ROWS 4u
#define ALIGNMENT 64u

typedef float lanes_t __attribute__((vector_size(LANES * sizeof(float))));

ERX_STATIC_ASSERT(ERX_FLOAT_COLUMNS % LANES == 0, "tiles fill the columns");

struct erx_float_scratch {
    uint32_t input_width;
    float *operand; /* [greatest width][ERX_FLOAT_COLUMNS]: input of a product, columns beside
                       each other */
    float *x;       /* [ERX_FLOAT_COLUMNS][d] */
    float *rows;    /* [ERX_FLOAT_COLUMNS][greatest row count]: output of a product */
    float *u;       /* the rest: one column's vectors */
    float *v;
    float *w;
    float *dt;
    float *y;
    float *hh;
    void *memory;
};

static size_t greatest_width(const erx_shape_t *shape, uint32_t input_width)
{
    return ERX_MAX((size_t)shape->d_inner, (size_t)input_width);
}

static size_t row_stride(const erx_shape_t *shape)
{
    return ERX_MAX((size_t)erx_shape_project_rows(shape), (size_t)ERX_FLOAT_OUTPUTS);
}

static size_t scratch_place(erx_float_scratch_t *scratch, const erx_shape_t *shape,
                            uint32_t input_width, void *memory)
{
    const size_t columns = ERX_FLOAT_COLUMNS;
    const size_t value = sizeof(float);
    erx_layout_t layout = erx_layout_begin(memory);
    scratch->input_width = input_width;
    scratch->operand =
        erx_layout_take(&layout, greatest_width(shape, input_width) * columns * value);
    scratch->x = erx_layout_take(&layout, columns * shape->d_model * value);
    scratch->rows = erx_layout_take(&layout, columns * row_stride(shape) * value);
    scratch->u = erx_layout_take(&layout, greatest_width(shape, input_width) * value);
    scratch->v = erx_layout_take(&layout, erx_shape_conv_dim(shape) * value);
    scratch->w = erx_layout_take(&layout, erx_shape_conv_dim(shape) * value);
    scratch->dt = erx_layout_take(&layout, shape->head_count * value);
    scratch->y = erx_layout_take(&layout, shape->d_inner * value);
    scratch->hh = erx_layout_take(&layout, shape->d_model * value);
    return erx_layout_bytes(&layout);
}

erx_float_scratch_t *erx_float_scratch_open(const erx_shape_t *shape, uint32_t input_width)
{
    erx_float_scratch_t *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    size_t bytes = ERX_ALIGN_UP(scratch_place(scratch, shape, input_width, NULL), ALIGNMENT);
    void *memory = aligned_alloc(ALIGNMENT, bytes);
    if (memory == NULL) {
        free(scratch);
        return NULL;
    }
    memset(memory, 0, bytes);
    (void)scratch_place(scratch, shape, input_width, memory);
    scratch->memory = memory;
    return scratch;
}

void erx_float_scratch_close(erx_float_scratch_t *scratch)
{
    if (scratch == NULL)
        return;
    free(scratch->memory);
    free(scratch);
}

/* Conv state [3][cd], then h [H][N][P], layer after layer. */
static size_t layer_state_count(const erx_shape_t *shape)
{
    return (size_t)3 * erx_shape_conv_dim(shape) + (size_t)shape->d_inner * shape->d_state;
}

size_t erx_float_state_count(const erx_shape_t *shape)
{
    return shape->layer_count * layer_state_count(shape);
}

/* ---- products ---- */

/* out[f * stride + r] = sum_i weights[r][i] * operand[i][f] for TILE_ROWS rows
 * and the LANES columns from first on, each sum in the order of i. */
ERX_WIDE static void product_tile(const float *weights, uint32_t width, const float *operand,
                                  float *out, size_t stride)
{
    const float *row0 = weights, *row1 = row0 + width, *row2 = row1 + width, *row3 = row2 + width;
    lanes_t sum[TILE_ROWS] = {0};
    for (uint32_t i = 0; i < width; i++) {
        lanes_t value;
        memcpy(&value, operand + (size_t)i * ERX_FLOAT_COLUMNS, sizeof value);
        sum[0] += row0[i] * value;
        sum[1] += row1[i] * value;
        sum[2] += row2[i] * value;
        sum[3] += row3[i] * value;
    }
    for (uint32_t r = 0; r < TILE_ROWS; r++)
        for (uint32_t f = 0; f < LANES; f++)
            out[f * stride + r] = sum[r][f];
}

/* The same for one row. */
ERX_WIDE static void product_row(const float *weights, uint32_t width, const float *operand,
                                 float *out, size_t stride)
{
    lanes_t sum = {0};
    for (uint32_t i = 0; i < width; i++) {
        lanes_t value;
        memcpy(&value, operand + (size_t)i * ERX_FLOAT_COLUMNS, sizeof value);
        sum += weights[i] * value;
    }
    for (uint32_t f = 0; f < LANES; f++)
        out[f * stride] = sum[f];
}

/* out[f][o] = sum_i weights[o][i] * operand[i][f] */
static void multiply(const float *weights, uint32_t rows, uint32_t width, const float *operand,
                     uint32_t count, float *out, size_t stride)
{
    uint32_t tiled = rows - rows % TILE_ROWS;
    for (uint32_t first = 0; first < count; first += LANES) {
        float *to = out + first * stride;
        for (uint32_t o = 0; o < tiled; o += TILE_ROWS)
            product_tile(weights + (size_t)o * width, width, operand + first, to + o, stride);
        for (uint32_t o = tiled; o < rows; o++)
            product_row(weights + (size_t)o * width, width, operand + first, to + o, stride);
    }
}

/* Puts a column's vector where the product reads it. */
static void set_operand(float *operand, uint32_t column, const float *values, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        operand[(size_t)i * ERX_FLOAT_COLUMNS + column] = values[i];
}

/* ---- input ---- */

void erx_float_control_values(const uint8_t control[ERX_CONTROLLER_BYTES], float *values)
{
    int16_t features[ERX_CONTROLS / ERX_PLAYERS];
    erx_world_control_features(control, features);
    for (uint32_t i = 0; i < ERX_COUNT(features); i++)
        values[i] = i < 5 ? (float)features[i] / (128.0f * 255.0f) : (float)features[i] / 16384.0f;
}

static void input_values(const erx_float_model_t *model, const erx_float_world_t *world,
                         float *values)
{
    float *to = values;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            *to++ = world->continuous[p][j] * model->input_scale[j];
        for (uint32_t j = 0; j < ERX_BINARIES; j++)
            *to++ = (float)world->binary[p][j];
        erx_float_control_values(world->control[p], to);
        to += ERX_CONTROLS / ERX_PLAYERS;
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        uint32_t embed = erx_float_embed_of(k);
        uint32_t width = model->embed_widths[embed];
        memcpy(values + model->embed_columns[k],
               model->embeds[embed] + (size_t)world->category[k] * width, width * sizeof *values);
    }
}

/* ---- layer ---- */

static void normalize(const float *values, const float *gain, uint32_t count, float *out)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    float scale = (float)(1.0 / sqrt(sum / count + (double)ERX_FLOAT_EPSILON));
    for (uint32_t i = 0; i < count; i++)
        out[i] = values[i] * scale * gain[i];
}

static float silu(float value)
{
    return value / (1.0f + expf(-value));
}

static float softplus(float value)
{
    return value > 20.0f ? value : log1pf(expf(value));
}

static void convolve(const erx_float_layer_t *layer, uint32_t channels, const float *c,
                     float *state, float *v, float *w)
{
    float *oldest = state, *older = state + channels, *old = older + channels;
    for (uint32_t i = 0; i < channels; i++) {
        const float *taps = layer->conv + (size_t)i * ERX_CONV_TAPS;
        v[i] = layer->conv_bias[i] + oldest[i] * taps[0] + older[i] * taps[1] + old[i] * taps[2] +
               c[i] * taps[3];
        oldest[i] = older[i];
        older[i] = old[i];
        old[i] = c[i];
        w[i] = silu(v[i]);
    }
}

/* h = decay h + (dt x) B, y = sum_n h C, for the P channels of one head. */
ERX_WIDE static void scan_head(float *h, uint32_t P, uint32_t N, float decay, const float *dtx,
                               const float *B, const float *C, float *y)
{
    for (uint32_t n = 0; n < N; n++) {
        float *row = h + (size_t)n * P;
        for (uint32_t p = 0; p < P; p++) {
            row[p] = row[p] * decay + dtx[p] * B[n];
            y[p] += row[p] * C[n];
        }
    }
}

static void scan(const erx_float_layer_t *layer, const erx_shape_t *shape, const float *dt_rows,
                 const float *w, float *h, float *dt, float *y)
{
    const uint32_t P = shape->head_dim, N = shape->d_state;
    const float *B = w + shape->d_inner, *C = B + N;
    float dtx[2 * ERX_D_MODEL_MAX];
    for (uint32_t head = 0; head < shape->head_count; head++) {
        const float *x = w + (size_t)head * P;
        float *read = y + (size_t)head * P;
        dt[head] = softplus(dt_rows[head] + layer->dt_bias[head]);
        float decay = expf(-dt[head] * expf(layer->A_log[head]));
        for (uint32_t p = 0; p < P; p++) {
            dtx[p] = dt[head] * x[p];
            read[p] = layer->D[head] * x[p];
        }
        scan_head(h + (size_t)head * N * P, P, N, decay, dtx, B, C, read);
    }
}

/* One call, as its parts see it. */
typedef struct {
    const erx_float_model_t *model;
    erx_float_scratch_t *scratch;
    const erx_float_column_t *columns;
    uint32_t count;
    const erx_float_observer_t *observer;
} call_t;

static void observe_residual(const call_t *call, uint32_t stage)
{
    uint32_t d = call->model->shape.d_model;
    if (call->observer->residual == NULL)
        return;
    for (uint32_t k = 0; k < call->count; k++)
        call->observer->residual(call->observer->context, k, stage,
                                 call->scratch->x + (size_t)k * d);
}

static void embed(const call_t *call)
{
    const erx_float_model_t *model = call->model;
    erx_float_scratch_t *scratch = call->scratch;
    uint32_t d = model->shape.d_model;
    for (uint32_t k = 0; k < call->count; k++) {
        input_values(model, call->columns[k].world, scratch->u);
        set_operand(scratch->operand, k, scratch->u, model->input_width);
    }
    float *rows = scratch->rows;
    multiply(model->frame_proj, d, model->input_width, scratch->operand, call->count, rows, d);
    for (uint32_t k = 0; k < call->count; k++)
        for (uint32_t o = 0; o < d; o++)
            scratch->x[(size_t)k * d + o] = rows[(size_t)k * d + o] + model->frame_bias[o];
    observe_residual(call, 0);
}

/* From the rows of in_proj to the input of out_proj, for one column. */
static void mix(const call_t *call, uint32_t index, uint32_t column, const float *project)
{
    const erx_shape_t *shape = &call->model->shape;
    const erx_float_layer_t *layer = &call->model->layers[index];
    erx_float_scratch_t *scratch = call->scratch;
    uint32_t di = shape->d_inner, channels = erx_shape_conv_dim(shape);
    float *conv_state = call->columns[column].state + index * layer_state_count(shape);
    float *h = conv_state + (size_t)3 * channels;
    float gated[2 * ERX_D_MODEL_MAX];
    float q[2 * ERX_D_MODEL_MAX];
    convolve(layer, channels, project + di, conv_state, scratch->v, scratch->w);
    scan(layer, shape, project + di + channels, scratch->w, h, scratch->dt, scratch->y);
    for (uint32_t i = 0; i < di; i++)
        gated[i] = scratch->y[i] * silu(project[i]);
    normalize(gated, layer->gate_norm, di, q);
    if (call->observer->layer != NULL) {
        normalize(scratch->x + (size_t)column * shape->d_model, layer->norm, shape->d_model,
                  scratch->u);
        const erx_float_layer_view_t view = {scratch->u,  project, scratch->v, scratch->w,
                                             scratch->dt, h,       scratch->y, q};
        call->observer->layer(call->observer->context, column, index, &view);
    }
    set_operand(scratch->operand, column, q, di);
}

static void run_layer(const call_t *call, uint32_t index)
{
    const erx_shape_t *shape = &call->model->shape;
    const erx_float_layer_t *layer = &call->model->layers[index];
    erx_float_scratch_t *scratch = call->scratch;
    uint32_t d = shape->d_model, rows = erx_shape_project_rows(shape);
    for (uint32_t k = 0; k < call->count; k++) {
        normalize(scratch->x + (size_t)k * d, layer->norm, d, scratch->u);
        set_operand(scratch->operand, k, scratch->u, d);
    }
    multiply(layer->in_proj, rows, d, scratch->operand, call->count, scratch->rows, rows);
    for (uint32_t k = 0; k < call->count; k++)
        mix(call, index, k, scratch->rows + (size_t)k * rows);
    multiply(layer->out_proj, d, shape->d_inner, scratch->operand, call->count, scratch->rows, d);
    for (uint32_t i = 0; i < call->count * d; i++)
        scratch->x[i] += scratch->rows[i];
    observe_residual(call, index + 1);
}

/* Final norm and controllers: the input of the heads, for one column. */
static void head_hidden(const call_t *call, uint32_t column, const float *control)
{
    const erx_float_model_t *model = call->model;
    erx_float_scratch_t *scratch = call->scratch;
    uint32_t d = model->shape.d_model;
    normalize(scratch->x + (size_t)column * d, model->final_norm, d, scratch->u);
    for (uint32_t o = 0; o < d; o++)
        scratch->hh[o] = scratch->u[o] + control[o] + model->control_bias[o];
    if (call->observer->heads != NULL)
        call->observer->heads(call->observer->context, column,
                              &(erx_float_head_view_t){scratch->u, scratch->hh});
    set_operand(scratch->operand, column, scratch->hh, d);
}

static void run_heads(const call_t *call)
{
    const erx_float_model_t *model = call->model;
    erx_float_scratch_t *scratch = call->scratch;
    uint32_t d = model->shape.d_model;
    for (uint32_t k = 0; k < call->count; k++) {
        for (uint32_t p = 0; p < ERX_PLAYERS; p++)
            erx_float_control_values(call->columns[k].control[p],
                                     scratch->u + p * (ERX_CONTROLS / ERX_PLAYERS));
        set_operand(scratch->operand, k, scratch->u, ERX_CONTROLS);
    }
    multiply(model->control_proj, d, ERX_CONTROLS, scratch->operand, call->count, scratch->rows, d);
    for (uint32_t k = 0; k < call->count; k++)
        head_hidden(call, k, scratch->rows + (size_t)k * d);
    uint32_t first = 0;
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        uint32_t width = erx_float_head_width(head);
        multiply(model->heads[head], width, d, scratch->operand, call->count, scratch->rows, width);
        for (uint32_t k = 0; k < call->count; k++)
            for (uint32_t r = 0; r < width; r++)
                call->columns[k].output[first + r] =
                    scratch->rows[(size_t)k * width + r] + model->head_biases[head][r];
        first += width;
    }
}

void erx_float_step(const erx_float_model_t *model, erx_float_scratch_t *scratch,
                    const erx_float_column_t *columns, uint32_t count,
                    const erx_float_observer_t *observer)
{
    static const erx_float_observer_t nobody = {0};
    ERX_ASSERT(count > 0 && count <= ERX_FLOAT_COLUMNS);
    ERX_ASSERT(scratch->input_width == model->input_width);
    const call_t call = {model, scratch, columns, count, observer == NULL ? &nobody : observer};
    embed(&call);
    for (uint32_t l = 0; l < model->shape.layer_count; l++)
        run_layer(&call, l);
    run_heads(&call);
}
