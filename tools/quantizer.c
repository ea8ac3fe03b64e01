#include "tools/quantizer.h"

#include "tools/parallel.h"
#include "tools/quantizer_layer.h"
#include "tools/quantizer_number.h"
#include "tools/quantizer_rounding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define I16_MAX            32767.0
#define FEATURE_SUM_MAX    65000.0 /* of a row's magnitudes: NUMERICS 3 allows 65535 */
#define FEATURE_FULL       32000.0 /* a continuous value at its limit */
#define HIDDEN_BITS_MAX    12
#define HIDDEN_MARGIN      1.5
#define REGRESS_MULTIPLIER 22 /* Wr_m lies in [2^21, 2^22] */
#define REGRESS_SHIFT_MAX  62

/* Limit of each continuous value (NUMERICS 2). */
static const double feature_limits[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                                      60,  60,  1023, 50, 4,  50};

/* The globals being made. */
typedef struct {
    const erx_float_model_t *model;
    const erx_calibration_t *calibration;
    const erx_quantizer_report_t *report;
    erx_model_draft_t *draft;
    int32_t T_sh, Wf_s, fh, Gf_s, Wctl_s, Gh_s, Wl_s;
    erx_error_t *error;
} maker_t;

static void *tensor(maker_t *maker, const char *name)
{
    return erx_model_draft_global(maker->draft, name);
}

/* Real value of one step of controller feature i (sticks, shoulder, buttons). */
static double control_step(uint32_t i)
{
    return i < 5 ? 1.0 / (128.0 * 255.0) : 1.0 / 16384.0;
}

/* Real value, in the model's units, of one step of feature j of F. */
static double feature_step(const erx_float_model_t *model, uint32_t j)
{
    uint32_t i = j % (ERX_FEATURES / ERX_PLAYERS);
    if (i < ERX_CONTINUOUS)
        return feature_limits[i] / FEATURE_FULL * (double)model->input_scale[i];
    if (i < ERX_CONTINUOUS + ERX_BINARIES)
        return 1.0 / 16384.0;
    return control_step(i - ERX_CONTINUOUS - ERX_BINARIES);
}

static double control_feature_step(const erx_float_model_t *model, uint32_t j)
{
    (void)model;
    return control_step(j % (ERX_CONTROLS / ERX_PLAYERS));
}

/* A matrix over features, whose sums must stay in 32 bits (NUMERICS 3, 6). */
typedef struct {
    const char *weights_name, *multipliers_name, *bias_name;
    const float *matrix; /* [d][stride], of which the first columns are features */
    const float *bias;
    uint32_t stride, columns;
    double (*step)(const erx_float_model_t *model, uint32_t column);
    int32_t bits; /* fraction of the result */
    int32_t shift_min;
} feature_matrix_t;

/* One row; returns its scale. */
static double make_feature_row(maker_t *maker, const feature_matrix_t *matrix, uint32_t row,
                               int16_t *to)
{
    const float *from = matrix->matrix + (size_t)row * matrix->stride;
    erx_weight_error_t *error = erx_quantizer_report_find(maker->report, matrix->matrix);
    double sum = 0.0, greatest = 0.0;
    for (uint32_t j = 0; j < matrix->columns; j++) {
        double weight = fabs((double)from[j]) * matrix->step(maker->model, j);
        sum += weight;
        greatest = fmax(greatest, weight);
    }
    double scale = fmax(fmax(sum / FEATURE_SUM_MAX, greatest / I16_MAX), 1e-30);
    for (uint32_t j = 0; j < matrix->columns; j++) {
        double step = matrix->step(maker->model, j);
        to[j] = erx_quantize_i16((double)from[j] * step / scale);
        erx_weight_error_add(error, (double)from[j], to[j] * scale / step);
    }
    return scale;
}

static erx_status_t make_feature_matrix(maker_t *maker, const feature_matrix_t *matrix,
                                        int32_t *shift_out)
{
    uint32_t d = maker->model->shape.d_model;
    int16_t *weights = tensor(maker, matrix->weights_name);
    int32_t *bias = tensor(maker, matrix->bias_name);
    erx_weight_error_t *bias_error = erx_quantizer_report_find(maker->report, matrix->bias);
    double factors[ERX_D_MODEL_MAX];
    for (uint32_t row = 0; row < d; row++) {
        double scale =
            make_feature_row(maker, matrix, row, weights + (size_t)row * matrix->columns);
        factors[row] = ldexp(scale, matrix->bits);
        bias[row] = erx_quantize_i32(ldexp((double)matrix->bias[row], matrix->bits));
        erx_weight_error_add(bias_error, (double)matrix->bias[row],
                             ldexp(bias[row], -matrix->bits));
    }
    return erx_multipliers_fill(matrix->multipliers_name, factors, d, matrix->shift_min, 32,
                                tensor(maker, matrix->multipliers_name), shift_out, maker->error);
}

/* ---- embedding ---- */

/* What category value adds to residual row o: its embedding times frame_proj. */
static double table_value(const erx_float_model_t *model, uint32_t category, uint32_t value,
                          uint32_t o)
{
    uint32_t embed = erx_float_embed_of(category);
    uint32_t width = model->embed_widths[embed];
    const float *vector = model->embeds[embed] + (size_t)value * width;
    const float *weights =
        model->frame_proj + (size_t)o * model->input_width + model->embed_columns[category];
    double sum = 0.0;
    for (uint32_t i = 0; i < width; i++)
        sum += (double)vector[i] * (double)weights[i];
    return sum;
}

static double greatest_table_value(const erx_float_model_t *model)
{
    double greatest = 0.0;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        for (uint32_t value = 0; value < erx_category_counts[k]; value++)
            for (uint32_t o = 0; o < model->shape.d_model; o++)
                greatest = fmax(greatest, fabs(table_value(model, k, value, o)));
    return greatest;
}

static void make_tables(maker_t *maker)
{
    const erx_float_model_t *model = maker->model;
    uint32_t d = model->shape.d_model;
    int32_t bits = erx_fraction_bits(greatest_table_value(model), I16_MAX, 0, ERX_RESIDUAL_BITS);
    maker->T_sh = ERX_RESIDUAL_BITS - bits;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        char name[ERX_TENSOR_NAME_MAX];
        (void)snprintf(name, sizeof name, "T.%u", k);
        int16_t *table = tensor(maker, name);
        erx_weight_error_t *error =
            erx_quantizer_report_find(maker->report, model->embeds[erx_float_embed_of(k)]);
        for (uint32_t value = 0; value < erx_category_counts[k]; value++) {
            for (uint32_t o = 0; o < d; o++) {
                double real = table_value(model, k, value, o);
                int16_t *to = &table[(size_t)value * d + o];
                *to = erx_quantize_i16(ldexp(real, bits));
                erx_weight_error_add(error, real, ldexp(*to, -bits));
            }
        }
    }
}

static erx_status_t make_embedding(maker_t *maker)
{
    const erx_float_model_t *model = maker->model;
    const feature_matrix_t matrix = {"Wf",
                                     "Wf_m",
                                     "bf",
                                     model->frame_proj,
                                     model->frame_bias,
                                     model->input_width,
                                     ERX_FEATURES,
                                     feature_step,
                                     ERX_RESIDUAL_BITS,
                                     16};
    int32_t *fm = tensor(maker, "fm");
    for (uint32_t i = 0; i < ERX_CONTINUOUS; i++)
        fm[i] = erx_quantize_i32(256.0 * FEATURE_FULL / feature_limits[i]);
    make_tables(maker);
    return make_feature_matrix(maker, &matrix, &maker->Wf_s);
}

/* ---- heads ---- */

static erx_status_t make_hidden(maker_t *maker)
{
    const erx_float_model_t *model = maker->model;
    const erx_activation_range_t *range = &maker->calibration->hh;
    uint32_t d = model->shape.d_model;
    double gains[ERX_D_MODEL_MAX];
    maker->fh = erx_fraction_bits(HIDDEN_MARGIN * (double)maker->calibration->hidden_max, I16_MAX,
                                  0, HIDDEN_BITS_MAX);
    double unit = ldexp(sqrt(d), maker->fh - 15);
    for (uint32_t i = 0; i < d; i++)
        gains[i] = unit * (double)model->final_norm[i];
    int16_t *Gf = tensor(maker, "Gf");
    erx_status_t status = erx_gains_fill("Gf", gains, d, Gf, &maker->Gf_s, maker->error);
    if (status != ERX_OK)
        return status;
    erx_weight_error_t *error = erx_quantizer_report_find(maker->report, model->final_norm);
    for (uint32_t i = 0; i < d; i++) {
        erx_weight_error_add(error, (double)model->final_norm[i],
                             ldexp(Gf[i], -maker->Gf_s) / unit);
        gains[i] = ldexp((double)range->smooth[i] / range->scale, -maker->fh);
    }
    return erx_gains_fill("Gh", gains, d, tensor(maker, "Gh"), &maker->Gh_s, maker->error);
}

static erx_status_t make_control(maker_t *maker)
{
    const erx_float_model_t *model = maker->model;
    const feature_matrix_t matrix = {"Wctl",
                                     "Wctl_m",
                                     "bctl",
                                     model->control_proj,
                                     model->control_bias,
                                     ERX_CONTROLS,
                                     ERX_CONTROLS,
                                     control_feature_step,
                                     maker->fh,
                                     1};
    return make_feature_matrix(maker, &matrix, &maker->Wctl_s);
}

/* One regression row: Wr_m in [2^21, 2^22] with a shift of its own. */
static erx_status_t make_regression(maker_t *maker, uint32_t r, const float *weights,
                                    const float *bias, erx_weight_error_t *error)
{
    uint32_t d = maker->model->shape.d_model;
    int16_t *to = (int16_t *)tensor(maker, "Wr") + (size_t)r * d;
    double greatest = 0.0;
    for (uint32_t i = 0; i < d; i++)
        greatest = fmax(greatest, fabs((double)weights[i]));
    double step = greatest / I16_MAX;
    for (uint32_t i = 0; i < d; i++) {
        to[i] = erx_quantize_i16((double)weights[i] / step);
        erx_weight_error_add(error, (double)weights[i], to[i] * step);
    }
    double units = (double)maker->model->output_scale[r] * 65536.0;
    double factor = ldexp(step * units, -maker->fh);
    int32_t shift = REGRESS_MULTIPLIER - 1 - (int32_t)floor(log2(factor));
    if (shift < 1 || shift > REGRESS_SHIFT_MAX)
        return erx_error_set(maker->error, ERX_ERR_RANGE,
                             "Wr row %u: its factor %g needs a shift of %d, outside [1, %d]", r,
                             factor, shift, REGRESS_SHIFT_MAX);
    ((int32_t *)tensor(maker, "Wr_m"))[r] = erx_quantize_i32(ldexp(factor, shift));
    ((int32_t *)tensor(maker, "Wr_s"))[r] = shift;
    ((int32_t *)tensor(maker, "br"))[r] = erx_quantize_i32((double)*bias * units);
    return ERX_OK;
}

static erx_status_t make_regressions(maker_t *maker)
{
    const erx_float_model_t *model = maker->model;
    uint32_t d = model->shape.d_model, r = 0;
    int32_t *br = tensor(maker, "br");
    for (uint32_t head = 0; head < ERX_REGRESSION_HEADS; head++) {
        erx_weight_error_t *error = erx_quantizer_report_find(maker->report, model->heads[head]);
        erx_weight_error_t *bias_error =
            erx_quantizer_report_find(maker->report, model->head_biases[head]);
        for (uint32_t i = 0; i < erx_float_head_width(head); i++, r++) {
            const float *bias = &model->head_biases[head][i];
            erx_status_t status =
                make_regression(maker, r, model->heads[head] + (size_t)i * d, bias, error);
            if (status != ERX_OK)
                return status;
            erx_weight_error_add(bias_error, (double)*bias,
                                 br[r] / 65536.0 / (double)model->output_scale[r]);
        }
    }
    return ERX_OK;
}

static erx_status_t fill_logits(maker_t *maker, const erx_rounding_t *rounding)
{
    const erx_float_model_t *model = maker->model;
    const erx_activation_range_t *input = &maker->calibration->hh;
    uint32_t d = model->shape.d_model, row = 0;
    int8_t *weights = tensor(maker, "Wl");
    int32_t *bl = tensor(maker, "bl");
    double factors[ERX_LOGITS];
    for (uint32_t head = ERX_REGRESSION_HEADS; head < ERX_OUTPUT_HEADS; head++) {
        erx_weight_error_t *error = erx_quantizer_report_find(maker->report, model->heads[head]);
        erx_weight_error_t *bias_error =
            erx_quantizer_report_find(maker->report, model->head_biases[head]);
        for (uint32_t i = 0; i < erx_float_head_width(head); i++, row++) {
            const float *from = model->heads[head] + (size_t)i * d;
            int8_t *to = weights + (size_t)row * d;
            double bias = (double)model->head_biases[head][i];
            double scale = erx_rounding_row(rounding, from, to);
            erx_rounding_report(rounding, from, to, scale, error);
            factors[row] = scale * input->scale * 65536.0;
            bl[row] = erx_quantize_i32(bias * 65536.0);
            erx_weight_error_add(bias_error, bias, bl[row] / 65536.0);
        }
    }
    return erx_multipliers_fill("Wl_m", factors, ERX_LOGITS, 16, 30, tensor(maker, "Wl_m"),
                                &maker->Wl_s, maker->error);
}

static erx_status_t make_logits(maker_t *maker)
{
    erx_rounding_t rounding;
    erx_status_t status = erx_rounding_open(&rounding, &maker->calibration->hh,
                                            maker->calibration->sample_count, maker->error);
    if (status == ERX_OK)
        status = fill_logits(maker, &rounding);
    erx_rounding_close(&rounding);
    return status;
}

static erx_status_t make_globals(maker_t *maker)
{
    const erx_shape_t *shape = &maker->model->shape;
    erx_status_t status = make_embedding(maker);
    if (status == ERX_OK)
        status = make_hidden(maker);
    if (status == ERX_OK)
        status = make_control(maker);
    if (status == ERX_OK)
        status = make_regressions(maker);
    if (status == ERX_OK)
        status = make_logits(maker);
    int64_t *eps1 = tensor(maker, "eps1");
    *eps1 = llrint(ldexp((double)ERX_FLOAT_EPSILON * shape->d_model, 2 * ERX_RESIDUAL_BITS));
    int32_t c_max = INT32_MAX / (int32_t)(shape->d_state * 32768);
    const int32_t scalars[] = {ERX_RESIDUAL_BITS, maker->T_sh, maker->Wf_s,
                               maker->fh,         maker->Gf_s, maker->Wctl_s,
                               maker->Gh_s,       maker->Wl_s, ERX_MIN(c_max, INT16_MAX)};
    int32_t *sc = tensor(maker, "sc");
    for (uint32_t i = 0; i < ERX_COUNT(scalars); i++)
        sc[i] = scalars[i];
    return status;
}

/* ---- all pieces: the globals, then each layer ---- */

typedef struct {
    maker_t globals;
    erx_status_t status[ERX_LAYERS_MAX + 1];
    erx_error_t errors[ERX_LAYERS_MAX + 1];
} work_t;

static void make_piece(void *context, uint32_t piece)
{
    work_t *work = context;
    const maker_t *globals = &work->globals;
    maker_t maker = *globals;
    maker.error = &work->errors[piece];
    work->status[piece] =
        piece == 0 ? make_globals(&maker)
                   : erx_quantizer_layer(globals->model, globals->calibration, piece - 1,
                                         globals->report, globals->draft, &work->errors[piece]);
}

erx_status_t erx_quantizer_run(const erx_float_model_t *model, const erx_calibration_t *calibration,
                               uint32_t threads, erx_quantizer_report_t *report,
                               erx_model_draft_t *draft, erx_error_t *error)
{
    work_t *work = calloc(1, sizeof *work);
    if (work == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to quantize");
    work->globals =
        (maker_t){.model = model, .calibration = calibration, .report = report, .draft = draft};
    erx_progress_t progress;
    uint32_t pieces = model->shape.layer_count + 1;
    erx_progress_start(&progress, "quantizing", pieces);
    erx_parallel_run(make_piece, work, pieces, threads, &progress);
    erx_progress_finish(&progress);
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < pieces && status == ERX_OK; i++) {
        status = work->status[i];
        if (status != ERX_OK)
            *error = work->errors[i];
    }
    free(work);
    return status == ERX_OK ? erx_model_draft_seal(draft, error) : status;
}
