#include "tools/calibration.h"

#include "mem/layout.h"
#include "tools/calibration_fit.h"
#include "tools/parallel.h"
#include "tools/sensitivity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames whose activations are kept: enough to tell directions of 1,024
 * channels apart, and a third of a gigabyte at the largest published shape. */
#define SAMPLES_MAX 3600u

/* Frames [first, first + count) of a game, the controllers after them known. */
typedef struct {
    const erx_sequence_t *game;
    uint32_t first;
} window_t;

typedef struct {
    const erx_float_model_t *model;
    const erx_sequences_t *sequences;
    window_t windows[ERX_CALIBRATION_SEQUENCES];
    uint32_t count;
    uint32_t frames;  /* of each window */
    uint32_t stride;  /* one frame in so many is kept */
    uint32_t samples; /* kept of each window */
    /* One for each window, so that threads never meet. */
    erx_calibration_t parts[ERX_CALIBRATION_SEQUENCES];
    erx_calibration_t *calibration;         /* where samples go, each to a row of its own */
    bool failed[ERX_CALIBRATION_SEQUENCES]; /* no memory */
    bool unfit[2 * ERX_LAYERS_MAX + 1];     /* the same, of an activation */
} work_t;

/* Who looks on while the frames of one call run. */
typedef struct {
    const work_t *work;
    erx_calibration_t *part;
    uint32_t window;
    uint32_t frame;  /* that column 0 stands for */
    uint32_t column; /* the frame of a call that is gone through backwards */
    erx_sensitivity_t *sensitivity;
    erx_random_t random;
} onlooker_t;

/* ---- memory ---- */

static void place_activation(erx_layout_t *layout, erx_activation_range_t *range,
                             const erx_shape_t *shape, uint32_t width)
{
    range->width = width;
    range->full = erx_profile_activation_max(shape->profile);
    range->max = erx_layout_take(layout, width * sizeof *range->max);
    range->square = erx_layout_take(layout, width * sizeof *range->square);
    range->slopes = erx_layout_take(layout, (size_t)width * ERX_OUTPUT_HEADS * sizeof(double));
    range->smooth = erx_layout_take(layout, width * sizeof *range->smooth);
}

static size_t place(erx_calibration_t *calibration, void *memory)
{
    const erx_shape_t *shape = &calibration->shape;
    erx_layout_t layout = erx_layout_begin(memory);
    erx_layer_range_t counted;
    erx_layer_range_t *layers =
        erx_layout_take(&layout, shape->layer_count * sizeof *calibration->layers);
    calibration->layers = layers;
    place_activation(&layout, &calibration->hh, shape, shape->d_model);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        erx_layer_range_t *layer = layers == NULL ? &counted : &layers[l];
        place_activation(&layout, &layer->u, shape, shape->d_model);
        place_activation(&layout, &layer->q, shape, shape->d_inner);
        layer->c_max = erx_layout_take(&layout, erx_shape_conv_dim(shape) * sizeof *layer->c_max);
        layer->h_max = erx_layout_take(&layout, shape->head_count * sizeof *layer->h_max);
        layer->dtx_max = erx_layout_take(&layout, shape->head_count * sizeof *layer->dtx_max);
    }
    return erx_layout_bytes(&layout);
}

erx_status_t erx_calibration_open(erx_calibration_t *calibration, const erx_shape_t *shape,
                                  erx_error_t *error)
{
    *calibration = (erx_calibration_t){.shape = *shape};
    size_t bytes = place(calibration, NULL);
    void *memory = aligned_alloc(ERX_CACHE_LINE, bytes);
    if (memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for calibration");
    memset(memory, 0, bytes);
    (void)place(calibration, memory);
    calibration->memory = memory;
    return ERX_OK;
}

static size_t place_samples(erx_calibration_t *calibration, size_t count, void *memory)
{
    const erx_shape_t *shape = &calibration->shape;
    erx_layout_t layout = erx_layout_begin(memory);
    size_t narrow = count * shape->d_model * sizeof(float);
    size_t wide = count * shape->d_inner * sizeof(float);
    calibration->hh.samples = erx_layout_take(&layout, narrow);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        calibration->layers[l].u.samples = erx_layout_take(&layout, narrow);
        calibration->layers[l].q.samples = erx_layout_take(&layout, wide);
    }
    return erx_layout_bytes(&layout);
}

static erx_status_t samples_open(erx_calibration_t *calibration, uint32_t count, erx_error_t *error)
{
    calibration->sample_memory =
        aligned_alloc(ERX_CACHE_LINE, place_samples(calibration, count, NULL));
    if (calibration->sample_memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for calibration");
    (void)place_samples(calibration, count, calibration->sample_memory);
    calibration->sample_count = count;
    return ERX_OK;
}

void erx_calibration_close(erx_calibration_t *calibration)
{
    free(calibration->sample_memory);
    free(calibration->memory);
    *calibration = (erx_calibration_t){0};
}

/* ---- looking on ---- */

static float greatest(float seen, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float size = fabsf(values[i]);
        seen = !(size <= seen) ? size : seen; /* NaN stays to be found */
    }
    return seen;
}

/* kept: the same activation of the calibration, which holds the samples. */
static void see_activation(const onlooker_t *onlooker, uint32_t column,
                           erx_activation_range_t *range, const erx_activation_range_t *kept,
                           const float *values)
{
    const work_t *work = onlooker->work;
    uint32_t frame = onlooker->frame + column;
    for (uint32_t i = 0; i < range->width; i++) {
        float size = fabsf(values[i]);
        range->max[i] = size > range->max[i] ? size : range->max[i];
        range->square[i] += (double)values[i] * (double)values[i];
    }
    range->seen++;
    if (frame % work->stride != 0)
        return;
    size_t row = (size_t)onlooker->window * work->samples + frame / work->stride;
    memcpy(kept->samples + row * range->width, values, range->width * sizeof *values);
}

static void see_residual(void *context, uint32_t column, uint32_t stage, const float *x)
{
    const onlooker_t *onlooker = context;
    erx_calibration_t *part = onlooker->part;
    if (column == onlooker->column)
        erx_sensitivity_see_residual(onlooker->sensitivity, stage, x);
    part->residual_max = greatest(part->residual_max, x, part->shape.d_model);
}

static void see_layer(void *context, uint32_t column, uint32_t index,
                      const erx_float_layer_view_t *view)
{
    const onlooker_t *onlooker = context;
    erx_calibration_t *part = onlooker->part;
    erx_layer_range_t *layer = &part->layers[index];
    const erx_layer_range_t *kept = &onlooker->work->calibration->layers[index];
    const erx_shape_t *shape = &part->shape;
    uint32_t di = shape->d_inner, N = shape->d_state, P = shape->head_dim;
    if (column == onlooker->column)
        erx_sensitivity_see_layer(onlooker->sensitivity, index, view);
    see_activation(onlooker, column, &layer->u, &kept->u, view->u);
    see_activation(onlooker, column, &layer->q, &kept->q, view->q);
    layer->z_max = greatest(layer->z_max, view->project, di);
    layer->v_max = greatest(layer->v_max, view->v, erx_shape_conv_dim(shape));
    layer->B_max = greatest(layer->B_max, view->w + di, N);
    layer->C_max = greatest(layer->C_max, view->w + di + N, N);
    layer->y_max = greatest(layer->y_max, view->y, di);
    for (uint32_t i = 0; i < erx_shape_conv_dim(shape); i++)
        layer->c_max[i] = greatest(layer->c_max[i], &view->project[di + i], 1);
    for (uint32_t head = 0; head < shape->head_count; head++) {
        float x_max = greatest(0.0f, view->w + (size_t)head * P, P);
        layer->dtx_max[head] = fmaxf(layer->dtx_max[head], x_max * view->dt[head]);
        layer->h_max[head] =
            greatest(layer->h_max[head], view->h + (size_t)head * N * P, (size_t)N * P);
    }
}

static void see_heads(void *context, uint32_t column, const erx_float_head_view_t *view)
{
    const onlooker_t *onlooker = context;
    erx_calibration_t *part = onlooker->part;
    see_activation(onlooker, column, &part->hh, &onlooker->work->calibration->hh, view->hh);
    part->hidden_max = greatest(part->hidden_max, view->hn, part->shape.d_model);
    part->hidden_max = greatest(part->hidden_max, view->hh, part->shape.d_model);
}

static void see_outputs(const onlooker_t *onlooker, const float *outputs, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
            for (uint32_t r = 0; r < erx_float_head_width(head); r++, outputs++)
                onlooker->part->output_power[head] += (double)*outputs * (double)*outputs;
}

/* ---- running a window ---- */

/* Memory to run one session with. */
typedef struct {
    erx_float_scratch_t *scratch;
    float *state;
    float *outputs; /* [ERX_FLOAT_COLUMNS][ERX_FLOAT_OUTPUTS] */
    erx_float_world_t worlds[ERX_FLOAT_COLUMNS];
} session_t;

static bool session_open(session_t *session, const erx_float_model_t *model)
{
    session->scratch = erx_float_scratch_open(&model->shape, model->input_width);
    session->state = calloc(erx_float_state_count(&model->shape), sizeof *session->state);
    session->outputs =
        calloc((size_t)ERX_FLOAT_COLUMNS * ERX_FLOAT_OUTPUTS, sizeof *session->outputs);
    return session->scratch != NULL && session->state != NULL && session->outputs != NULL;
}

static void session_close(session_t *session)
{
    erx_float_scratch_close(session->scratch);
    free(session->state);
    free(session->outputs);
}

/* Consecutive frames of a game as the columns of one call. */
static void run_frames(const work_t *work, session_t *session, const window_t *window,
                       uint32_t frame, uint32_t count, const erx_float_observer_t *observer)
{
    erx_float_column_t columns[ERX_FLOAT_COLUMNS];
    for (uint32_t k = 0; k < count; k++) {
        uint32_t at = window->first + frame + k;
        erx_sequences_world(work->sequences, window->game, at, &session->worlds[k]);
        columns[k] = (erx_float_column_t){
            .world = &session->worlds[k],
            .control = erx_sequences_control(work->sequences, window->game, at + 1),
            .state = session->state,
            .output = session->outputs + (size_t)k * ERX_FLOAT_OUTPUTS,
        };
    }
    erx_float_step(work->model, session->scratch, columns, count, observer);
}

static void run_window(void *context, uint32_t index)
{
    work_t *work = context;
    session_t session = {0};
    onlooker_t onlooker = {.work = work, .part = &work->parts[index], .window = index};
    const erx_float_observer_t observer = {&onlooker, see_residual, see_layer, see_heads};
    erx_random_seed(&onlooker.random, 0, index);
    onlooker.sensitivity = erx_sensitivity_open(work->model);
    work->failed[index] = !session_open(&session, work->model) || onlooker.sensitivity == NULL;
    for (uint32_t frame = 0; frame < work->frames && !work->failed[index];
         frame += ERX_FLOAT_COLUMNS) {
        uint32_t count = ERX_MIN(work->frames - frame, ERX_FLOAT_COLUMNS);
        onlooker.frame = frame;
        onlooker.column = erx_random_below(&onlooker.random, count);
        run_frames(work, &session, &work->windows[index], frame, count, &observer);
        see_outputs(&onlooker, session.outputs, count);
        erx_sensitivity_add(onlooker.sensitivity, &onlooker.random, onlooker.part);
    }
    erx_sensitivity_close(onlooker.sensitivity);
    session_close(&session);
}

static erx_status_t run_windows(work_t *work, uint32_t threads, erx_error_t *error)
{
    erx_progress_t progress;
    erx_progress_start(&progress, "calibrating", work->count);
    erx_parallel_run(run_window, work, work->count, threads, &progress);
    erx_progress_finish(&progress);
    for (uint32_t i = 0; i < work->count; i++)
        if (work->failed[i])
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory to run the float model");
    return ERX_OK;
}

/* ---- windows ---- */

/* Disjoint windows of frames length in training games. */
static uint32_t count_windows(const erx_sequences_t *sequences, uint32_t frames)
{
    uint32_t count = 0;
    for (uint32_t g = 0; g < sequences->game_count; g++)
        if (!sequences->games[g].is_test)
            count += (sequences->games[g].frame_count - 1) / frames;
    return count;
}

/* Window number k of those. */
static window_t find_window(const erx_sequences_t *sequences, uint32_t frames, uint32_t k)
{
    uint32_t g = 0;
    for (;; g++) {
        const erx_sequence_t *game = &sequences->games[g];
        uint32_t count = game->is_test ? 0 : (game->frame_count - 1) / frames;
        if (k < count)
            return (window_t){game, k * frames};
        k -= count;
    }
}

/* As many windows as are wanted, evenly spread over all there are. */
static erx_status_t choose_windows(work_t *work, erx_error_t *error)
{
    uint32_t longest = 0;
    for (uint32_t g = 0; g < work->sequences->game_count; g++)
        if (!work->sequences->games[g].is_test)
            longest = ERX_MAX(longest, work->sequences->games[g].frame_count - 1);
    if (longest == 0)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "the calibration set has no training game (is_test 0) of 2 frames or "
                             "more");
    work->frames = ERX_MIN(longest, ERX_CALIBRATION_FRAMES);
    uint32_t available = count_windows(work->sequences, work->frames);
    work->count = ERX_MIN(available, ERX_CALIBRATION_SEQUENCES);
    for (uint32_t i = 0; i < work->count; i++)
        work->windows[i] = find_window(work->sequences, work->frames,
                                       (uint32_t)((uint64_t)i * available / work->count));
    work->stride = (work->count * work->frames + SAMPLES_MAX - 1) / SAMPLES_MAX;
    work->samples = (work->frames + work->stride - 1) / work->stride;
    return ERX_OK;
}

/* ---- combining the windows ---- */

static void merge_maxima(float *into, const float *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        into[i] = fmaxf(into[i], from[i]);
}

static void merge_activation(erx_activation_range_t *into, const erx_activation_range_t *from)
{
    merge_maxima(into->max, from->max, into->width);
    for (uint32_t i = 0; i < into->width; i++)
        into->square[i] += from->square[i];
    for (uint32_t i = 0; i < into->width * ERX_OUTPUT_HEADS; i++)
        into->slopes[i] += from->slopes[i];
    into->seen += from->seen;
}

static void merge(erx_calibration_t *into, const erx_calibration_t *from)
{
    const erx_shape_t *shape = &into->shape;
    merge_activation(&into->hh, &from->hh);
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
        into->output_power[head] += from->output_power[head];
    into->hidden_max = fmaxf(into->hidden_max, from->hidden_max);
    into->residual_max = fmaxf(into->residual_max, from->residual_max);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        erx_layer_range_t *to = &into->layers[l];
        const erx_layer_range_t *part = &from->layers[l];
        merge_activation(&to->u, &part->u);
        merge_activation(&to->q, &part->q);
        merge_maxima(to->c_max, part->c_max, erx_shape_conv_dim(shape));
        merge_maxima(to->h_max, part->h_max, shape->head_count);
        merge_maxima(to->dtx_max, part->dtx_max, shape->head_count);
        to->z_max = fmaxf(to->z_max, part->z_max);
        to->v_max = fmaxf(to->v_max, part->v_max);
        to->B_max = fmaxf(to->B_max, part->B_max);
        to->C_max = fmaxf(to->C_max, part->C_max);
        to->y_max = fmaxf(to->y_max, part->y_max);
    }
}

static erx_status_t check_ranges(const erx_calibration_t *calibration, erx_error_t *error)
{
    const float limit = (float)ERX_RESIDUAL_MAX / (1 << ERX_RESIDUAL_BITS);
    if (!(calibration->residual_max < limit))
        return erx_error_set(error, ERX_ERR_RANGE,
                             "the residual stream reaches %g on real games; profile %s holds "
                             "values below %g",
                             (double)calibration->residual_max,
                             erx_profile_names[calibration->shape.profile], (double)limit);
    for (uint32_t l = 0; l < calibration->shape.layer_count; l++) {
        const erx_layer_range_t *layer = &calibration->layers[l];
        if (!isfinite(layer->z_max + layer->v_max + layer->y_max))
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "layer %u gives values that are not finite on real games", l);
    }
    return ERX_OK;
}

static erx_status_t measure_ranges(work_t *work, erx_calibration_t *calibration, uint32_t threads,
                                   erx_error_t *error)
{
    const erx_shape_t *shape = &work->model->shape;
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < work->count && status == ERX_OK; i++)
        status = erx_calibration_open(&work->parts[i], shape, error);
    if (status == ERX_OK)
        status = run_windows(work, threads, error);
    /* In the order of the windows: sums depend on it. */
    for (uint32_t i = 0; i < work->count; i++) {
        if (status == ERX_OK)
            merge(calibration, &work->parts[i]);
        erx_calibration_close(&work->parts[i]);
    }
    return status == ERX_OK ? check_ranges(calibration, error) : status;
}

/* ---- scales ---- */

/* Activation number i: u and q of each layer in turn, then hh. */
static void fit_activation(void *context, uint32_t i)
{
    work_t *work = context;
    erx_calibration_t *calibration = work->calibration;
    erx_layer_range_t *layer = &calibration->layers[i / 2];
    erx_activation_range_t *range = i == 2 * calibration->shape.layer_count ? &calibration->hh
                                    : i % 2 == 0                            ? &layer->u
                                                                            : &layer->q;
    work->unfit[i] =
        !erx_calibration_fit(range, calibration->sample_count, calibration->output_power);
}

static erx_status_t fit_scales(work_t *work, uint32_t threads, erx_error_t *error)
{
    erx_progress_t progress;
    uint32_t count = 2 * work->model->shape.layer_count + 1;
    erx_progress_start(&progress, "fitting scales", count);
    erx_parallel_run(fit_activation, work, count, threads, &progress);
    erx_progress_finish(&progress);
    for (uint32_t i = 0; i < count; i++)
        if (work->unfit[i])
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory to fit scales");
    return ERX_OK;
}

erx_status_t erx_calibration_run(erx_calibration_t *calibration_out, const erx_float_model_t *model,
                                 const erx_sequences_t *sequences, uint32_t threads,
                                 erx_error_t *error)
{
    *calibration_out = (erx_calibration_t){0};
    work_t *work = calloc(1, sizeof *work);
    if (work == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for calibration");
    work->model = model;
    work->sequences = sequences;
    work->calibration = calibration_out;
    erx_status_t status = choose_windows(work, error);
    if (status == ERX_OK)
        status = erx_calibration_open(calibration_out, &model->shape, error);
    if (status == ERX_OK)
        status = samples_open(calibration_out, work->count * work->samples, error);
    if (status == ERX_OK)
        status = measure_ranges(work, calibration_out, threads, error);
    if (status == ERX_OK)
        status = fit_scales(work, threads, error);
    calibration_out->sequence_count = work->count;
    calibration_out->frame_count = work->frames;
    free(work);
    if (status != ERX_OK)
        erx_calibration_close(calibration_out);
    return status;
}
