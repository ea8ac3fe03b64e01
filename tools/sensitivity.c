#include "tools/sensitivity.h"

#include "mem/assert.h"
#include "mem/layout.h"
#include "tools/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One head a lane: all are followed at once. */
#define LANES ERX_OUTPUT_HEADS

typedef float lanes_t __attribute__((vector_size(LANES * sizeof(float))));

ERX_STATIC_ASSERT((LANES & (LANES - 1)) == 0, "heads fill a vector");

/* What is kept of a layer of the frame. */
typedef struct {
    float *project; /* z | x | B | C | dt rows of in_proj */
    float *v;
    float *w;
    float *dt;
    float *h;
    float *y;
} layer_t;

struct erx_sensitivity {
    const erx_float_model_t *model;
    float *residuals; /* [L + 1][d] */
    layer_t layers[ERX_LAYERS_MAX];
    lanes_t *x;       /* [d]: slopes with regard to the residual stream */
    lanes_t *rows;    /* rows of in_proj, or outputs */
    lanes_t *inner;   /* [di] */
    lanes_t *input;   /* [di]: an 8-bit activation */
    lanes_t *w_slope; /* [cd] */
    void *memory;
};

static size_t place(erx_sensitivity_t *sensitivity, void *memory)
{
    const erx_shape_t *shape = &sensitivity->model->shape;
    const size_t value = sizeof(float), di = shape->d_inner;
    const size_t rows = erx_shape_project_rows(shape), channels = erx_shape_conv_dim(shape);
    erx_layout_t layout = erx_layout_begin(memory);
    sensitivity->residuals =
        erx_layout_take(&layout, (shape->layer_count + 1) * (size_t)shape->d_model * value);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        layer_t *layer = &sensitivity->layers[l];
        layer->project = erx_layout_take(&layout, rows * value);
        layer->v = erx_layout_take(&layout, channels * value);
        layer->w = erx_layout_take(&layout, channels * value);
        layer->dt = erx_layout_take(&layout, shape->head_count * value);
        layer->h = erx_layout_take(&layout, di * shape->d_state * value);
        layer->y = erx_layout_take(&layout, di * value);
    }
    sensitivity->x = erx_layout_take(&layout, shape->d_model * sizeof(lanes_t));
    sensitivity->rows =
        erx_layout_take(&layout, ERX_MAX(rows, (size_t)ERX_FLOAT_OUTPUTS) * sizeof(lanes_t));
    sensitivity->inner = erx_layout_take(&layout, di * sizeof(lanes_t));
    sensitivity->input = erx_layout_take(&layout, di * sizeof(lanes_t));
    sensitivity->w_slope = erx_layout_take(&layout, channels * sizeof(lanes_t));
    return erx_layout_bytes(&layout);
}

erx_sensitivity_t *erx_sensitivity_open(const erx_float_model_t *model)
{
    erx_sensitivity_t *sensitivity = calloc(1, sizeof *sensitivity);
    if (sensitivity == NULL)
        return NULL;
    sensitivity->model = model;
    sensitivity->memory = aligned_alloc(ERX_CACHE_LINE, place(sensitivity, NULL));
    if (sensitivity->memory == NULL) {
        free(sensitivity);
        return NULL;
    }
    (void)place(sensitivity, sensitivity->memory);
    return sensitivity;
}

void erx_sensitivity_close(erx_sensitivity_t *sensitivity)
{
    if (sensitivity == NULL)
        return;
    free(sensitivity->memory);
    free(sensitivity);
}

void erx_sensitivity_see_residual(erx_sensitivity_t *sensitivity, uint32_t stage, const float *x)
{
    size_t d = sensitivity->model->shape.d_model;
    memcpy(sensitivity->residuals + stage * d, x, d * sizeof *x);
}

void erx_sensitivity_see_layer(erx_sensitivity_t *sensitivity, uint32_t layer,
                               const erx_float_layer_view_t *view)
{
    const erx_shape_t *shape = &sensitivity->model->shape;
    const layer_t *to = &sensitivity->layers[layer];
    const size_t value = sizeof(float), channels = erx_shape_conv_dim(shape);
    memcpy(to->project, view->project, erx_shape_project_rows(shape) * value);
    memcpy(to->v, view->v, channels * value);
    memcpy(to->w, view->w, channels * value);
    memcpy(to->dt, view->dt, shape->head_count * value);
    memcpy(to->h, view->h, (size_t)shape->d_inner * shape->d_state * value);
    memcpy(to->y, view->y, shape->d_inner * value);
}

/* ---- backwards through the parts of the model ---- */

/* to[i] += sum_r weights[r][i] * from[r] */
ERX_WIDE static void multiply_back(const float *weights, uint32_t rows, uint32_t width,
                                   const lanes_t *from, lanes_t *to)
{
    for (uint32_t r = 0; r < rows; r++) {
        const float *row = weights + (size_t)r * width;
        lanes_t slope = from[r];
        for (uint32_t i = 0; i < width; i++)
            to[i] += row[i] * slope;
    }
}

/* From the slopes of normalize(values) * gain to those of values, added to to. */
ERX_WIDE static void normalize_back(const float *values, const float *gain, uint32_t count,
                                    const lanes_t *from, lanes_t *to)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    float scale = (float)(1.0 / sqrt(sum / count + (double)ERX_FLOAT_EPSILON));
    lanes_t along = {0};
    for (uint32_t i = 0; i < count; i++)
        along += gain[i] * values[i] * from[i];
    along *= scale * scale * scale / (float)count;
    for (uint32_t i = 0; i < count; i++)
        to[i] += gain[i] * scale * from[i] - values[i] * along;
}

static float sigmoid(float value)
{
    return 1.0f / (1.0f + expf(-value));
}

static float silu_slope(float value)
{
    float s = sigmoid(value);
    return s * (1.0f + value * (1.0f - s));
}

/* Slopes of one channel p of a head's scan: y = sum_n h C + D x, where
 * h = decay h_before + dt x B. */
ERX_WIDE static void scan_channel_back(const float *h, uint32_t stride, uint32_t N, float dtx,
                                       const float *B, const float *C, const lanes_t *from,
                                       lanes_t *B_slope, lanes_t *C_slope, lanes_t *decayed)
{
    lanes_t slope = *from;
    float kept = 0.0f; /* of y, what the state held before this frame */
    for (uint32_t n = 0; n < N; n++) {
        float value = h[(size_t)n * stride];
        B_slope[n] += slope * (dtx * C[n]);
        C_slope[n] += slope * value;
        kept += C[n] * (value - dtx * B[n]);
    }
    *decayed += slope * kept;
}

/* inner holds the slopes of y; fills those of w, and of the dt rows. */
static void scan_back(erx_sensitivity_t *sensitivity, uint32_t index)
{
    const erx_shape_t *shape = &sensitivity->model->shape;
    const erx_float_layer_t *weights = &sensitivity->model->layers[index];
    const layer_t *layer = &sensitivity->layers[index];
    const uint32_t P = shape->head_dim, N = shape->d_state, di = shape->d_inner;
    const float *B = layer->w + di, *C = B + N;
    lanes_t *x_slope = sensitivity->w_slope, *B_slope = x_slope + di, *C_slope = B_slope + N;
    lanes_t *dt_slope = sensitivity->rows + di + erx_shape_conv_dim(shape);
    float echo = 0.0f;
    memset(B_slope, 0, 2 * N * sizeof *B_slope);
    for (uint32_t n = 0; n < N; n++)
        echo += B[n] * C[n];
    for (uint32_t head = 0; head < shape->head_count; head++) {
        float dt = layer->dt[head];
        lanes_t decayed = {0}, entered = {0};
        for (uint32_t p = 0; p < P; p++) {
            uint32_t i = head * P + p;
            lanes_t slope = sensitivity->inner[i];
            scan_channel_back(layer->h + (size_t)head * N * P + p, P, N, dt * layer->w[i], B, C,
                              &slope, B_slope, C_slope, &decayed);
            entered += slope * (layer->w[i] * echo);
            x_slope[i] = slope * (weights->D[head] + dt * echo);
        }
        float rate = expf(weights->A_log[head]);
        float row = layer->project[di + erx_shape_conv_dim(shape) + head];
        dt_slope[head] = (entered - rate * decayed) * sigmoid(row + weights->dt_bias[head]);
    }
}

/* Slopes of the convolution's input. A change of it lasts four frames, whose
 * effects are taken to add up like independent noise. */
static void convolve_back(erx_sensitivity_t *sensitivity, uint32_t index)
{
    const erx_shape_t *shape = &sensitivity->model->shape;
    const float *taps = sensitivity->model->layers[index].conv;
    const float *v = sensitivity->layers[index].v;
    lanes_t *rows = sensitivity->rows + shape->d_inner;
    for (uint32_t i = 0; i < erx_shape_conv_dim(shape); i++, taps += ERX_CONV_TAPS) {
        float power = 0.0f;
        for (uint32_t k = 0; k < ERX_CONV_TAPS; k++)
            power += taps[k] * taps[k];
        float length = copysignf(sqrtf(power), taps[ERX_CONV_TAPS - 1]);
        rows[i] = sensitivity->w_slope[i] * (silu_slope(v[i]) * length);
    }
}

/* y SiLU(z): inner turns from the slopes of the product into those of y. */
static void gate_back(erx_sensitivity_t *sensitivity, uint32_t index)
{
    const layer_t *layer = &sensitivity->layers[index];
    for (uint32_t i = 0; i < sensitivity->model->shape.d_inner; i++) {
        float z = layer->project[i];
        lanes_t slope = sensitivity->inner[i];
        sensitivity->rows[i] = slope * (layer->y[i] * silu_slope(z));
        sensitivity->inner[i] = slope * (z * sigmoid(z));
    }
}

static void add_squares(const lanes_t *slopes, uint32_t first_head, erx_activation_range_t *range)
{
    for (uint32_t i = 0; i < range->width; i++)
        for (uint32_t head = first_head; head < LANES; head++)
            range->slopes[(size_t)i * LANES + head] +=
                (double)slopes[i][head] * (double)slopes[i][head];
}

static void layer_back(erx_sensitivity_t *sensitivity, uint32_t index, erx_layer_range_t *range)
{
    const erx_shape_t *shape = &sensitivity->model->shape;
    const erx_float_layer_t *weights = &sensitivity->model->layers[index];
    const layer_t *layer = &sensitivity->layers[index];
    const float *x = sensitivity->residuals + (size_t)index * shape->d_model;
    float gated[2 * ERX_D_MODEL_MAX];
    for (uint32_t i = 0; i < shape->d_inner; i++)
        gated[i] = layer->y[i] * layer->project[i] * sigmoid(layer->project[i]);
    memset(sensitivity->input, 0, shape->d_inner * sizeof(lanes_t));
    memset(sensitivity->inner, 0, shape->d_inner * sizeof(lanes_t));
    multiply_back(weights->out_proj, shape->d_model, shape->d_inner, sensitivity->x,
                  sensitivity->input);
    add_squares(sensitivity->input, 0, &range->q);
    normalize_back(gated, weights->gate_norm, shape->d_inner, sensitivity->input,
                   sensitivity->inner);
    gate_back(sensitivity, index);
    scan_back(sensitivity, index);
    convolve_back(sensitivity, index);
    memset(sensitivity->input, 0, shape->d_inner * sizeof(lanes_t));
    multiply_back(weights->in_proj, erx_shape_project_rows(shape), shape->d_model,
                  sensitivity->rows, sensitivity->input);
    add_squares(sensitivity->input, 0, &range->u);
    normalize_back(x, weights->norm, shape->d_model, sensitivity->input, sensitivity->x);
}

/* inner: slopes of the input of the heads, each lane by its own head. */
static void heads_back(erx_sensitivity_t *sensitivity, erx_random_t *random)
{
    const erx_float_model_t *model = sensitivity->model;
    memset(sensitivity->inner, 0, model->shape.d_model * sizeof(lanes_t));
    for (uint32_t head = 0; head < LANES; head++) {
        uint32_t width = erx_float_head_width(head);
        for (uint32_t r = 0; r < width; r++) {
            lanes_t sign = {0};
            sign[head] = erx_random_below(random, 2) == 0 ? -1.0f : 1.0f;
            sensitivity->rows[r] = sign;
        }
        multiply_back(model->heads[head], width, model->shape.d_model, sensitivity->rows,
                      sensitivity->inner);
    }
}

void erx_sensitivity_add(erx_sensitivity_t *sensitivity, erx_random_t *random,
                         erx_calibration_t *calibration)
{
    const erx_float_model_t *model = sensitivity->model;
    uint32_t layers = model->shape.layer_count, d = model->shape.d_model;
    heads_back(sensitivity, random);
    /* The regressions get this activation in 16 bits: nothing is lost there. */
    add_squares(sensitivity->inner, ERX_REGRESSION_HEADS, &calibration->hh);
    memset(sensitivity->x, 0, d * sizeof(lanes_t));
    normalize_back(sensitivity->residuals + (size_t)layers * d, model->final_norm, d,
                   sensitivity->inner, sensitivity->x);
    for (uint32_t l = layers; l-- > 0;)
        layer_back(sensitivity, l, &calibration->layers[l]);
}
