#include "tools/quantizer_rounding.h"

#include "mem/layout.h"
#include "tools/calibration_fit.h"
#include "tools/quantizer_number.h"
#include "tools/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX     (2 * ERX_D_MODEL_MAX)
#define BATCH         8u   /* samples that one pass over the moments adds */
#define DAMPING       0.01 /* share of the mean power that is added to every channel */
#define DAMPING_LEAST 1e-6
#define DOT_SUMS      8u
#define CLIP_STEPS    21u /* clip factors from CLIP_LEAST to 1 */
#define CLIP_LEAST    0.6
#define I8_MAX        127.0

static size_t place(erx_rounding_t *rounding, uint32_t width, void *memory)
{
    erx_layout_t layout = erx_layout_begin(memory);
    rounding->factor = erx_layout_take(&layout, (size_t)width * width * sizeof(float));
    rounding->order = erx_layout_take(&layout, width * sizeof(uint32_t));
    return erx_layout_bytes(&layout);
}

/* ---- second moments of what the engine multiplies with ---- */

/* moments[i][j] += sum_k samples[k][i] samples[k][j], for j <= i. */
ERX_WIDE static void add_batch(float *moments, const float *samples, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        float *row = moments + (size_t)i * width;
        for (uint32_t j = 0; j <= i; j++) {
            float sum = 0.0f;
            for (uint32_t k = 0; k < BATCH; k++)
                sum += samples[k * width + i] * samples[k * width + j];
            row[j] += sum;
        }
    }
}

static void add_moments(const erx_rounding_t *rounding, uint32_t sample_count, float *samples)
{
    const erx_activation_range_t *input = rounding->input;
    uint32_t width = input->width;
    for (uint32_t first = 0; first < sample_count; first += BATCH) {
        memset(samples, 0, (size_t)BATCH * width * sizeof *samples);
        for (uint32_t k = 0; k < ERX_MIN(BATCH, sample_count - first); k++)
            erx_calibration_round(input, input->samples + (size_t)(first + k) * width,
                                  samples + (size_t)k * width);
        add_batch(rounding->factor, samples, width);
    }
}

/* ---- order and factor ---- */

typedef struct {
    float power;
    uint32_t column;
} place_t;

/* The strongest last: it is rounded first, while all others can take up its error. */
static int compare_places(const void *left, const void *right)
{
    const place_t *a = left, *b = right;
    if (a->power != b->power)
        return a->power < b->power ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static void choose_order(erx_rounding_t *rounding)
{
    uint32_t width = rounding->input->width;
    place_t places[WIDTH_MAX];
    for (uint32_t i = 0; i < width; i++)
        places[i] = (place_t){rounding->factor[(size_t)i * width + i], i};
    qsort(places, width, sizeof *places, compare_places);
    for (uint32_t i = 0; i < width; i++)
        rounding->order[i] = places[i].column;
}

static float moment(const float *moments, uint32_t width, uint32_t i, uint32_t j)
{
    return i > j ? moments[(size_t)i * width + j] : moments[(size_t)j * width + i];
}

/* Several sums side by side: the order is the same for any vector width. */
static double dot(const double *left, const double *right, uint32_t count)
{
    double sums[DOT_SUMS] = {0}, rest = 0.0;
    uint32_t whole = count - count % DOT_SUMS;
    for (uint32_t i = 0; i < whole; i += DOT_SUMS)
        for (uint32_t k = 0; k < DOT_SUMS; k++)
            sums[k] += left[i + k] * right[i + k];
    for (uint32_t i = whole; i < count; i++)
        rest += left[i] * right[i];
    for (uint32_t k = 0; k < DOT_SUMS; k++)
        rest += sums[k];
    return rest;
}

/* Cholesky: damped moments in order = L L^T. */
static void factorize(const erx_rounding_t *rounding, double *L)
{
    const float *moments = rounding->factor;
    uint32_t width = rounding->input->width;
    double mean = 0.0;
    for (uint32_t i = 0; i < width; i++)
        mean += (double)moments[(size_t)i * width + i] / width;
    double damping = fmax(DAMPING * mean, DAMPING_LEAST);
    for (uint32_t i = 0; i < width; i++) {
        double *row = L + (size_t)i * width;
        for (uint32_t j = 0; j <= i; j++) {
            double sum = (double)moment(moments, width, rounding->order[i], rounding->order[j]);
            sum += i == j ? damping : 0.0;
            sum -= dot(row, L + (size_t)j * width, j);
            row[j] = i == j ? sqrt(fmax(sum, damping)) : sum / L[(size_t)j * width + j];
        }
    }
}

/* The cost of errors e is sum_j (L_jj e_j + sum_{i > j} L_ij e_i)^2: row j of
 * the factor holds L_ij / L_jj for i > j. */
static void fill_factor(erx_rounding_t *rounding, const double *L)
{
    uint32_t width = rounding->input->width;
    for (uint32_t i = 0; i < width; i++)
        for (uint32_t j = 0; j <= i; j++)
            rounding->factor[(size_t)i * width + j] =
                (float)(L[(size_t)i * width + j] / L[(size_t)j * width + j]);
}

/* False: no memory. */
static bool prepare(erx_rounding_t *rounding, uint32_t sample_count)
{
    uint32_t width = rounding->input->width;
    size_t bytes = place(rounding, width, NULL);
    rounding->memory = aligned_alloc(ERX_CACHE_LINE, bytes);
    double *L = calloc((size_t)width * width, sizeof *L);
    float *samples = calloc((size_t)BATCH * width, sizeof *samples);
    bool has_memory = rounding->memory != NULL && L != NULL && samples != NULL;
    if (has_memory) {
        memset(rounding->memory, 0, bytes);
        (void)place(rounding, width, rounding->memory);
        add_moments(rounding, sample_count, samples);
        choose_order(rounding);
        factorize(rounding, L);
        fill_factor(rounding, L);
    }
    free(L);
    free(samples);
    return has_memory;
}

erx_status_t erx_rounding_open(erx_rounding_t *rounding_out, const erx_activation_range_t *input,
                               uint32_t sample_count, erx_error_t *error)
{
    *rounding_out = (erx_rounding_t){.input = input};
    if (prepare(rounding_out, sample_count))
        return ERX_OK;
    erx_rounding_close(rounding_out);
    return erx_error_set(error, ERX_ERR_MEMORY, "no memory to quantize");
}

void erx_rounding_close(erx_rounding_t *rounding)
{
    free(rounding->memory);
    *rounding = (erx_rounding_t){0};
}

/* ---- rows ---- */

/* sum_i (row[i] - scale * rounded)^2 * power[i], row already smoothed. */
static double clip_error(const double *row, const double *power, uint32_t width, double scale)
{
    double sum = 0.0;
    double inverse = 1.0 / scale;
    for (uint32_t i = 0; i < width; i++) {
        double step = row[i] * inverse;
        step = step > I8_MAX ? I8_MAX : step < -I8_MAX ? -I8_MAX : (double)lrint(step);
        double error = row[i] - step * scale;
        sum += error * error * power[i];
    }
    return sum;
}

/* The clipping that makes the least error on real inputs. */
static double find_row_scale(const erx_activation_range_t *input, const double *row)
{
    double power[WIDTH_MAX], full = 0.0;
    for (uint32_t i = 0; i < input->width; i++) {
        double factor = (double)input->smooth[i];
        power[i] = input->square[i] * factor * factor;
        full = fmax(full, fabs(row[i]) / I8_MAX);
    }
    double best = full, least = INFINITY;
    for (uint32_t step = 0; step < CLIP_STEPS; step++) {
        double scale = full * (1.0 - (1.0 - CLIP_LEAST) * step / (CLIP_STEPS - 1));
        double error = clip_error(row, power, input->width, scale);
        if (error < least) {
            least = error;
            best = scale;
        }
    }
    return best;
}

/* pull[0, count) += factor[0, count) * error */
ERX_WIDE static void add_pull(float *pull, const float *factor, uint32_t count, float error)
{
    for (uint32_t j = 0; j < count; j++)
        pull[j] += factor[j] * error;
}

double erx_rounding_row(const erx_rounding_t *rounding, const float *row, int8_t *row_out)
{
    const erx_activation_range_t *input = rounding->input;
    uint32_t width = input->width;
    double smoothed[WIDTH_MAX];
    float pull[WIDTH_MAX] = {0}; /* error that earlier roundings want taken up, by place */
    for (uint32_t i = 0; i < width; i++)
        smoothed[i] = (double)row[i] / (double)input->smooth[i];
    double scale = find_row_scale(input, smoothed);
    for (uint32_t place = width; place-- > 0;) {
        uint32_t column = rounding->order[place];
        double exact = smoothed[column] / scale;
        row_out[column] = erx_quantize_i8(exact + (double)pull[place]);
        add_pull(pull, rounding->factor + (size_t)place * width, place,
                 (float)(exact - row_out[column]));
    }
    return scale;
}

void erx_rounding_report(const erx_rounding_t *rounding, const float *row, const int8_t *rounded,
                         double scale, erx_weight_error_t *error)
{
    for (uint32_t i = 0; i < rounding->input->width; i++)
        erx_weight_error_add(error, (double)row[i],
                             rounded[i] * scale * (double)rounding->input->smooth[i]);
}
