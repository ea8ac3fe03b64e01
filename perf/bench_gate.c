/* erx bench gate: programs on threads of their own, each a frame's calls of
 * sol_matmul_i8 after the other, with the gate and without. Both alternate, so
 * that both see the same machine. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"
#include "perf/bench.h"
#include "perf/bench_program.h"
#include "sched/clock.h"
#include "tools/fnv.h"
#include "tools/presets.h"

#define PROGRAMS_MAX 16u
#define FRAMES       6u /* of each program, in one measurement */

static const uint32_t program_counts[] = {1, 2, 4, 8, 16};

typedef struct {
    erx_bench_account_t account;
    erx_bench_program_t programs[PROGRAMS_MAX];
    erx_matmul_t *matmul;
    erx_gate_t *gate;
} bench_t;

/* What the threads of one measurement share. */
typedef struct {
    bench_t *bench;
    uint32_t frames;
    pthread_barrier_t start;
} session_t;

typedef struct {
    session_t *session;
    erx_bench_program_t *program;
    pthread_t thread;
    uint64_t begin_ns;
    uint64_t end_ns;
} player_t;

static void *play(void *argument)
{
    player_t *player = argument;
    bench_t *bench = player->session->bench;
    (void)pthread_barrier_wait(&player->session->start);
    player->begin_ns = erx_clock_now();
    for (uint32_t frame = 0; frame < player->session->frames; frame++)
        for (uint32_t i = 0; i < bench->account.call_count; i++)
            erx_bench_program_call(player->program, bench->matmul, i);
    player->end_ns = erx_clock_now();
    if (player->program->machine.seat != NULL)
        erx_gate_leave(player->program->machine.seat);
    player->program->machine.seat = NULL;
    return NULL;
}

/* Nanoseconds a call, over all programs. */
static double time_programs(bench_t *bench, uint32_t count, bool is_gated, bool smoke)
{
    session_t session = {.bench = bench, .frames = smoke ? 1 : FRAMES};
    player_t players[PROGRAMS_MAX];
    erx_error_t error;
    ERX_ASSERT(pthread_barrier_init(&session.start, NULL, count) == 0);
    for (uint32_t i = 0; i < count; i++) {
        players[i] = (player_t){.session = &session, .program = &bench->programs[i]};
        if (is_gated)
            ERX_ASSERT(erx_gate_join(bench->gate, &players[i].program->machine.seat, &error) ==
                       ERX_OK);
        ERX_ASSERT(pthread_create(&players[i].thread, NULL, play, &players[i]) == 0);
    }
    uint64_t begin_ns = UINT64_MAX, end_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        ERX_ASSERT(pthread_join(players[i].thread, NULL) == 0);
        begin_ns = ERX_MIN(begin_ns, players[i].begin_ns);
        end_ns = ERX_MAX(end_ns, players[i].end_ns);
    }
    (void)pthread_barrier_destroy(&session.start);
    return (double)(end_ns - begin_ns) /
           ((double)session.frames * bench->account.call_count * count);
}

static erx_status_t bench_open(bench_t *bench, const erx_kernel_t *kernel, const erx_shape_t *shape,
                               erx_error_t *error)
{
    erx_matmul_config_t config = erx_matmul_config_default();
    const erx_gate_config_t gate = {
        .kernel = kernel, .window_ns = ERX_GATE_WINDOW_DEFAULT_NS, .seats = PROGRAMS_MAX};
    *bench = (bench_t){0};
    config.kernel = kernel;
    erx_status_t status = erx_bench_account_open(&bench->account, shape, error);
    for (uint32_t i = 0; status == ERX_OK && i < PROGRAMS_MAX; i++)
        status = erx_bench_program_open(&bench->programs[i], &bench->account, i, error);
    if (status == ERX_OK)
        status = erx_matmul_open(&config, &bench->matmul, error);
    if (status == ERX_OK)
        status = erx_gate_open(&gate, &bench->gate, error);
    for (uint32_t i = 0; status == ERX_OK && i < bench->account.call_count; i++) {
        erx_bench_program_call(&bench->programs[0], bench->matmul, i);
        erx_matrix_cache_settle(erx_matmul_cache(bench->matmul));
    }
    return status;
}

static void bench_close(bench_t *bench)
{
    erx_gate_close(bench->gate);
    erx_matmul_close(bench->matmul);
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++)
        erx_bench_program_close(&bench->programs[i]);
    erx_bench_account_close(&bench->account);
}

typedef struct {
    double alone_us; /* a call, over all programs */
    double gated_us;
    double speedup;
    double batch; /* programs that a product answered on average */
    double late;  /* share of products that a window's end started */
} point_t;

static void measure(bench_t *bench, const erx_bench_options_t *options, erx_progress_t *progress,
                    point_t points[])
{
    for (uint32_t c = 0; c < ERX_COUNT(program_counts); c++) {
        erx_samples_t alone = {0}, gated = {0}, speedup = {0};
        erx_gate_counters_t before = erx_gate_counters(bench->gate);
        for (uint32_t repeat = 0; repeat < options->repeats; repeat++) {
            double alone_ns = time_programs(bench, program_counts[c], false, options->smoke);
            double gated_ns = time_programs(bench, program_counts[c], true, options->smoke);
            erx_samples_add(&alone, alone_ns);
            erx_samples_add(&gated, gated_ns);
            erx_samples_add(&speedup, alone_ns / gated_ns);
        }
        erx_gate_counters_t after = erx_gate_counters(bench->gate);
        double products = (double)(after.products - before.products);
        points[c] = (point_t){
            .alone_us = erx_samples_median(&alone) / 1e3,
            .gated_us = erx_samples_median(&gated) / 1e3,
            .speedup = erx_samples_median(&speedup),
            .batch = (double)(after.answers - before.answers) / products,
            .late = (double)(after.late - before.late) / products,
        };
        erx_progress_update(progress, c + 1);
    }
}

static void print_points(const char *preset, const point_t points[])
{
    (void)printf("%s: microseconds a call, over all programs\n", preset);
    (void)printf("  %8s %10s %10s %9s %12s %6s\n", "programs", "ungated", "gated", "speed-up",
                 "of a product", "late");
    for (uint32_t c = 0; c < ERX_COUNT(program_counts); c++)
        (void)printf("  %8u %10.2f %10.2f %8.2fx %12.1f %5.1f%%\n", program_counts[c],
                     points[c].alone_us, points[c].gated_us, points[c].speedup, points[c].batch,
                     100 * points[c].late);
}

static json_t *points_json(const char *preset, const point_t points[])
{
    json_t *rows = json_array();
    for (uint32_t c = 0; c < ERX_COUNT(program_counts); c++)
        (void)json_array_append_new(
            rows, json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "programs", (int)program_counts[c],
                            "ungated_us", points[c].alone_us, "gated_us", points[c].gated_us,
                            "speedup", points[c].speedup, "calls_per_product", points[c].batch,
                            "late_fraction", points[c].late));
    return json_pack("{s:s, s:i, s:o}", "shape", preset, "window_us",
                     (int)(ERX_GATE_WINDOW_DEFAULT_NS / 1000), "programs", rows);
}

/* The last call's result of every program, which must not depend on the gate. */
static uint64_t result_hash(bench_t *bench, uint64_t hash)
{
    uint64_t hashes[2];
    const erx_bench_call_t *last = &bench->account.calls[bench->account.call_count - 1];
    for (uint32_t gated = 0; gated < 2; gated++) {
        (void)time_programs(bench, PROGRAMS_MAX, gated == 1, true);
        hashes[gated] = hash;
        for (uint32_t i = 0; i < PROGRAMS_MAX; i++)
            hashes[gated] = erx_fnv1a(hashes[gated], erx_bench_program_output(&bench->programs[i]),
                                      last->rows * sizeof(int32_t));
    }
    ERX_ASSERT(hashes[0] == hashes[1]);
    return hashes[0];
}

static erx_status_t bench_shape(const erx_preset_t *preset, const erx_bench_options_t *options,
                                json_t *shapes, bool quiet, uint64_t *hash, erx_error_t *error)
{
    static bench_t bench; /* large */
    point_t points[ERX_COUNT(program_counts)];
    erx_progress_t progress;
    erx_status_t status = bench_open(&bench, options->kernel, &preset->shape, error);
    if (status == ERX_OK) {
        erx_progress_start(&progress, preset->name, ERX_COUNT(program_counts));
        measure(&bench, options, &progress, points);
        erx_progress_finish(&progress);
        *hash = result_hash(&bench, *hash);
        if (!quiet)
            print_points(preset->name, points);
        (void)json_array_append_new(shapes, points_json(preset->name, points));
    }
    bench_close(&bench);
    return status;
}

erx_status_t erx_bench_gate(const erx_bench_options_t *options, json_t *json, bool quiet,
                            erx_error_t *error)
{
    return erx_bench_shapes(bench_shape, options, json, quiet, error);
}
