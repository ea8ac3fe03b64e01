#include "tools/quantizer_layer.h"

#include "tools/quantizer_number.h"
#include "tools/quantizer_rounding.h"

#include <math.h>
#include <stdio.h>

#define I16_MAX         32767.0
#define CONV_WEIGHT_MAX 16383.0
#define RANGE_MARGIN    1.2  /* headroom over what calibration saw */
#define STEP_MARGIN     1.25 /* of fz and fx */
#define STATE_MARGIN    1.4
#define INPUT_MARGIN    1.05 /* of what enters the state */
#define FRACTION_MIN    8
#define FRACTION_MAX    11
#define KB_MAX          8
#define KC_MAX          15
#define RANGE_LEAST     1e-6 /* stands for the range of a channel that is silent */
#define GATE_SHIFT      8    /* NUMERICS 5.7 */

/* One layer being made. */
typedef struct {
    const erx_float_model_t *model;
    const erx_float_layer_t *layer;
    const erx_layer_range_t *range;
    uint32_t sample_count;
    const erx_quantizer_report_t *report;
    erx_model_draft_t *draft;
    uint32_t index;
    /* Formats that later steps need. */
    int32_t G1_s, Win_s, fz, Wc_s, fx, kb, kc, y_s, G2_s, Wo_s;
    double state_scale[ERX_HEADS_MAX]; /* s_h */
    double read_scale;                 /* s_y */
    char label[ERX_TENSOR_NAME_MAX];
    erx_error_t *error;
} maker_t;

static void *tensor(maker_t *maker, const char *name)
{
    return erx_model_draft_layer(maker->draft, maker->index, name);
}

/* "layers.3.Win", for messages. */
static const char *label(maker_t *maker, const char *name)
{
    (void)snprintf(maker->label, sizeof maker->label, "layers.%u.%s", maker->index, name);
    return maker->label;
}

static erx_weight_error_t *error_of(const maker_t *maker, const float *values)
{
    return erx_quantizer_report_find(maker->report, values);
}

static int32_t c_max_of(const erx_shape_t *shape)
{
    return (int32_t)fmin(I16_MAX, floor(2147483647.0 / (shape->d_state * 32768.0)));
}

/* Formats of z, of what the convolution gives, of B and of C. */
static void choose_formats(maker_t *maker)
{
    const erx_layer_range_t *range = maker->range;
    maker->fz =
        erx_fraction_bits(STEP_MARGIN * (double)range->z_max, I16_MAX, FRACTION_MIN, FRACTION_MAX);
    maker->fx =
        erx_fraction_bits(STEP_MARGIN * (double)range->v_max, I16_MAX, FRACTION_MIN, FRACTION_MAX);
    maker->kb = erx_fraction_bits(ldexp(RANGE_MARGIN * (double)range->B_max, maker->fx), I16_MAX, 0,
                                  KB_MAX);
    double C = ldexp(RANGE_MARGIN * (double)range->C_max, maker->fx);
    maker->kc = -erx_fraction_bits(C, c_max_of(&maker->model->shape), -KC_MAX, 0);
}

/* Gain that turns a vector normalized to Q15 into a smoothed activation. */
static erx_status_t make_gain(maker_t *maker, const char *name, const float *weights,
                              const erx_activation_range_t *range, int32_t *shift_out)
{
    double gains[2 * ERX_D_MODEL_MAX];
    double factor = sqrt((double)range->width) / range->scale / 32768.0;
    for (uint32_t i = 0; i < range->width; i++)
        gains[i] = factor * (double)weights[i] * (double)range->smooth[i];
    int16_t *gains_out = tensor(maker, name);
    erx_status_t status =
        erx_gains_fill(label(maker, name), gains, range->width, gains_out, shift_out, maker->error);
    for (uint32_t i = 0; i < range->width && status == ERX_OK; i++) {
        double unit = factor * (double)range->smooth[i];
        erx_weight_error_add(error_of(maker, weights), (double)weights[i],
                             ldexp(gains_out[i], -*shift_out) / unit);
    }
    return status;
}

/* Scale of the conv state, a channel. */
static double conv_scale(const maker_t *maker, uint32_t channel)
{
    return fmax(RANGE_MARGIN * (double)maker->range->c_max[channel], RANGE_LEAST) / I16_MAX;
}

/* What one unit of a row of in_proj is worth in its integer format. */
static double project_unit(const maker_t *maker, uint32_t row)
{
    const erx_shape_t *shape = &maker->model->shape;
    if (row < shape->d_inner)
        return ldexp(1.0, maker->fz);
    if (row < shape->d_inner + erx_shape_conv_dim(shape))
        return 1.0 / conv_scale(maker, row - shape->d_inner);
    return 65536.0; /* dt, Q16 */
}

static erx_status_t fill_projection(maker_t *maker, const erx_rounding_t *rounding)
{
    enum { ROWS_MAX = 4 * ERX_D_MODEL_MAX + 2 * ERX_D_STATE_MAX + ERX_HEADS_MAX };
    const erx_shape_t *shape = &maker->model->shape;
    const erx_activation_range_t *input = &maker->range->u;
    uint32_t rows = erx_shape_project_rows(shape);
    int8_t *weights = tensor(maker, "Win");
    double factors[ROWS_MAX];
    for (uint32_t row = 0; row < rows; row++) {
        const float *from = maker->layer->in_proj + (size_t)row * shape->d_model;
        int8_t *to = weights + (size_t)row * shape->d_model;
        double scale = erx_rounding_row(rounding, from, to);
        erx_rounding_report(rounding, from, to, scale, error_of(maker, maker->layer->in_proj));
        factors[row] = scale * input->scale * project_unit(maker, row);
    }
    return erx_multipliers_fill(label(maker, "Win_m"), factors, rows, 16, 30,
                                tensor(maker, "Win_m"), &maker->Win_s, maker->error);
}

static erx_status_t make_projection(maker_t *maker)
{
    erx_rounding_t rounding;
    erx_status_t status =
        erx_rounding_open(&rounding, &maker->range->u, maker->sample_count, maker->error);
    if (status == ERX_OK)
        status = fill_projection(maker, &rounding);
    erx_rounding_close(&rounding);
    return status;
}

static erx_status_t make_convolution(maker_t *maker)
{
    const erx_shape_t *shape = &maker->model->shape;
    const erx_float_layer_t *layer = maker->layer;
    uint32_t channels = erx_shape_conv_dim(shape);
    int16_t *weights = tensor(maker, "Wc");
    int32_t *biases = tensor(maker, "bc");
    erx_weight_error_t *conv_error = error_of(maker, layer->conv);
    erx_weight_error_t *bias_error = error_of(maker, layer->conv_bias);
    double factors[2 * ERX_D_MODEL_MAX + 2 * ERX_D_STATE_MAX];
    for (uint32_t channel = 0; channel < channels; channel++) {
        const float *taps = layer->conv + (size_t)channel * ERX_CONV_TAPS;
        double greatest = 0.0;
        for (uint32_t k = 0; k < ERX_CONV_TAPS; k++)
            greatest = fmax(greatest, fabs((double)taps[k]));
        double step = greatest / CONV_WEIGHT_MAX;
        for (uint32_t k = 0; k < ERX_CONV_TAPS; k++) {
            int16_t *weight = &weights[channel * ERX_CONV_TAPS + k];
            *weight = erx_quantize_i16((double)taps[k] / step);
            erx_weight_error_add(conv_error, (double)taps[k], *weight * step);
        }
        factors[channel] = ldexp(step * conv_scale(maker, channel), maker->fx);
        biases[channel] = erx_quantize_i32(ldexp((double)layer->conv_bias[channel], maker->fx));
        erx_weight_error_add(bias_error, (double)layer->conv_bias[channel],
                             ldexp(biases[channel], -maker->fx));
    }
    return erx_multipliers_fill(label(maker, "Wc_m"), factors, channels, 1, 32,
                                tensor(maker, "Wc_m"), &maker->Wc_s, maker->error);
}

/* Decay, step and state of each head (NUMERICS 5.5, 5.6). */
static void make_state(maker_t *maker)
{
    const erx_float_layer_t *layer = maker->layer;
    const double log2_e = 1.4426950408889634;
    int32_t *dtb = tensor(maker, "dtb"), *Am = tensor(maker, "Am"), *md = tensor(maker, "md");
    int32_t bits = maker->fx + maker->kb;
    for (uint32_t head = 0; head < maker->model->shape.head_count; head++) {
        double rate = exp((double)layer->A_log[head]);
        double entering =
            INPUT_MARGIN * (double)maker->range->dtx_max[head] * ldexp(I16_MAX, -bits);
        double held = STATE_MARGIN * (double)maker->range->h_max[head];
        double scale = fmax(fmax(held, entering), RANGE_LEAST) / I16_MAX;
        maker->state_scale[head] = scale;
        dtb[head] = erx_quantize_i32(65536.0 * (double)layer->dt_bias[head]);
        Am[head] = erx_quantize_i32(65536.0 * rate * log2_e);
        md[head] = erx_quantize_i32(ldexp(1.0, 16 - maker->fx - bits + 15) / scale);
        erx_weight_error_add(error_of(maker, layer->dt_bias), (double)layer->dt_bias[head],
                             dtb[head] / 65536.0);
        erx_weight_error_add(error_of(maker, layer->A_log), (double)layer->A_log[head],
                             log(fmax(Am[head], 1.0) / 65536.0 / log2_e));
    }
}

/* Greatest shift at which both factors of every head stay below 2^30. */
static int32_t read_out_shift(const double *h_factors, const double *x_factors, uint32_t count)
{
    double greatest = 0.0;
    for (uint32_t head = 0; head < count; head++)
        greatest = fmax(greatest, fmax(fabs(h_factors[head]), fabs(x_factors[head])));
    return erx_fraction_bits(greatest, ldexp(1.0, 30), 1, 32);
}

static void make_read_out(maker_t *maker)
{
    const erx_float_layer_t *layer = maker->layer;
    uint32_t heads = maker->model->shape.head_count;
    double h_factors[ERX_HEADS_MAX], x_factors[ERX_HEADS_MAX];
    int32_t *my = tensor(maker, "my"), *mD = tensor(maker, "mD");
    maker->read_scale = fmax(RANGE_MARGIN * (double)maker->range->y_max, RANGE_LEAST) / I16_MAX;
    for (uint32_t head = 0; head < heads; head++) {
        h_factors[head] =
            ldexp(maker->state_scale[head], maker->kc - maker->fx) / maker->read_scale;
        x_factors[head] = ldexp((double)layer->D[head], -maker->fx) / maker->read_scale;
    }
    maker->y_s = read_out_shift(h_factors, x_factors, heads);
    for (uint32_t head = 0; head < heads; head++) {
        my[head] = erx_quantize_i32(ldexp(h_factors[head], maker->y_s));
        mD[head] = erx_quantize_i32(ldexp(x_factors[head], maker->y_s));
        erx_weight_error_add(error_of(maker, layer->D), (double)layer->D[head],
                             ldexp(mD[head], maker->fx - maker->y_s) * maker->read_scale);
    }
}

static erx_status_t fill_output(maker_t *maker, const erx_rounding_t *rounding)
{
    const erx_shape_t *shape = &maker->model->shape;
    const erx_activation_range_t *input = &maker->range->q;
    int8_t *weights = tensor(maker, "Wo");
    int64_t *eps2 = tensor(maker, "eps2");
    double factors[ERX_D_MODEL_MAX];
    double gate_scale = maker->read_scale * ldexp(1.0, GATE_SHIFT - maker->fz);
    *eps2 = llrint(fmax(1.0, (double)ERX_FLOAT_EPSILON * shape->d_inner / gate_scale / gate_scale));
    for (uint32_t row = 0; row < shape->d_model; row++) {
        const float *from = maker->layer->out_proj + (size_t)row * shape->d_inner;
        int8_t *to = weights + (size_t)row * shape->d_inner;
        double scale = erx_rounding_row(rounding, from, to);
        erx_rounding_report(rounding, from, to, scale, error_of(maker, maker->layer->out_proj));
        factors[row] = ldexp(scale * input->scale, ERX_RESIDUAL_BITS);
    }
    return erx_multipliers_fill(label(maker, "Wo_m"), factors, shape->d_model, 16, 30,
                                tensor(maker, "Wo_m"), &maker->Wo_s, maker->error);
}

static erx_status_t make_output(maker_t *maker)
{
    erx_rounding_t rounding;
    erx_status_t status =
        erx_rounding_open(&rounding, &maker->range->q, maker->sample_count, maker->error);
    if (status == ERX_OK)
        status = fill_output(maker, &rounding);
    erx_rounding_close(&rounding);
    return status;
}

erx_status_t erx_quantizer_layer(const erx_float_model_t *model,
                                 const erx_calibration_t *calibration, uint32_t index,
                                 const erx_quantizer_report_t *report, erx_model_draft_t *draft,
                                 erx_error_t *error)
{
    maker_t maker = {.model = model,
                     .layer = &model->layers[index],
                     .range = &calibration->layers[index],
                     .sample_count = calibration->sample_count,
                     .report = report,
                     .draft = draft,
                     .index = index,
                     .error = error};
    choose_formats(&maker);
    erx_status_t status = make_gain(&maker, "G1", maker.layer->norm, &maker.range->u, &maker.G1_s);
    if (status == ERX_OK)
        status = make_projection(&maker);
    if (status == ERX_OK)
        status = make_convolution(&maker);
    if (status != ERX_OK)
        return status;
    make_state(&maker);
    make_read_out(&maker);
    status = make_gain(&maker, "G2", maker.layer->gate_norm, &maker.range->q, &maker.G2_s);
    if (status == ERX_OK)
        status = make_output(&maker);
    const int32_t scalars[] = {maker.G1_s, maker.Win_s, maker.fz,  maker.Wc_s, maker.fx,
                               maker.kb,   maker.kc,    maker.y_s, maker.G2_s, maker.Wo_s};
    int32_t *sc = tensor(&maker, "sc");
    for (uint32_t i = 0; i < ERX_COUNT(scalars); i++)
        sc[i] = scalars[i];
    return status;
}
