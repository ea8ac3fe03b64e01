#include "tools/policy_quantizer.h"

#include "mem/alloc.h"
#include "mem/assert.h"
#include "tools/policy_integer.h"
#include "tools/quantizer_number.h"
#include "tools/stack_quantizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENTS     8192u /* that ranges are taken from, spread over all games */
#define SCALE_RANK  0.75  /* quantile of a moment's greatest unit that is one full activation */
#define STICK_BEGIN ERX_BINARIES

typedef struct {
    const erx_policy_float_t *policy;
    const erx_sequences_t *sequences;
    erx_policy_sample_t *samples;
    uint32_t sample_count;
    erx_policy_file_t *draft;
    double limits[ERX_CONTINUOUS]; /* game units at WIDE_MAX */
    erx_stack_input_t wide, dense, hidden, trunk;
    float *hidden_peaks, *trunk_peaks; /* [sample_count] greatest unit of each moment */
    double hidden_scale, trunk_scale;
    erx_error_t *error;
} work_t;

/* ---- memory ---- */

static erx_status_t open_work(work_t *work)
{
    const erx_policy_shape_t *shape = &work->policy->shape;
    uint32_t all = 0;
    for (uint32_t g = 0; g < work->sequences->game_count; g++)
        if (!work->sequences->games[g].is_test)
            all += ERX_PLAYERS * work->sequences->games[g].frame_count;
    erx_status_t status =
        erx_policy_samples_list(work->sequences, false, ERX_MAX(all / MOMENTS, 1u), &work->samples,
                                &work->sample_count, work->error);
    if (status != ERX_OK)
        return status;
    bool opened = erx_stack_input_open(&work->wide, shape->context * ERX_POLICY_WIDE);
    opened = erx_stack_input_open(&work->dense, erx_policy_dense_input(shape)) && opened;
    opened = erx_stack_input_open(&work->hidden, shape->hidden) && opened;
    opened = erx_stack_input_open(&work->trunk, shape->trunk) && opened;
    work->hidden_peaks = calloc(work->sample_count, sizeof *work->hidden_peaks);
    work->trunk_peaks = calloc(work->sample_count, sizeof *work->trunk_peaks);
    if (!opened || work->hidden_peaks == NULL || work->trunk_peaks == NULL)
        return erx_error_set(work->error, ERX_ERR_MEMORY, "no memory for the policy's ranges");
    return ERX_OK;
}

static void close_work(work_t *work)
{
    erx_stack_input_close(&work->wide);
    erx_stack_input_close(&work->dense);
    erx_stack_input_close(&work->hidden);
    erx_stack_input_close(&work->trunk);
    free(work->hidden_peaks);
    free(work->trunk_peaks);
    free(work->samples);
}

/* Values of a tensor of the draft, to be written. */
static void *tensor(const work_t *work, const char *name)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(&work->policy->shape, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++)
        if (strcmp(entries[i].name, name) == 0)
            return work->draft->weights + entries[i].offset;
    ERX_ASSERT(false);
    return NULL;
}

/* ---- ranges ---- */

/* How far continuous values go, and so what a step of them is worth. */
static void find_limits(work_t *work)
{
    for (uint32_t i = 0; i < work->sample_count; i++) {
        erx_float_world_t world;
        erx_policy_sample_world(work->sequences, &work->samples[i], 1, 0, &world);
        erx_stack_see(&world, work->limits);
    }
    erx_stack_set_limits(work->limits, tensor(work, "fm"));
}

/* Embeddings, 8 bits, one scale a table. */
static void quantize_embeds(work_t *work, double *steps)
{
    const erx_policy_float_t *policy = work->policy;
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++) {
        char name[sizeof "E.4294967295"];
        size_t count = (size_t)erx_policy_embed_rows(i) * policy->shape.embed_widths[i];
        (void)snprintf(name, sizeof name, "E.%u", i);
        steps[i] = erx_stack_embed(policy->embeds[i], count, tensor(work, name), NULL);
    }
}

/* Real value of a step of each column of the first layer. */
static void set_column_scales(work_t *work, const double *embed_steps)
{
    const erx_policy_float_t *policy = work->policy;
    double *wide = work->wide.steps, *dense = work->dense.steps;
    for (uint32_t k = 0; k < policy->shape.context; k++) {
        for (uint32_t i = 0; i < ERX_POLICY_WIDE; i++) {
            uint32_t j = i % ERX_CONTINUOUS;
            *wide++ = work->limits[j] * (double)policy->input_scale[j] / ERX_STACK_WIDE;
        }
        for (uint32_t i = 0; i < ERX_PLAYERS * ERX_POLICY_FLAGS; i++) {
            uint32_t flag = i % ERX_POLICY_FLAGS;
            *dense++ = flag < STICK_BEGIN ? 1.0 / ERX_STACK_FULL
                                          : erx_stack_control_step(flag - STICK_BEGIN);
        }
        for (uint32_t c = 0; c < ERX_CATEGORICALS; c++)
            for (uint32_t i = 0; i < policy->shape.embed_widths[erx_policy_embed_of(c)]; i++)
                *dense++ = embed_steps[erx_policy_embed_of(c)];
    }
}

/* Mean squares of the first layer's columns, as the integers will be. */
static void add_frames(work_t *work, const erx_policy_integer_t *integer, uint32_t count)
{
    const erx_policy_shape_t *shape = &work->policy->shape;
    uint32_t columns = erx_policy_dense_columns(shape);
    const int8_t *frame = integer->frames;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < shape->context; k++, frame += integer->frame_bytes) {
            const int8_t *low = frame + ERX_POLICY_WIDE, *dense = low + ERX_POLICY_WIDE;
            for (uint32_t c = 0; c < ERX_POLICY_WIDE; c++) {
                double value = frame[c] * 128.0 + low[c];
                work->wide.power[k * ERX_POLICY_WIDE + c] += value * value / work->sample_count;
            }
            for (uint32_t c = 0; c < columns; c++)
                work->dense.power[k * columns + c] +=
                    (double)dense[c] * dense[c] / work->sample_count;
        }
}

static void add_units(const float *units, uint32_t count, uint32_t samples,
                      erx_stack_input_t *inputs, float *peaks)
{
    for (uint32_t o = 0; o < count; o++)
        for (uint32_t s = 0; s < samples; s++) {
            float value = units[(size_t)o * ERX_POLICY_GROUP + s];
            inputs->power[o] += (double)value * (double)value;
            peaks[s] = fmaxf(peaks[s], value);
        }
}

static erx_status_t watch(work_t *work)
{
    erx_policy_integer_t integer;
    erx_policy_pass_t pass;
    erx_policy_tensors_t tensors;
    erx_policy_bind(&work->policy->shape, work->draft->weights, &tensors);
    erx_status_t status = erx_policy_integer_open(&integer, &tensors, work->error);
    if (status != ERX_OK)
        return status;
    status = erx_policy_pass_open(&pass, work->policy, work->error);
    for (uint32_t first = 0; status == ERX_OK && first < work->sample_count;
         first += ERX_POLICY_GROUP) {
        uint32_t count = ERX_MIN(work->sample_count - first, ERX_POLICY_GROUP);
        erx_policy_integer_load(&integer, work->sequences, work->samples + first, count);
        add_frames(work, &integer, count);
        erx_policy_pass_load(work->policy, work->sequences, work->samples + first, count, &pass);
        erx_policy_float_run(work->policy, &pass);
        add_units(pass.hidden, work->policy->shape.hidden, count, &work->hidden,
                  work->hidden_peaks + first);
        add_units(pass.trunk, work->policy->shape.trunk, count, &work->trunk,
                  work->trunk_peaks + first);
    }
    erx_policy_pass_close(&pass);
    erx_policy_integer_close(&integer);
    return status;
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* The step of an activation at block exponent 0; peaks are sorted. */
static double activation_scale(float *peaks, uint32_t count, erx_stack_input_t *inputs)
{
    qsort(peaks, count, sizeof *peaks, compare_floats);
    double peak = (double)peaks[(uint32_t)(SCALE_RANK * (count - 1))];
    double scale = peak > 0.0 ? peak / ERX_STACK_FULL : 1.0;
    erx_stack_input_set(inputs, scale);
    return scale;
}

/* ---- rows ---- */

/* The names of one matrix' tensors, and what its rows come from and give. */
typedef struct {
    const char *weights, *multipliers;
    const erx_stack_input_t *inputs;
    uint32_t rows;
    double unit; /* real value of one unit of the result */
} target_t;

/* Real weights of row o of the matrix, a step of each column. */
typedef void (*row_fn)(const work_t *work, uint32_t o, double *row);

static erx_status_t quantize_matrix(work_t *work, const target_t *target, row_fn read,
                                    int32_t *shift_out)
{
    int8_t *weights = tensor(work, target->weights);
    int32_t *multipliers = tensor(work, target->multipliers);
    uint32_t width = target->inputs->width;
    double *row = calloc(width, sizeof *row);
    double *factors = calloc(target->rows, sizeof *factors);
    erx_status_t status = ERX_OK;
    if (row == NULL || factors == NULL)
        status = erx_error_set(work->error, ERX_ERR_MEMORY, "no memory for %s", target->weights);
    for (uint32_t o = 0; o < target->rows && status == ERX_OK; o++) {
        read(work, o, row);
        factors[o] = erx_stack_row(row, target->inputs, weights + (size_t)o * width) / target->unit;
    }
    if (status == ERX_OK)
        status = erx_multipliers_fill(target->weights, factors, target->rows, ERX_STACK_SHIFT_MIN,
                                      ERX_STACK_SHIFT_MAX, multipliers, shift_out, work->error);
    free(row);
    free(factors);
    return status;
}

static const float *first_row(const work_t *work, uint32_t o, uint32_t frame)
{
    const erx_policy_float_t *policy = work->policy;
    return policy->layers[ERX_POLICY_HIDDEN].weights + (size_t)o * policy->input_width +
           (size_t)frame * policy->frame_width;
}

static void read_wide_row(const work_t *work, uint32_t o, double *row)
{
    for (uint32_t i = 0; i < work->wide.width; i++) {
        uint32_t column = i % ERX_POLICY_WIDE;
        uint32_t place =
            column / ERX_CONTINUOUS * (ERX_FEATURES / ERX_PLAYERS) + column % ERX_CONTINUOUS;
        row[i] = (double)first_row(work, o, i / ERX_POLICY_WIDE)[place] * work->wide.steps[i];
    }
}

static void read_dense_row(const work_t *work, uint32_t o, double *row)
{
    const uint32_t flags = ERX_PLAYERS * ERX_POLICY_FLAGS;
    uint32_t columns = erx_policy_dense_columns(&work->policy->shape);
    for (uint32_t i = 0; i < work->dense.width; i++) {
        uint32_t column = i % columns, place = ERX_FEATURES + column - flags;
        if (column < flags)
            place = column / ERX_POLICY_FLAGS * (ERX_FEATURES / ERX_PLAYERS) + ERX_CONTINUOUS +
                    column % ERX_POLICY_FLAGS;
        row[i] = (double)first_row(work, o, i / columns)[place] * work->dense.steps[i];
    }
}

static void read_trunk_row(const work_t *work, uint32_t o, double *row)
{
    const erx_policy_layer_t *layer = &work->policy->layers[ERX_POLICY_TRUNK];
    for (uint32_t i = 0; i < layer->columns; i++)
        row[i] = (double)layer->weights[(size_t)o * layer->columns + i] * work->hidden.steps[i];
}

static void read_head_row(const work_t *work, uint32_t o, double *row)
{
    bool analog = o < ERX_POLICY_ANALOGS;
    const erx_policy_layer_t *layer =
        &work->policy->layers[analog ? ERX_POLICY_ANALOG : ERX_POLICY_BUTTON];
    uint32_t from = analog ? o : o - ERX_POLICY_ANALOGS;
    for (uint32_t i = 0; i < layer->columns; i++)
        row[i] = (double)layer->weights[(size_t)from * layer->columns + i] * work->trunk.steps[i];
}

/* ---- biases ---- */

/* The first layer's bias takes what the middle of each stick gives. */
static double first_bias(const work_t *work, uint32_t o)
{
    double bias = (double)work->policy->layers[ERX_POLICY_HIDDEN].bias[o];
    for (uint32_t k = 0; k < work->policy->shape.context; k++)
        for (uint32_t p = 0; p < ERX_PLAYERS; p++)
            for (uint32_t s = 0; s < ERX_STACK_STICKS; s++)
                bias += ERX_STACK_STICK_CENTRE *
                        (double)first_row(
                            work, o,
                            k)[p * ERX_FEATURES / ERX_PLAYERS + ERX_CONTINUOUS + STICK_BEGIN + s];
    return bias;
}

static void quantize_biases(work_t *work)
{
    const erx_policy_shape_t *shape = &work->policy->shape;
    const erx_policy_layer_t *layers = work->policy->layers;
    int32_t *first = tensor(work, "b1"), *trunk = tensor(work, "bt"), *heads = tensor(work, "bo");
    for (uint32_t o = 0; o < shape->hidden; o++)
        first[o] = erx_quantize_i32(first_bias(work, o) * ERX_STACK_UNIT / work->hidden_scale);
    for (uint32_t o = 0; o < shape->trunk; o++)
        trunk[o] = erx_quantize_i32((double)layers[ERX_POLICY_TRUNK].bias[o] * ERX_STACK_UNIT /
                                    work->trunk_scale);
    for (uint32_t o = 0; o < ERX_POLICY_OUTPUTS; o++)
        heads[o] = erx_quantize_i32(
            ERX_STACK_Q16 * (double)(o < ERX_POLICY_ANALOGS
                                         ? layers[ERX_POLICY_ANALOG].bias[o]
                                         : layers[ERX_POLICY_BUTTON].bias[o - ERX_POLICY_ANALOGS]));
}

/* ---- all ---- */

static erx_status_t quantize_layers(work_t *work)
{
    const erx_policy_shape_t *shape = &work->policy->shape;
    double hidden_unit = work->hidden_scale / ERX_STACK_UNIT,
           trunk_unit = work->trunk_scale / ERX_STACK_UNIT;
    const struct {
        target_t target;
        row_fn read;
    } matrices[] = {
        {{"Wc", "Wc_m", &work->wide, shape->hidden, hidden_unit}, read_wide_row},
        {{"Wd", "Wd_m", &work->dense, shape->hidden, hidden_unit}, read_dense_row},
        {{"Wt", "Wt_m", &work->hidden, shape->trunk, trunk_unit}, read_trunk_row},
        {{"Wo", "Wo_m", &work->trunk, ERX_POLICY_OUTPUTS, 1.0 / ERX_STACK_Q16}, read_head_row},
    };
    int32_t *shifts = tensor(work, "sc");
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < ERX_COUNT(matrices) && status == ERX_OK; i++)
        status = quantize_matrix(work, &matrices[i].target, matrices[i].read, &shifts[i]);
    if (status == ERX_OK)
        quantize_biases(work);
    return status;
}

static erx_status_t open_draft(const erx_policy_float_t *policy, const char *name,
                               erx_policy_file_t *draft, erx_error_t *error)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    *draft = (erx_policy_file_t){.manifest.shape = policy->shape};
    (void)snprintf(draft->manifest.name, sizeof draft->manifest.name, "%s", name);
    erx_policy_plan(&policy->shape, entries, &draft->manifest.weight_bytes);
    draft->weights = erx_alloc(draft->manifest.weight_bytes, 1);
    if (draft->weights == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the policy's weights");
    return ERX_OK;
}

static erx_status_t seal(erx_policy_file_t *draft, erx_error_t *error)
{
    const erx_sha256_part_t part = {draft->weights, draft->manifest.weight_bytes};
    erx_policy_bind(&draft->manifest.shape, draft->weights, &draft->tensors);
    erx_status_t status = erx_sha256(&part, 1, draft->manifest.weight_sha256, error);
    return status == ERX_OK ? erx_policy_tensors_check(&draft->tensors, error) : status;
}

erx_status_t erx_policy_quantize(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                                 const char *name, erx_policy_file_t *draft_out, erx_error_t *error)
{
    double embed_steps[ERX_POLICY_EMBEDS];
    work_t work = {.policy = policy, .sequences = sequences, .draft = draft_out, .error = error};
    erx_status_t status = open_draft(policy, name, draft_out, error);
    if (status == ERX_OK)
        status = open_work(&work);
    if (status == ERX_OK) {
        find_limits(&work);
        quantize_embeds(&work, embed_steps);
        set_column_scales(&work, embed_steps);
        status = watch(&work);
    }
    if (status == ERX_OK) {
        work.hidden_scale = activation_scale(work.hidden_peaks, work.sample_count, &work.hidden);
        work.trunk_scale = activation_scale(work.trunk_peaks, work.sample_count, &work.trunk);
        status = quantize_layers(&work);
    }
    if (status == ERX_OK)
        status = seal(draft_out, error);
    close_work(&work);
    if (status != ERX_OK)
        erx_policy_file_close(draft_out);
    return status;
}
