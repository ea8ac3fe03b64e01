#include "tools/mlp_quantizer.h"

#include "tools/mlp_float.h"
#include "tools/progress.h"
#include "tools/quantizer_number.h"
#include "tools/stack_quantizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_MARGIN 1.5                          /* of an activation's range, over what was seen */
#define PLAYER      (ERX_FEATURES / ERX_PLAYERS) /* float columns of a player */

/* What a matrix' integer columns stand for: a float column each. */
typedef struct {
    erx_stack_input_t input;
    uint32_t *places; /* [input.width] float column */
} columns_t;

typedef struct {
    const erx_float_model_t *model;
    const erx_sequences_t *sequences;
    const erx_quantizer_report_t *report;
    erx_model_draft_t *draft;
    erx_mlp_moment_t *moments;
    uint32_t moment_count;
    double *input_power; /* of all float columns */
    double limits[ERX_CONTINUOUS];
    columns_t wide, dense, hidden, trunk;
    float hidden_peak, trunk_peak; /* greatest unit */
    double hidden_scale, trunk_scale;
    erx_error_t *error;
} work_t;

static void *tensor(const work_t *work, const char *name)
{
    return erx_model_draft_global(work->draft, name);
}

static uint32_t input_columns(const erx_float_model_t *model)
{
    return model->shape.stack.context * model->input_width + ERX_CONTROLS;
}

/* ---- memory ---- */

static bool open_columns(columns_t *columns, uint32_t width)
{
    columns->places = calloc(width, sizeof *columns->places);
    return erx_stack_input_open(&columns->input, width) && columns->places != NULL;
}

static void close_columns(columns_t *columns)
{
    erx_stack_input_close(&columns->input);
    free(columns->places);
}

/* Moments evenly spread over the training games. */
static erx_status_t list_moments(work_t *work)
{
    uint32_t all = 0, count = 0;
    const erx_sequences_t *sequences = work->sequences;
    for (uint32_t g = 0; g < sequences->game_count; g++)
        all += sequences->games[g].is_test ? 0 : sequences->games[g].frame_count - 1;
    if (all == 0)
        return erx_error_set(work->error, ERX_ERR_RANGE,
                             "the calibration set has no training game (is_test 0) of 2 frames or "
                             "more");
    uint32_t stride = ERX_CEIL_DIV(all, ERX_MLP_MOMENTS);
    work->moments = calloc(ERX_CEIL_DIV(all, stride), sizeof *work->moments);
    if (work->moments == NULL)
        return erx_error_set(work->error, ERX_ERR_MEMORY, "no memory for calibration");
    for (uint32_t g = 0; g < sequences->game_count; g++) {
        const erx_sequence_t *game = &sequences->games[g];
        for (uint32_t frame = 0; !game->is_test && frame + 1 < game->frame_count; frame++)
            if (count++ % stride == 0)
                work->moments[work->moment_count++] = (erx_mlp_moment_t){game, frame};
    }
    return ERX_OK;
}

static erx_status_t open_work(work_t *work)
{
    const erx_policy_shape_t *shape = &work->model->shape.stack;
    erx_status_t status = list_moments(work);
    if (status != ERX_OK)
        return status;
    work->input_power = calloc(input_columns(work->model), sizeof *work->input_power);
    bool opened = open_columns(&work->wide, shape->context * ERX_POLICY_WIDE);
    opened = open_columns(&work->dense, erx_policy_dense_input(shape)) && opened;
    opened = open_columns(&work->hidden, shape->hidden) && opened;
    opened = open_columns(&work->trunk, shape->trunk) && opened;
    if (!opened || work->input_power == NULL)
        return erx_error_set(work->error, ERX_ERR_MEMORY, "no memory for calibration");
    return ERX_OK;
}

static void close_work(work_t *work)
{
    close_columns(&work->wide);
    close_columns(&work->dense);
    close_columns(&work->hidden);
    close_columns(&work->trunk);
    free(work->input_power);
    free(work->moments);
}

/* ---- ranges ---- */

static void see_limits(work_t *work, const erx_mlp_moment_t *moment)
{
    erx_float_world_t world;
    erx_sequences_world(work->sequences, moment->game, moment->frame, &world);
    erx_stack_see(&world, work->limits);
}

static void see_values(const float *values, uint32_t rows, uint32_t count, uint32_t total,
                       double *power, float *peak)
{
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t m = 0; m < count; m++) {
            float value = values[(size_t)row * ERX_MLP_GROUP + m];
            power[row] += (double)value * (double)value / total;
            *peak = fmaxf(*peak, value);
        }
}

static erx_status_t watch(work_t *work)
{
    const erx_policy_shape_t *shape = &work->model->shape.stack;
    const uint32_t total = work->moment_count;
    float input_peak = 0.0f;
    erx_mlp_pass_t pass;
    erx_progress_t progress;
    erx_status_t status = erx_mlp_pass_open(&pass, work->model, work->error);
    erx_progress_start(&progress, "calibrating", total);
    for (uint32_t first = 0; first < total && status == ERX_OK; first += ERX_MLP_GROUP) {
        uint32_t count = ERX_MIN(total - first, ERX_MLP_GROUP);
        for (uint32_t m = 0; m < count; m++)
            see_limits(work, &work->moments[first + m]);
        erx_mlp_float_run(work->model, work->sequences, work->moments + first, count, &pass);
        see_values(pass.input, input_columns(work->model), count, total, work->input_power,
                   &input_peak);
        see_values(pass.hidden, shape->hidden, count, total, work->hidden.input.power,
                   &work->hidden_peak);
        see_values(pass.trunk, shape->trunk, count, total, work->trunk.input.power,
                   &work->trunk_peak);
        erx_progress_update(&progress, first);
    }
    erx_progress_finish(&progress);
    erx_mlp_pass_close(&pass);
    return status;
}

/* ---- columns ---- */

/* Embeddings, 8 bits, one scale a table. */
static double make_embed(work_t *work, uint32_t embed)
{
    const float *values = work->model->embeds[embed];
    erx_weight_error_t *error = erx_quantizer_report_find(work->report, values);
    size_t count = (size_t)erx_policy_embed_rows(embed) * work->model->embed_widths[embed];
    char name[sizeof "E.4294967295"];
    (void)snprintf(name, sizeof name, "E.%u", embed);
    return erx_stack_embed(values, count, tensor(work, name), error);
}

/* Where the columns of one input are being listed. */
typedef struct {
    columns_t *columns;
    const double *power; /* of float columns */
    uint32_t count;
} list_t;

static void list(list_t *to, uint32_t place, double step)
{
    to->columns->places[to->count] = place;
    to->columns->input.steps[to->count] = step;
    to->columns->input.power[to->count] = to->power[place] / (step * step);
    to->count++;
}

/* The 13 controller columns of one player. */
static void list_control(list_t *to, uint32_t place)
{
    for (uint32_t i = 0; i < ERX_CONTROLS / ERX_PLAYERS; i++)
        list(to, place + i, erx_stack_control_step(i));
}

static void list_frame(work_t *work, list_t *wide, list_t *dense, uint32_t place,
                       const double *embed_steps)
{
    const erx_float_model_t *model = work->model;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            list(wide, place + p * PLAYER + j,
                 work->limits[j] * (double)model->input_scale[j] / ERX_STACK_WIDE);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        uint32_t flags = place + p * PLAYER + ERX_CONTINUOUS;
        for (uint32_t i = 0; i < ERX_BINARIES; i++)
            list(dense, flags + i, 1.0 / ERX_STACK_FULL);
        list_control(dense, flags + ERX_BINARIES);
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        for (uint32_t i = 0; i < model->embed_widths[erx_float_embed_of(k)]; i++)
            list(dense, place + model->embed_columns[k] + i, embed_steps[erx_float_embed_of(k)]);
}

static void list_columns(work_t *work)
{
    const erx_float_model_t *model = work->model;
    list_t wide = {&work->wide, work->input_power, 0}, dense = {&work->dense, work->input_power, 0};
    double embed_steps[ERX_EMBEDS];
    uint32_t place = 0;
    for (uint32_t i = 0; i < ERX_EMBEDS; i++)
        embed_steps[i] = make_embed(work, i);
    for (uint32_t k = 0; k < model->shape.stack.context; k++, place += model->input_width)
        list_frame(work, &wide, &dense, place, embed_steps);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++, place += ERX_CONTROLS / ERX_PLAYERS)
        list_control(&dense, place);
}

/* The step of an activation at block exponent 0, so that what was seen fits at
 * the greatest one with a margin: the bounds of MLP.md 3 grow with the step,
 * and smaller exponents serve smaller moments as well. Its columns are units. */
static double list_units(float peak, columns_t *columns)
{
    double full = UNIT_MARGIN * (double)peak;
    double scale = full > 0.0 ? ldexp(full / ERX_STACK_FULL, -ERX_EXPONENT_MAX) : 1.0;
    erx_stack_input_set(&columns->input, scale);
    for (uint32_t i = 0; i < columns->input.width; i++) {
        columns->places[i] = i;
        columns->input.power[i] /= scale * scale;
    }
    return scale;
}

/* ---- rows ---- */

/* Quantizes the columns in a row of the checkpoint. Returns the row's scale; 0
 * for a row of zeros. */
static double make_row(const columns_t *columns, const float *row, int8_t *to,
                       erx_weight_error_t *error)
{
    const erx_stack_input_t *input = &columns->input;
    double stepped[ERX_POLICY_WIDTH_MAX];
    for (uint32_t i = 0; i < input->width; i++)
        stepped[i] = (double)row[columns->places[i]] * input->steps[i];
    double scale = erx_stack_row(stepped, input, to);
    for (uint32_t i = 0; i < input->width && scale > 0.0; i++)
        erx_weight_error_add(error, (double)row[columns->places[i]],
                             to[i] * scale / input->steps[i]);
    return scale;
}

/* A matrix of the checkpoint, or the part of it whose columns are inputs. */
typedef struct {
    const float *weights; /* [rows][columns] */
    uint32_t rows, columns;
    const columns_t *inputs;
    double unit; /* real value of one unit of the result; of regressions divided by their scale */
} matrix_t;

static void make_matrix(work_t *work, const matrix_t *matrix, const float *row_scales, int8_t *to,
                        double *factors)
{
    erx_weight_error_t *error = erx_quantizer_report_find(work->report, matrix->weights);
    for (uint32_t row = 0; row < matrix->rows; row++) {
        const float *from = matrix->weights + (size_t)row * matrix->columns;
        double scale = row_scales == NULL ? 1.0 : (double)row_scales[row];
        factors[row] =
            make_row(matrix->inputs, from, to + (size_t)row * matrix->inputs->input.width, error) *
            scale / matrix->unit;
    }
}

static erx_status_t make_layer(work_t *work, const char *name, const matrix_t *matrix,
                               int32_t *shift_out)
{
    char multipliers[ERX_TENSOR_NAME_MAX];
    double factors[ERX_POLICY_WIDTH_MAX];
    (void)snprintf(multipliers, sizeof multipliers, "%s_m", name);
    make_matrix(work, matrix, NULL, tensor(work, name), factors);
    return erx_multipliers_fill(multipliers, factors, matrix->rows, ERX_STACK_SHIFT_MIN,
                                ERX_STACK_SHIFT_MAX, tensor(work, multipliers), shift_out,
                                work->error);
}

static erx_status_t make_heads(work_t *work, int32_t *shift_out)
{
    const erx_float_model_t *model = work->model;
    int8_t *weights = tensor(work, "Wo");
    int32_t *bias = tensor(work, "bo");
    double factors[ERX_FLOAT_OUTPUTS];
    uint32_t row = 0;
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        uint32_t width = erx_float_head_width(head);
        bool regresses = head < ERX_REGRESSION_HEADS;
        const matrix_t matrix = {model->heads[head], width, work->trunk.input.width, &work->trunk,
                                 1.0 / ERX_STACK_Q16};
        make_matrix(work, &matrix, regresses ? model->output_scale + row : NULL,
                    weights + (size_t)row * work->trunk.input.width, factors + row);
        erx_weight_error_t *error =
            erx_quantizer_report_find(work->report, model->head_biases[head]);
        for (uint32_t i = 0; i < width; i++, row++) {
            double unit = ERX_STACK_Q16 * (regresses ? (double)model->output_scale[row] : 1.0);
            bias[row] = erx_quantize_i32((double)model->head_biases[head][i] * unit);
            erx_weight_error_add(error, (double)model->head_biases[head][i], bias[row] / unit);
        }
    }
    return erx_multipliers_fill("Wo_m", factors, ERX_FLOAT_OUTPUTS, ERX_STACK_SHIFT_MIN,
                                ERX_STACK_SHIFT_MAX, tensor(work, "Wo_m"), shift_out, work->error);
}

/* What the middle of every stick gives to a unit of the first layer. */
static double stick_offset(const work_t *work, const float *row)
{
    const erx_float_model_t *model = work->model;
    double sum = 0.0;
    uint32_t place = 0;
    for (uint32_t k = 0; k < model->shape.stack.context; k++, place += model->input_width)
        for (uint32_t p = 0; p < ERX_PLAYERS; p++)
            for (uint32_t s = 0; s < ERX_STACK_STICKS; s++)
                sum += (double)row[place + p * PLAYER + ERX_CONTINUOUS + ERX_BINARIES + s];
    for (uint32_t p = 0; p < ERX_PLAYERS; p++, place += ERX_CONTROLS / ERX_PLAYERS)
        for (uint32_t s = 0; s < ERX_STACK_STICKS; s++)
            sum += (double)row[place + s];
    return ERX_STACK_STICK_CENTRE * sum;
}

static void make_biases(work_t *work)
{
    const erx_float_model_t *model = work->model;
    const erx_policy_shape_t *shape = &model->shape.stack;
    erx_weight_error_t *first_error = erx_quantizer_report_find(work->report, model->hidden_bias);
    erx_weight_error_t *trunk_error = erx_quantizer_report_find(work->report, model->trunk_bias);
    const double first_unit = work->hidden_scale / ERX_STACK_UNIT,
                 trunk_unit = work->trunk_scale / ERX_STACK_UNIT;
    int32_t *b1 = tensor(work, "b1"), *bt = tensor(work, "bt");
    for (uint32_t o = 0; o < shape->hidden; o++) {
        double offset = stick_offset(work, model->hidden + (size_t)o * input_columns(model));
        double bias = (double)model->hidden_bias[o];
        b1[o] = erx_quantize_i32((bias + offset) / first_unit);
        erx_weight_error_add(first_error, bias, b1[o] * first_unit - offset);
    }
    for (uint32_t o = 0; o < shape->trunk; o++) {
        double bias = (double)model->trunk_bias[o];
        bt[o] = erx_quantize_i32(bias / trunk_unit);
        erx_weight_error_add(trunk_error, bias, bt[o] * trunk_unit);
    }
}

static erx_status_t make_all(work_t *work)
{
    const erx_float_model_t *model = work->model;
    const uint32_t H = model->shape.stack.hidden, T = model->shape.stack.trunk;
    erx_stack_set_limits(work->limits, tensor(work, "fm"));
    list_columns(work);
    work->hidden_scale = list_units(work->hidden_peak, &work->hidden);
    work->trunk_scale = list_units(work->trunk_peak, &work->trunk);
    const double hidden_unit = work->hidden_scale / ERX_STACK_UNIT,
                 trunk_unit = work->trunk_scale / ERX_STACK_UNIT;
    const matrix_t wide = {model->hidden, H, input_columns(model), &work->wide, hidden_unit};
    const matrix_t dense = {model->hidden, H, input_columns(model), &work->dense, hidden_unit};
    const matrix_t trunk = {model->trunk, T, H, &work->hidden, trunk_unit};
    int32_t *shifts = tensor(work, "sc");
    erx_status_t status = make_layer(work, "Wc", &wide, &shifts[0]);
    if (status == ERX_OK)
        status = make_layer(work, "Wd", &dense, &shifts[1]);
    if (status == ERX_OK)
        status = make_layer(work, "Wt", &trunk, &shifts[2]);
    if (status == ERX_OK)
        status = make_heads(work, &shifts[3]);
    if (status == ERX_OK)
        make_biases(work);
    return status;
}

erx_status_t erx_mlp_quantize(const erx_float_model_t *model, const erx_sequences_t *sequences,
                              const erx_quantizer_report_t *report, erx_model_draft_t *draft,
                              erx_error_t *error)
{
    work_t work = {
        .model = model, .sequences = sequences, .report = report, .draft = draft, .error = error};
    erx_status_t status = open_work(&work);
    if (status == ERX_OK)
        status = watch(&work);
    if (status == ERX_OK)
        status = make_all(&work);
    close_work(&work);
    return status == ERX_OK ? erx_model_draft_seal(draft, error) : status;
}
