#include "tools/calibration.h"

#include "mem/layout.h"
#include "tools/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_QUANTILE 0.75
#define SCALE_STEPS    16 /* of the search, an octave up and down */
#define SMOOTH_MIN     (1.0 / 16.0)
#define SMOOTH_MAX     16.0
#define ACTIVATION_MAX 127.0 /* of an 8-bit activation */

/* Frames [first, first + count) of a game, the controllers after them known. */
typedef struct {
    const erx_sequence_t *game;
    uint32_t first;
} window_t;

/* Frame maxima of one smoothed activation are one row of this many values. */
typedef struct {
    const erx_float_model_t *model;
    const erx_sequences_t *sequences;
    window_t windows[ERX_CALIBRATION_SEQUENCES];
    uint32_t count;
    uint32_t frames; /* of each window */
    /* One for each window, so that threads never meet. */
    erx_calibration_t parts[ERX_CALIBRATION_SEQUENCES];
    const erx_calibration_t *smoothing;     /* second pass: where the factors are */
    float *peaks;                           /* second pass: [activations][windows][frames] */
    bool failed[ERX_CALIBRATION_SEQUENCES]; /* no memory */
} work_t;

/* ---- memory ---- */

static void place_activation(erx_layout_t *layout, erx_activation_range_t *range, uint32_t width)
{
    range->width = width;
    range->max = erx_layout_take(layout, width * sizeof *range->max);
    range->square = erx_layout_take(layout, width * sizeof *range->square);
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
    place_activation(&layout, &calibration->hh, shape->d_model);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        erx_layer_range_t *layer = layers == NULL ? &counted : &layers[l];
        place_activation(&layout, &layer->u, shape->d_model);
        place_activation(&layout, &layer->q, shape->d_inner);
        layer->c_max = erx_layout_take(&layout, erx_shape_conv_dim(shape) * sizeof *layer->c_max);
        layer->h_max = erx_layout_take(&layout, shape->head_count * sizeof *layer->h_max);
        layer->dtx_max = erx_layout_take(&layout, shape->head_count * sizeof *layer->dtx_max);
    }
    return erx_layout_bytes(&layout);
}

static erx_status_t calibration_open(erx_calibration_t *calibration, const erx_shape_t *shape,
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

void erx_calibration_close(erx_calibration_t *calibration)
{
    free(calibration->memory);
    *calibration = (erx_calibration_t){0};
}

/* ---- first pass: ranges ---- */

static float greatest(float seen, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float size = fabsf(values[i]);
        seen = !(size <= seen) ? size : seen; /* NaN stays to be found */
    }
    return seen;
}

static void see_activation(erx_activation_range_t *range, const float *values)
{
    for (uint32_t i = 0; i < range->width; i++) {
        float size = fabsf(values[i]);
        range->max[i] = size > range->max[i] ? size : range->max[i];
        range->square[i] += (double)values[i] * (double)values[i];
    }
}

static void see_residual(void *context, uint32_t column, uint32_t stage, const float *x)
{
    erx_calibration_t *part = context;
    (void)column;
    (void)stage;
    part->residual_max = greatest(part->residual_max, x, part->shape.d_model);
}

static void see_layer(void *context, uint32_t column, uint32_t index,
                      const erx_float_layer_view_t *view)
{
    erx_calibration_t *part = context;
    erx_layer_range_t *layer = &part->layers[index];
    const erx_shape_t *shape = &part->shape;
    uint32_t di = shape->d_inner, N = shape->d_state, P = shape->head_dim;
    (void)column;
    see_activation(&layer->u, view->u);
    see_activation(&layer->q, view->q);
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
    erx_calibration_t *part = context;
    (void)column;
    see_activation(&part->hh, view->hh);
    part->hidden_max = greatest(part->hidden_max, view->hn, part->shape.d_model);
    part->hidden_max = greatest(part->hidden_max, view->hh, part->shape.d_model);
}

/* ---- second pass: how large a frame's smoothed activation is ---- */

/* Whose peaks are being written, for the frames of one call. */
typedef struct {
    const work_t *work;
    uint32_t window;
    uint32_t frame; /* that column 0 stands for */
} peak_t;

static float *peak_row(const work_t *work, uint32_t activation, uint32_t window)
{
    return work->peaks + ((size_t)activation * work->count + window) * work->frames;
}

static void see_peak(const peak_t *peak, uint32_t activation, uint32_t column,
                     const erx_activation_range_t *range, const float *values)
{
    float seen = 0.0f;
    for (uint32_t i = 0; i < range->width; i++)
        seen = fmaxf(seen, fabsf(values[i] * range->smooth[i]));
    peak_row(peak->work, activation, peak->window)[peak->frame + column] = seen;
}

static void see_layer_peaks(void *context, uint32_t column, uint32_t index,
                            const erx_float_layer_view_t *view)
{
    const peak_t *peak = context;
    const erx_layer_range_t *layer = &peak->work->smoothing->layers[index];
    see_peak(peak, 2 * index, column, &layer->u, view->u);
    see_peak(peak, 2 * index + 1, column, &layer->q, view->q);
}

static void see_head_peaks(void *context, uint32_t column, const erx_float_head_view_t *view)
{
    const peak_t *peak = context;
    const erx_calibration_t *smoothing = peak->work->smoothing;
    see_peak(peak, 2 * smoothing->shape.layer_count, column, &smoothing->hh, view->hh);
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
    peak_t peak = {.work = work, .window = index};
    const erx_float_observer_t ranges = {&work->parts[index], see_residual, see_layer, see_heads};
    const erx_float_observer_t peaks = {&peak, NULL, see_layer_peaks, see_head_peaks};
    work->failed[index] = !session_open(&session, work->model);
    for (uint32_t frame = 0; frame < work->frames && !work->failed[index];
         frame += ERX_FLOAT_COLUMNS) {
        peak.frame = frame;
        run_frames(work, &session, &work->windows[index], frame,
                   ERX_MIN(work->frames - frame, ERX_FLOAT_COLUMNS),
                   work->smoothing == NULL ? &ranges : &peaks);
    }
    session_close(&session);
}

static erx_status_t run_pass(work_t *work, const char *label, uint32_t threads, erx_error_t *error)
{
    erx_progress_t progress;
    erx_progress_start(&progress, label, work->count);
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
    return ERX_OK;
}

/* ---- from ranges to scales ---- */

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
}

static void merge(erx_calibration_t *into, const erx_calibration_t *from)
{
    const erx_shape_t *shape = &into->shape;
    merge_activation(&into->hh, &from->hh);
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

/* Length of a column of the matrices that an activation meets. */
static double column_length(const float *const *matrices, const uint32_t *rows,
                            uint32_t matrix_count, uint32_t width, uint32_t column)
{
    double sum = 0.0;
    for (uint32_t m = 0; m < matrix_count; m++) {
        for (uint32_t r = 0; r < rows[m]; r++) {
            double weight = (double)matrices[m][(size_t)r * width + column];
            sum += weight * weight;
        }
    }
    return sqrt(sum);
}

/* Balances the channels of an activation against the columns of the matrix
 * that it meets: sqrt(column / activation), the activation being measured
 * between its mean and its greatest magnitude (QUANTIZER.md tells why). */
static void smooth(erx_activation_range_t *range, double frames, const float *const *matrices,
                   const uint32_t *rows, uint32_t matrix_count)
{
    double log_sum = 0.0;
    for (uint32_t i = 0; i < range->width; i++) {
        double column = column_length(matrices, rows, matrix_count, range->width, i);
        double size = sqrt(sqrt(range->square[i] / frames) * (double)range->max[i]);
        /* A channel that is silent, or that nobody listens to, stays as it is. */
        range->smooth[i] = column > 0.0 && size > 0.0 ? (float)sqrt(column / size) : 1.0f;
        log_sum += log((double)range->smooth[i]);
    }
    double mean = exp(log_sum / range->width);
    for (uint32_t i = 0; i < range->width; i++)
        range->smooth[i] =
            (float)fmin(fmax((double)range->smooth[i] / mean, SMOOTH_MIN), SMOOTH_MAX);
}

static void smooth_all(erx_calibration_t *calibration, const erx_float_model_t *model,
                       double frames)
{
    const erx_shape_t *shape = &calibration->shape;
    uint32_t project_rows = erx_shape_project_rows(shape);
    for (uint32_t l = 0; l < shape->layer_count; l++) {
        smooth(&calibration->layers[l].u, frames, &model->layers[l].in_proj, &project_rows, 1);
        smooth(&calibration->layers[l].q, frames, &model->layers[l].out_proj, &shape->d_model, 1);
    }
    uint32_t widths[ERX_LOGIT_HEADS];
    for (uint32_t i = 0; i < ERX_LOGIT_HEADS; i++)
        widths[i] = erx_logit_widths[i];
    smooth(&calibration->hh, frames, model->heads + ERX_REGRESSION_HEADS, widths, ERX_LOGIT_HEADS);
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Power of the rounding error over all frames, when frames with peaks up to
 * full are held at block exponent 0 (NUMERICS 4.2): each takes the smallest
 * step of a power of two that its peak fits. */
static double rounding_power(const float *peaks, size_t count, double full)
{
    double power = 0.0;
    for (size_t i = 0; i < count; i++) {
        double peak = (double)peaks[i];
        int exponent = ERX_EXPONENT_MIN;
        while (exponent < ERX_EXPONENT_MAX && peak > ldexp(full, exponent))
            exponent++;
        double step = ldexp(full, exponent) / ACTIVATION_MAX;
        double cut = fmax(peak - ldexp(full, exponent), 0.0);
        power += step * step / 12.0 + cut * cut;
    }
    return power;
}

/* The scale with the least rounding error, in a search around the quantile
 * that NUMERICS 8 starts from. */
static double find_scale(const work_t *work, uint32_t activation)
{
    size_t count = (size_t)work->count * work->frames;
    float *peaks = peak_row(work, activation, 0);
    qsort(peaks, count, sizeof *peaks, compare_floats);
    double start = fmax((double)peaks[(size_t)(SCALE_QUANTILE * (double)(count - 1))], 1e-6);
    double best = start, least = INFINITY;
    for (int step = -SCALE_STEPS; step <= SCALE_STEPS; step++) {
        double full = start * exp2((double)step / SCALE_STEPS);
        double power = rounding_power(peaks, count, full);
        if (power < least) {
            least = power;
            best = full;
        }
    }
    return best / ACTIVATION_MAX;
}

static erx_status_t check_ranges(const erx_calibration_t *calibration, erx_error_t *error)
{
    const float limit = (float)ERX_RESIDUAL_MAX / (1 << ERX_RESIDUAL_BITS);
    if (!(calibration->residual_max < limit))
        return erx_error_set(error, ERX_ERR_RANGE,
                             "the residual stream reaches %g on real games; profile i16ssm-1 holds "
                             "values below %g",
                             (double)calibration->residual_max, (double)limit);
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
        status = calibration_open(&work->parts[i], shape, error);
    if (status == ERX_OK)
        status = run_pass(work, "calibrating, ranges", threads, error);
    /* In the order of the windows: sums depend on it. */
    for (uint32_t i = 0; i < work->count; i++) {
        if (status == ERX_OK)
            merge(calibration, &work->parts[i]);
        erx_calibration_close(&work->parts[i]);
    }
    return status == ERX_OK ? check_ranges(calibration, error) : status;
}

static erx_status_t measure_scales(work_t *work, erx_calibration_t *calibration, uint32_t threads,
                                   erx_error_t *error)
{
    uint32_t layers = calibration->shape.layer_count;
    smooth_all(calibration, work->model, (double)work->count * work->frames);
    work->smoothing = calibration;
    work->peaks =
        calloc((size_t)(2 * layers + 1) * work->count * work->frames, sizeof *work->peaks);
    if (work->peaks == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for calibration");
    erx_status_t status = run_pass(work, "calibrating, scales", threads, error);
    if (status == ERX_OK) {
        for (uint32_t l = 0; l < layers; l++) {
            calibration->layers[l].u.scale = find_scale(work, 2 * l);
            calibration->layers[l].q.scale = find_scale(work, 2 * l + 1);
        }
        calibration->hh.scale = find_scale(work, 2 * layers);
    }
    free(work->peaks);
    return status;
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
    erx_status_t status = choose_windows(work, error);
    if (status == ERX_OK)
        status = calibration_open(calibration_out, &model->shape, error);
    if (status == ERX_OK)
        status = measure_ranges(work, calibration_out, threads, error);
    if (status == ERX_OK)
        status = measure_scales(work, calibration_out, threads, error);
    calibration_out->sequence_count = work->count;
    calibration_out->frame_count = work->frames;
    free(work);
    if (status != ERX_OK)
        erx_calibration_close(calibration_out);
    return status;
}
