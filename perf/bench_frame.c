/* erx bench frame: whole frames on one core, sessions by the batch.
 *
 * A lone session keeps its state in the caches; batches take turns through
 * POOL sessions, so that states come from memory as they do under load, and
 * go in groups as an engine's worker carries them. */
#include <stdio.h>
#include <string.h>

#include "engine/account.h"
#include "engine/step.h"
#include "mem/alloc.h"
#include "perf/bench.h"
#include "perf/profile.h"
#include "sched/clock.h"
#include "tools/fnv.h"
#include "tools/presets.h"
#include "tools/synth.h"

#define POOL       128u
#define POOL_SMOKE 8u
#define BATCH_MAX  32u
#define POINT_NS   UINT64_C(20000000) /* least time of one measurement */
#define MODEL_SEED 1u

static const uint32_t batches[] = {1, 2, 4, 8, 16, 32};

typedef struct {
    erx_model_draft_t draft;
    erx_image_t image;
    erx_step_model_t model;
    erx_scratch_t scratch;
    uint32_t pool;
    size_t arena_bytes;
    erx_region_t region;
    uint8_t *arenas;
    erx_lane_t *lanes;                                      /* [pool + BATCH_MAX], cyclic */
    uint8_t (*controls)[ERX_PLAYERS][ERX_CONTROLLER_BYTES]; /* [pool] */
    uint32_t turn;                                          /* next session of the pool */
} stage_t;

static erx_status_t make_model(stage_t *stage, const erx_preset_t *preset, erx_error_t *error)
{
    erx_status_t status = erx_model_draft_open(&stage->draft, &preset->shape, preset->name, error);
    if (status != ERX_OK)
        return status;
    erx_synth_fill(&stage->draft, MODEL_SEED, 0);
    return erx_model_draft_seal(&stage->draft, error);
}

/* Image, work space and arenas in one region. */
static erx_status_t take_memory(stage_t *stage, const erx_kernel_t *kernel, erx_error_t *error)
{
    const erx_shape_t *shape = &stage->draft.tensors.shape;
    size_t image_bytes = erx_image_bytes(kernel, shape);
    size_t scratch_bytes = erx_scratch_bytes(kernel, shape, BATCH_MAX);
    stage->arena_bytes = erx_arena_bytes(shape);
    stage->lanes = erx_alloc(stage->pool + BATCH_MAX, sizeof *stage->lanes);
    stage->controls = erx_alloc(stage->pool, sizeof *stage->controls);
    if (stage->lanes == NULL || stage->controls == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u sessions", stage->pool);
    erx_status_t status = erx_region_open(&stage->region,
                                          image_bytes + scratch_bytes +
                                              stage->pool * stage->arena_bytes + 3 * ERX_CACHE_LINE,
                                          ERX_NODE_ANY, error);
    if (status != ERX_OK)
        return status;
    uint8_t *base = erx_region_take(&stage->region, image_bytes, ERX_CACHE_LINE);
    erx_image_pack(kernel, &stage->draft.tensors, base);
    erx_image_map(kernel, &stage->draft.tensors, base, &stage->image);
    erx_scratch_init(&stage->scratch, kernel, shape, BATCH_MAX,
                     erx_region_take(&stage->region, scratch_bytes, ERX_CACHE_LINE));
    stage->arenas =
        erx_region_take(&stage->region, stage->pool * stage->arena_bytes, ERX_CACHE_LINE);
    return ERX_OK;
}

static void start_sessions(stage_t *stage)
{
    static const uint8_t characters[ERX_PLAYERS] = {1, 2};
    for (uint32_t i = 0; i < stage->pool + BATCH_MAX; i++) {
        uint32_t session = i % stage->pool;
        uint8_t *arena = stage->arenas + session * stage->arena_bytes;
        stage->lanes[i] = (erx_lane_t){
            .world = erx_arena_world(arena),
            .recurrent = arena + ERX_ARENA_RECURRENT,
            .control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])stage->controls[session],
        };
        if (i < stage->pool) {
            memset(arena, 0, stage->arena_bytes);
            erx_world_start(erx_arena_world(arena), 31, characters);
            erx_bench_fill(stage->controls[i], sizeof stage->controls[i], i);
        }
    }
}

static erx_status_t stage_open(stage_t *stage, const erx_preset_t *preset,
                               const erx_bench_options_t *options, erx_error_t *error)
{
    memset(stage, 0, sizeof *stage);
    stage->pool = options->smoke ? POOL_SMOKE : POOL;
    erx_status_t status = make_model(stage, preset, error);
    if (status == ERX_OK)
        status = take_memory(stage, options->kernel, error);
    if (status == ERX_OK) {
        stage->model = (erx_step_model_t){.kernel = options->kernel, .image = &stage->image};
        start_sessions(stage);
    }
    return status;
}

static void stage_close(stage_t *stage)
{
    erx_region_close(&stage->region);
    erx_free(stage->lanes);
    erx_free(stage->controls);
    erx_model_draft_close(&stage->draft);
}

/* One frame of the next batch sessions in turn. */
static void step_next(stage_t *stage, uint32_t batch)
{
    static const erx_step_part_t alone = {.worker = 0, .worker_count = 1};
    erx_step(&stage->model, &stage->scratch, &stage->scratch, &alone, stage->lanes + stage->turn,
             batch);
    if (batch > 1)
        stage->turn = (stage->turn + batch) % stage->pool;
}

static double time_frames(stage_t *stage, uint32_t batch, uint64_t least_ns)
{
    uint64_t runs = 0, elapsed;
    step_next(stage, batch); /* brings the weights back into the caches */
    uint64_t begin = erx_clock_now();
    do {
        step_next(stage, batch);
        runs++;
        elapsed = erx_clock_now() - begin;
    } while (elapsed < least_ns);
    return (double)elapsed / 1e3 / (double)(runs * batch);
}

static void measure(stage_t *stage, const erx_bench_options_t *options, const char *label,
                    double *us)
{
    erx_samples_t samples[ERX_COUNT(batches)] = {0};
    erx_progress_t progress;
    erx_progress_start(&progress, label, options->repeats);
    for (uint32_t repeat = 0; repeat < options->repeats; repeat++) {
        for (uint32_t b = 0; b < ERX_COUNT(batches); b++)
            if (batches[b] <= stage->pool)
                erx_samples_add(&samples[b],
                                time_frames(stage, batches[b], options->smoke ? 0 : POINT_NS));
        erx_progress_update(&progress, repeat + 1);
    }
    erx_progress_finish(&progress);
    for (uint32_t b = 0; b < ERX_COUNT(batches); b++)
        us[b] = erx_samples_median(&samples[b]);
}

/* Shares of the operations in frames of the largest batch; what is left is
 * features, world states and the loop itself. */
static json_t *measure_phases(stage_t *stage, bool quiet)
{
    json_t *phases = json_object();
    const erx_kernel_t *kernel = stage->model.kernel;
    stage->model.kernel = erx_profile_wrap(kernel);
    uint64_t runs = 0;
    uint64_t begin = erx_clock_now(), elapsed;
    uint64_t first_tick = erx_profile_ticks();
    do {
        step_next(stage, ERX_MIN(BATCH_MAX, stage->pool));
        runs++;
        elapsed = erx_clock_now() - begin;
    } while (elapsed < 10 * POINT_NS);
    double us_a_tick = (double)elapsed / 1e3 / (double)(erx_profile_ticks() - first_tick) /
                       (double)(runs * ERX_MIN(BATCH_MAX, stage->pool));
    double rest = (double)elapsed / 1e3 / (double)(runs * ERX_MIN(BATCH_MAX, stage->pool));
    const erx_profile_entry_t *entries = erx_profile_entries();
    for (uint32_t i = 0; i < ERX_PROFILE_OPERATIONS; i++) {
        double us = (double)entries[i].ticks * us_a_tick;
        rest -= us;
        (void)json_object_set_new(phases, entries[i].name, json_real(us));
        if (!quiet)
            (void)printf("    %-14s %8.2f us\n", entries[i].name, us);
    }
    (void)json_object_set_new(phases, "rest", json_real(rest));
    if (!quiet)
        (void)printf("    %-14s %8.2f us\n", "rest", rest);
    stage->model.kernel = kernel;
    return phases;
}

static json_t *report(const char *preset, const stage_t *stage, const double *us, bool quiet)
{
    json_t *rows = json_array();
    if (!quiet)
        (void)printf("%s: us a session-frame on one core\n  batch", preset);
    for (uint32_t b = 0; !quiet && b < ERX_COUNT(batches); b++)
        (void)printf(" %8u", batches[b]);
    if (!quiet)
        (void)printf("\n       ");
    for (uint32_t b = 0; b < ERX_COUNT(batches) && batches[b] <= stage->pool; b++) {
        if (!quiet)
            (void)printf("%9.2f", us[b]);
        (void)json_array_append_new(
            rows, json_pack("{s:i, s:f}", "batch", (int)batches[b], "us_per_session_frame", us[b]));
    }
    if (!quiet)
        (void)printf("\n");
    return json_pack("{s:s, s:o}", "shape", preset, "batches", rows);
}

/* States after fixed work, equal for every instruction set. */
static uint64_t result_hash(stage_t *stage, uint64_t hash)
{
    stage->turn = 0;
    start_sessions(stage);
    for (uint32_t i = 0; i < 3; i++)
        step_next(stage, ERX_MIN(stage->pool, BATCH_MAX));
    return erx_fnv1a(hash, stage->arenas, stage->pool * stage->arena_bytes);
}

static erx_status_t bench_shape(const erx_preset_t *preset, const erx_bench_options_t *options,
                                json_t *shapes, bool quiet, uint64_t *hash, erx_error_t *error)
{
    stage_t stage;
    double us[ERX_COUNT(batches)];
    erx_status_t status = stage_open(&stage, preset, options, error);
    if (status == ERX_OK) {
        measure(&stage, options, preset->name, us);
        json_t *row = report(preset->name, &stage, us, quiet);
        if (options->phases)
            (void)json_object_set_new(row, "phases_us", measure_phases(&stage, quiet));
        (void)json_array_append_new(shapes, row);
        *hash = result_hash(&stage, *hash);
    }
    stage_close(&stage);
    return status;
}

erx_status_t erx_bench_frame(const erx_bench_options_t *options, json_t *json, bool quiet,
                             erx_error_t *error)
{
    return erx_bench_shapes(bench_shape, options, json, quiet, error);
}
