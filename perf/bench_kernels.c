/* erx bench kernels: the matrix product, the work of a whole frame in turn
 * (in_proj and out_proj of every layer), for batches of sessions on one core.
 * Peak and products alternate, so that both see the same machine. */
#include <stdio.h>
#include <string.h>

#include "engine/session.h"
#include "mem/alloc.h"
#include "mem/layout.h"
#include "perf/bench.h"
#include "perf/peak.h"
#include "sched/clock.h"
#include "tools/fnv.h"
#include "tools/presets.h"

#define BATCH_MAX 64u
#define PEAK_NS   UINT64_C(3000000)
#define POINT_NS  UINT64_C(5000000) /* least time of one measurement */

static const uint32_t batches[] = {1, 2, 3, 4, 8, 16, 32, 64};

/* The matrices of one shape and the activations of a batch, in one region. */
typedef struct {
    const erx_kernel_t *kernel;
    erx_shape_t shape;
    erx_region_t region;
    erx_matrix_t *matrices; /* [2 * layers] */
    uint8_t *activation;    /* [BATCH_MAX][2 d] */
    int32_t *sums;          /* [BATCH_MAX][padded rows of in_proj] */
} sweep_t;

static erx_matrix_t matrix_of(const sweep_t *sweep, uint32_t index)
{
    bool project = index % 2 == 0;
    uint32_t columns = project ? sweep->shape.d_model : sweep->shape.d_inner;
    uint32_t rows = project ? erx_shape_project_rows(&sweep->shape) : sweep->shape.d_model;
    return (erx_matrix_t){
        .panel_count = ERX_CEIL_DIV(rows, ERX_PANEL_ROWS),
        .columns = columns,
        .panel_bytes = sweep->kernel->panel_bytes(columns),
    };
}

static size_t sums_stride(const sweep_t *sweep)
{
    return ERX_ALIGN_UP((size_t)erx_shape_project_rows(&sweep->shape), ERX_PANEL_ROWS);
}

static size_t place(sweep_t *sweep, uint8_t *base)
{
    erx_layout_t layout = erx_layout_begin(base);
    for (uint32_t i = 0; i < 2 * sweep->shape.layer_count; i++) {
        erx_matrix_t matrix = matrix_of(sweep, i);
        matrix.panels = erx_layout_take(&layout, matrix.panel_count * matrix.panel_bytes);
        sweep->matrices[i] = matrix;
    }
    sweep->activation = erx_layout_take(&layout, (size_t)BATCH_MAX * sweep->shape.d_inner *
                                                     sweep->kernel->activation_bytes);
    sweep->sums = erx_layout_take(&layout, BATCH_MAX * sums_stride(sweep) * sizeof(int32_t));
    return erx_layout_bytes(&layout);
}

/* Every weight and activation value occurs, -128 included. */
static void fill(sweep_t *sweep)
{
    int8_t values[ERX_PANEL_ROWS * 2 * ERX_D_MODEL_MAX];
    const int8_t *rows[ERX_PANEL_ROWS];
    for (uint32_t i = 0; i < 2 * sweep->shape.layer_count; i++) {
        const erx_matrix_t *matrix = &sweep->matrices[i];
        for (uint32_t p = 0; p < matrix->panel_count; p++) {
            erx_bench_fill(values, (size_t)ERX_PANEL_ROWS * matrix->columns, i * 1000 + p);
            for (uint32_t row = 0; row < ERX_PANEL_ROWS; row++)
                rows[row] = values + (size_t)row * matrix->columns;
            size_t offset = (size_t)(matrix->panels - sweep->region.base);
            sweep->kernel->panel_pack(sweep->region.base + offset + p * matrix->panel_bytes, rows,
                                      matrix->columns);
        }
    }
    for (uint32_t s = 0; s < BATCH_MAX; s++) {
        erx_bench_fill(values, sweep->shape.d_inner, s);
        sweep->kernel->activation_pack(sweep->activation + (size_t)s * sweep->shape.d_inner *
                                                               sweep->kernel->activation_bytes,
                                       values, sweep->shape.d_inner);
    }
}

static erx_status_t sweep_open(sweep_t *sweep, const erx_kernel_t *kernel, const erx_shape_t *shape,
                               erx_error_t *error)
{
    *sweep = (sweep_t){.kernel = kernel, .shape = *shape};
    sweep->matrices = erx_alloc((size_t)2 * shape->layer_count, sizeof *sweep->matrices);
    if (sweep->matrices == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the matrices");
    erx_status_t status = erx_region_open(&sweep->region, place(sweep, NULL), ERX_NODE_ANY, error);
    if (status != ERX_OK)
        return status;
    (void)place(sweep, sweep->region.base);
    fill(sweep);
    return ERX_OK;
}

static void sweep_close(sweep_t *sweep)
{
    erx_region_close(&sweep->region);
    erx_free(sweep->matrices);
}

/* All matrices in turn, for batch sessions. */
static void sweep_run(const sweep_t *sweep, uint32_t batch)
{
    for (uint32_t i = 0; i < 2 * sweep->shape.layer_count; i++) {
        const erx_gemm_t call = {
            .matrix = &sweep->matrices[i],
            .kind = ERX_GEMM_RAW,
            .panel_end = sweep->matrices[i].panel_count,
            .session_count = batch,
            .activation = sweep->activation,
            .activation_stride = (size_t)sweep->shape.d_inner * sweep->kernel->activation_bytes,
            .wide = sweep->sums,
            .wide_stride = sums_stride(sweep),
        };
        sweep->kernel->gemm(&call);
    }
}

static uint64_t sweep_macs(const sweep_t *sweep)
{
    uint64_t project = (uint64_t)erx_shape_project_rows(&sweep->shape) * sweep->shape.d_model;
    uint64_t output = (uint64_t)sweep->shape.d_model * sweep->shape.d_inner;
    return sweep->shape.layer_count * (project + output);
}

/* Nanoseconds a session of one sweep, over at least POINT_NS. The first sweep
 * brings the weights back that others' work has driven out of the caches. */
static double time_sweep(const sweep_t *sweep, uint32_t batch, bool smoke)
{
    uint64_t runs = 0, elapsed;
    sweep_run(sweep, batch);
    uint64_t begin = erx_clock_now();
    do {
        sweep_run(sweep, batch);
        runs++;
        elapsed = erx_clock_now() - begin;
    } while (!smoke && elapsed < POINT_NS);
    return (double)elapsed / (double)(runs * batch);
}

typedef struct {
    double us_per_session;
    double gmacs;
    double peak_share; /* 0 where no peak is known */
} point_t;

static void measure(const sweep_t *sweep, const erx_bench_options_t *options,
                    erx_progress_t *progress, point_t *points, double *peak_out)
{
    erx_samples_t times[ERX_COUNT(batches)] = {0};
    erx_samples_t shares[ERX_COUNT(batches)] = {0};
    erx_samples_t peaks = {0};
    double macs = (double)sweep_macs(sweep);
    for (uint32_t repeat = 0; repeat < options->repeats; repeat++) {
        for (uint32_t b = 0; b < ERX_COUNT(batches); b++) {
            double peak = erx_peak_gmacs(sweep->kernel, options->smoke ? 1 : PEAK_NS);
            double ns = time_sweep(sweep, batches[b], options->smoke);
            erx_samples_add(&times[b], ns);
            erx_samples_add(&shares[b], peak > 0 ? macs / ns / peak : 0);
            if (b == 0)
                erx_samples_add(&peaks, peak);
        }
        erx_progress_update(progress, repeat + 1);
    }
    *peak_out = erx_samples_median(&peaks);
    for (uint32_t b = 0; b < ERX_COUNT(batches); b++) {
        double ns = erx_samples_median(&times[b]);
        points[b] = (point_t){
            .us_per_session = ns / 1e3,
            .gmacs = macs / ns,
            .peak_share = erx_samples_median(&shares[b]),
        };
    }
}

static void print_points(const char *preset, const sweep_t *sweep, double peak,
                         const point_t *points)
{
    (void)printf("%s: %u matrices, %.1f M multiply-adds a session, peak %.1f GMAC/s\n", preset,
                 2 * sweep->shape.layer_count, (double)sweep_macs(sweep) / 1e6, peak);
    (void)printf("  %5s %14s %10s %10s\n", "batch", "us a session", "GMAC/s", "of peak");
    for (uint32_t b = 0; b < ERX_COUNT(batches); b++)
        (void)printf("  %5u %14.2f %10.1f %9.1f%%\n", batches[b], points[b].us_per_session,
                     points[b].gmacs, 100 * points[b].peak_share);
}

static json_t *points_json(const char *preset, double peak, const point_t *points)
{
    json_t *rows = json_array();
    for (uint32_t b = 0; b < ERX_COUNT(batches); b++)
        (void)json_array_append_new(
            rows, json_pack("{s:i, s:f, s:f, s:f}", "batch", (int)batches[b], "us_per_session",
                            points[b].us_per_session, "gmacs", points[b].gmacs, "peak_fraction",
                            points[b].peak_share));
    return json_pack("{s:s, s:f, s:o}", "shape", preset, "peak_gmacs", peak, "batches", rows);
}

/* What the largest batch left behind: equal for every instruction set. */
static uint64_t result_hash(const sweep_t *sweep, uint64_t hash)
{
    sweep_run(sweep, BATCH_MAX);
    size_t last_rows = sweep->shape.d_model;
    for (uint32_t s = 0; s < BATCH_MAX; s++)
        hash = erx_fnv1a(hash, sweep->sums + s * sums_stride(sweep), last_rows * sizeof(int32_t));
    return hash;
}

static erx_status_t bench_shape(const erx_preset_t *preset, const erx_bench_options_t *options,
                                json_t *shapes, bool quiet, uint64_t *hash, erx_error_t *error)
{
    sweep_t sweep;
    point_t points[ERX_COUNT(batches)];
    erx_progress_t progress;
    double peak;
    erx_status_t status = sweep_open(&sweep, options->kernel, &preset->shape, error);
    if (status == ERX_OK) {
        erx_progress_start(&progress, preset->name, options->repeats);
        measure(&sweep, options, &progress, points, &peak);
        erx_progress_finish(&progress);
        *hash = result_hash(&sweep, *hash);
        if (!quiet)
            print_points(preset->name, &sweep, peak, points);
        (void)json_array_append_new(shapes, points_json(preset->name, peak, points));
    }
    sweep_close(&sweep);
    return status;
}

erx_status_t erx_bench_kernels(const erx_bench_options_t *options, json_t *json, bool quiet,
                               erx_error_t *error)
{
    return erx_bench_shapes(bench_shape, options, json, quiet, error);
}
