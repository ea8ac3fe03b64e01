/* erx bench syscall: sol_matmul_i8 beside the engine's own kernel, on one core.
 * Both multiply the same matrices, all layers in turn, so that weights come from
 * where they come from in a frame; the two alternate, so that both see the same
 * machine. */
#include <stdio.h>
#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"
#include "mem/layout.h"
#include "perf/bench.h"
#include "perf/bench_program.h"
#include "sched/clock.h"
#include "tools/fnv.h"
#include "tools/presets.h"

#define POINT_NS UINT64_C(5000000) /* least time of one measurement */

/* The calls that a row of the table is about. */
enum { SET_PROJECT, SET_OUTPUT, SET_BOTH, SETS };

enum {
    WAY_KERNEL,   /* the engine's product on its own packed image */
    WAY_PACKED,   /* the syscall, weights seen before */
    WAY_UNPACKED, /* the syscall, weights never seen: row-major */
    WAYS
};

typedef struct {
    const erx_kernel_t *kernel;
    erx_bench_account_t account;
    erx_bench_program_t program;
    erx_matmul_t *cached;
    erx_matmul_t *uncached;
    /* The engine's own. */
    erx_region_t region;
    erx_matrix_t matrices[ERX_BENCH_CALLS_MAX];
    uint8_t *activation;
    int32_t *sums;
} bench_t;

static size_t place(bench_t *bench, uint8_t *base)
{
    erx_layout_t layout = erx_layout_begin(base);
    for (uint32_t i = 0; i < bench->account.call_count; i++) {
        const erx_bench_call_t *call = &bench->account.calls[i];
        erx_matrix_t *matrix = &bench->matrices[i];
        *matrix = (erx_matrix_t){
            .panel_count = ERX_CEIL_DIV(call->rows, ERX_PANEL_ROWS),
            .columns = call->columns,
            .panel_bytes = bench->kernel->panel_bytes(call->columns),
        };
        matrix->panels = erx_layout_take(&layout, matrix->panel_count * matrix->panel_bytes);
    }
    bench->activation =
        erx_layout_take(&layout, ERX_ALIGN_UP((size_t)bench->account.width, ERX_PANEL_ROWS) *
                                     bench->kernel->activation_bytes);
    bench->sums = erx_layout_take(
        &layout, ERX_ALIGN_UP((size_t)bench->account.height, ERX_PANEL_ROWS) * sizeof(int32_t));
    return erx_layout_bytes(&layout);
}

static void pack_call(bench_t *bench, uint32_t index)
{
    const erx_bench_call_t *call = &bench->account.calls[index];
    const int8_t *weights = (const int8_t *)bench->account.region.base + call->offset;
    size_t offset = (size_t)(bench->matrices[index].panels - bench->region.base);
    for (uint32_t p = 0; p < bench->matrices[index].panel_count; p++) {
        const int8_t *rows[ERX_PANEL_ROWS] = {NULL};
        for (uint32_t i = 0; i < ERX_PANEL_ROWS && p * ERX_PANEL_ROWS + i < call->rows; i++)
            rows[i] = weights + (size_t)(p * ERX_PANEL_ROWS + i) * call->columns;
        bench->kernel->panel_pack(bench->region.base + offset +
                                      p * bench->matrices[index].panel_bytes,
                                  rows, call->columns);
    }
}

static erx_status_t open_own(bench_t *bench, erx_error_t *error)
{
    erx_status_t status = erx_region_open(&bench->region, place(bench, NULL), ERX_NODE_ANY, error);
    if (status != ERX_OK)
        return status;
    (void)place(bench, bench->region.base);
    for (uint32_t i = 0; i < bench->account.call_count; i++)
        pack_call(bench, i);
    return ERX_OK;
}

/* The syscall with a cache that knows every matrix, and without one. */
static erx_status_t open_syscalls(bench_t *bench, erx_error_t *error)
{
    erx_matmul_config_t config = erx_matmul_config_default();
    config.kernel = bench->kernel;
    erx_status_t status = erx_matmul_open(&config, &bench->cached, error);
    config.cache_bytes = 0;
    if (status == ERX_OK)
        status = erx_matmul_open(&config, &bench->uncached, error);
    for (uint32_t i = 0; status == ERX_OK && i < bench->account.call_count; i++) {
        erx_bench_program_call(&bench->program, bench->cached, i);
        erx_matrix_cache_settle(erx_matmul_cache(bench->cached));
    }
    return status;
}

static erx_status_t bench_open(bench_t *bench, const erx_kernel_t *kernel, const erx_shape_t *shape,
                               erx_error_t *error)
{
    *bench = (bench_t){.kernel = kernel};
    erx_status_t status = erx_bench_account_open(&bench->account, shape, error);
    if (status == ERX_OK)
        status = erx_bench_program_open(&bench->program, &bench->account, 1, error);
    if (status == ERX_OK)
        status = open_own(bench, error);
    return status == ERX_OK ? open_syscalls(bench, error) : status;
}

static void bench_close(bench_t *bench)
{
    erx_matmul_close(bench->cached);
    erx_matmul_close(bench->uncached);
    erx_region_close(&bench->region);
    erx_bench_program_close(&bench->program);
    erx_bench_account_close(&bench->account);
}

/* What the engine does for one session: packs the vector, multiplies. */
static void call_kernel(const bench_t *bench, uint32_t index)
{
    const erx_matrix_t *matrix = &bench->matrices[index];
    bench->kernel->activation_pack(bench->activation, erx_bench_program_input(&bench->program),
                                   matrix->columns);
    const erx_gemm_t call = {
        .matrix = matrix,
        .kind = ERX_GEMM_RAW,
        .panel_end = matrix->panel_count,
        .session_count = 1,
        .activation = bench->activation,
        .wide = bench->sums,
    };
    bench->kernel->gemm(&call);
}

static void run_call(bench_t *bench, uint32_t way, uint32_t index)
{
    if (way == WAY_KERNEL)
        call_kernel(bench, index);
    else
        erx_bench_program_call(&bench->program, way == WAY_PACKED ? bench->cached : bench->uncached,
                               index);
}

static uint32_t run_set(bench_t *bench, uint32_t way, uint32_t set)
{
    uint32_t first = set == SET_OUTPUT ? 1 : 0;
    uint32_t step = set == SET_BOTH ? 1 : 2;
    uint32_t count = 0;
    for (uint32_t i = first; i < bench->account.call_count; i += step, count++)
        run_call(bench, way, i);
    return count;
}

/* Nanoseconds a call. The first sweep brings the weights back that others' work
 * has driven out of the caches. */
static double time_set(bench_t *bench, uint32_t way, uint32_t set, bool smoke)
{
    uint64_t calls = 0, elapsed;
    (void)run_set(bench, way, set);
    uint64_t begin = erx_clock_now();
    do {
        calls += run_set(bench, way, set);
        elapsed = erx_clock_now() - begin;
    } while (!smoke && elapsed < POINT_NS);
    return (double)elapsed / (double)calls;
}

typedef struct {
    double us[WAYS];
    double ratio[WAYS]; /* to the kernel's time beside it */
} point_t;

static void measure(bench_t *bench, const erx_bench_options_t *options, erx_progress_t *progress,
                    point_t points[SETS])
{
    static erx_samples_t times[SETS][WAYS], ratios[SETS][WAYS]; /* large */
    memset(times, 0, sizeof times);
    memset(ratios, 0, sizeof ratios);
    for (uint32_t repeat = 0; repeat < options->repeats; repeat++) {
        for (uint32_t set = 0; set < SETS; set++) {
            double kernel_ns = 0;
            for (uint32_t way = 0; way < WAYS; way++) {
                double ns = time_set(bench, way, set, options->smoke);
                kernel_ns = way == WAY_KERNEL ? ns : kernel_ns;
                erx_samples_add(&times[set][way], ns);
                erx_samples_add(&ratios[set][way], ns / kernel_ns);
            }
        }
        erx_progress_update(progress, repeat + 1);
    }
    for (uint32_t set = 0; set < SETS; set++) {
        for (uint32_t way = 0; way < WAYS; way++) {
            points[set].us[way] = erx_samples_median(&times[set][way]) / 1e3;
            points[set].ratio[way] = erx_samples_median(&ratios[set][way]);
        }
    }
}

static void set_name(const bench_t *bench, uint32_t set, char *name, size_t bytes)
{
    const erx_bench_call_t *call = &bench->account.calls[set % 2];
    if (set == SET_BOTH)
        (void)snprintf(name, bytes, "both");
    else
        (void)snprintf(name, bytes, "%ux%u", call->rows, call->columns);
}

static void print_points(const char *preset, const bench_t *bench, const point_t points[SETS])
{
    char name[32];
    (void)printf("%s: %u calls a frame; microseconds a call, and times the kernel's\n", preset,
                 bench->account.call_count);
    (void)printf("  %-10s %10s %18s %18s\n", "matrices", "kernel", "seen before", "first sight");
    for (uint32_t set = 0; set < SETS; set++) {
        set_name(bench, set, name, sizeof name);
        (void)printf("  %-10s %10.2f %10.2f %6.2fx %10.2f %6.2fx\n", name,
                     points[set].us[WAY_KERNEL], points[set].us[WAY_PACKED],
                     points[set].ratio[WAY_PACKED], points[set].us[WAY_UNPACKED],
                     points[set].ratio[WAY_UNPACKED]);
    }
}

static json_t *points_json(const char *preset, const bench_t *bench, const point_t points[SETS])
{
    char name[32];
    json_t *rows = json_array();
    for (uint32_t set = 0; set < SETS; set++) {
        set_name(bench, set, name, sizeof name);
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "matrices", name, "kernel_us",
                            points[set].us[WAY_KERNEL], "seen_us", points[set].us[WAY_PACKED],
                            "seen_ratio", points[set].ratio[WAY_PACKED], "first_us",
                            points[set].us[WAY_UNPACKED], "first_ratio",
                            points[set].ratio[WAY_UNPACKED]));
    }
    return json_pack("{s:s, s:i, s:o}", "shape", preset, "calls_per_frame",
                     (int)bench->account.call_count, "matrices", rows);
}

/* Every call's result, the three ways; they must be the same bytes. */
static uint64_t result_hash(bench_t *bench, uint64_t hash)
{
    for (uint32_t i = 0; i < bench->account.call_count; i++) {
        size_t bytes = bench->account.calls[i].rows * sizeof(int32_t);
        call_kernel(bench, i);
        for (uint32_t way = WAY_PACKED; way < WAYS; way++) {
            run_call(bench, way, i);
            ERX_ASSERT(memcmp(erx_bench_program_output(&bench->program), bench->sums, bytes) == 0);
        }
        hash = erx_fnv1a(hash, bench->sums, bytes);
    }
    return hash;
}

static erx_status_t bench_shape(const erx_preset_t *preset, const erx_bench_options_t *options,
                                json_t *shapes, bool quiet, uint64_t *hash, erx_error_t *error)
{
    static bench_t bench; /* large */
    point_t points[SETS];
    erx_progress_t progress;
    erx_status_t status = bench_open(&bench, options->kernel, &preset->shape, error);
    if (status == ERX_OK) {
        erx_progress_start(&progress, preset->name, options->repeats);
        measure(&bench, options, &progress, points);
        erx_progress_finish(&progress);
        *hash = result_hash(&bench, *hash);
        if (!quiet)
            print_points(preset->name, &bench, points);
        (void)json_array_append_new(shapes, points_json(preset->name, &bench, points));
    }
    bench_close(&bench);
    return status;
}

erx_status_t erx_bench_syscall(const erx_bench_options_t *options, json_t *json, bool quiet,
                               erx_error_t *error)
{
    return erx_bench_shapes(bench_shape, options, json, quiet, error);
}
