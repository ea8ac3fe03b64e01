#include "engine/cost.h"

#include "engine/account.h"
#include "mem/alloc.h"
#include "mem/region.h"
#include "sched/clock.h"

#define MEASURED_RUNS 3u

/* Throw-away sessions and the job that steps them. */
typedef struct {
    erx_gang_t *gang;
    const erx_step_model_t *steps;
    erx_scratch_t *scratches;
    erx_lane_t lanes[ERX_GROUP_MAX];
    uint8_t controls[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    uint32_t count;
    bool split;
} trial_t;

static void run_trial(void *context, uint32_t worker)
{
    trial_t *trial = context;
    erx_step_part_t part = {.worker = 0, .worker_count = 1};
    if (trial->split)
        part = (erx_step_part_t){
            .worker = worker,
            .worker_count = erx_gang_worker_count(trial->gang),
            .gang = trial->gang,
        };
    else if (worker != 0)
        return;
    const erx_step_model_t *step = &trial->steps[erx_gang_worker_node(trial->gang, worker)];
    erx_step(step, &trial->scratches[0], &trial->scratches[worker], &part, trial->lanes,
             trial->count);
}

static uint64_t time_trial(trial_t *trial, uint32_t count, bool split)
{
    uint64_t best = UINT64_MAX;
    trial->count = count;
    trial->split = split;
    for (uint32_t run = 0; run < MEASURED_RUNS; run++) {
        uint64_t begin = erx_clock_now();
        erx_gang_run(trial->gang, run_trial, trial);
        best = ERX_MIN(best, erx_clock_now() - begin);
    }
    return best;
}

/* Points 1, 2, 4 ... up to the group size, which is always the last. */
static void measure_points(erx_cost_t *cost, trial_t *trial, uint32_t group_size)
{
    bool alone = erx_gang_worker_count(trial->gang) == 1;
    for (uint32_t count = 1; cost->point_count < ERX_COST_POINTS_MAX;
         count = ERX_MIN(2 * count, group_size)) {
        uint32_t i = cost->point_count++;
        cost->counts[i] = count;
        cost->slice_ns[i] = time_trial(trial, count, false);
        cost->split_ns[i] = alone ? cost->slice_ns[i] : time_trial(trial, count, true);
        if (count == group_size)
            break;
    }
}

erx_status_t erx_cost_measure(erx_cost_t *cost_out, erx_gang_t *gang, const erx_step_model_t *steps,
                              erx_scratch_t *scratches, uint32_t group_size, erx_error_t *error)
{
    const erx_shape_t *shape = &steps[erx_gang_worker_node(gang, 0)].image->shape;
    static const uint8_t characters[ERX_PLAYERS] = {0, 0};
    size_t arena_bytes = erx_arena_bytes(shape);
    erx_region_t region;
    trial_t *trial = erx_alloc(1, sizeof *trial);
    *cost_out = (erx_cost_t){0};
    if (trial == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to measure a frame");
    erx_status_t status = erx_region_open(&region, group_size * arena_bytes, ERX_NODE_ANY, error);
    if (status == ERX_OK) {
        trial->gang = gang;
        trial->steps = steps;
        trial->scratches = scratches;
        for (uint32_t i = 0; i < group_size; i++) {
            uint8_t *arena = erx_region_take(&region, arena_bytes, ERX_CACHE_LINE);
            erx_world_start(erx_arena_world(arena), 0, characters);
            trial->lanes[i] = (erx_lane_t){
                .world = erx_arena_world(arena),
                .recurrent = arena + ERX_ARENA_RECURRENT,
                .control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])trial->controls,
            };
        }
        measure_points(cost_out, trial, group_size);
        erx_region_close(&region);
    }
    erx_free(trial);
    return status;
}

/* Cost of count sessions; beyond the last point more groups follow. */
static uint64_t cost_of(const erx_cost_t *cost, const uint64_t *ns, uint32_t count)
{
    uint32_t last = cost->point_count - 1;
    if (count >= cost->counts[last])
        return ns[last] * count / cost->counts[last];
    uint32_t i = 0;
    while (cost->counts[i + 1] <= count)
        i++;
    uint32_t span = cost->counts[i + 1] - cost->counts[i];
    int64_t rise = (int64_t)ns[i + 1] - (int64_t)ns[i];
    return (uint64_t)((int64_t)ns[i] + rise * (count - cost->counts[i]) / span);
}

bool erx_cost_prefers_split(const erx_cost_t *cost, uint32_t count, uint32_t worker_count)
{
    if (worker_count == 1 || count == 0)
        return false;
    uint32_t slice = ERX_CEIL_DIV(count, worker_count);
    return cost_of(cost, cost->split_ns, count) < cost_of(cost, cost->slice_ns, slice);
}

uint64_t erx_cost_frame_ns(const erx_cost_t *cost)
{
    uint32_t last = cost->point_count - 1;
    return cost->slice_ns[last] / cost->counts[last];
}
