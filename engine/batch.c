#include "engine/batch.h"

#include "mem/assert.h"
#include "mem/layout.h"

static size_t batch_place(erx_batch_t *batch, void *memory)
{
    size_t frames = batch->frame_capacity;
    erx_layout_t layout = erx_layout_begin(memory);
    batch->lanes = erx_layout_take(&layout, frames * sizeof *batch->lanes);
    batch->frames = erx_layout_take(&layout, frames * sizeof *batch->frames);
    batch->runs = erx_layout_take(&layout, ERX_RUNS_MAX * sizeof *batch->runs);
    batch->groups = erx_layout_take(&layout, frames * sizeof *batch->groups);
    batch->shares = erx_layout_take(&layout, batch->worker_count * sizeof *batch->shares);
    return erx_layout_bytes(&layout);
}

size_t erx_batch_bytes(uint32_t worker_count, uint32_t frame_capacity)
{
    erx_batch_t counted = {.worker_count = worker_count, .frame_capacity = frame_capacity};
    return batch_place(&counted, NULL);
}

void erx_batch_init(erx_batch_t *batch, uint32_t worker_count, const uint32_t *worker_nodes,
                    uint32_t frame_capacity, erx_schedule_t schedule, void *memory)
{
    *batch = (erx_batch_t){
        .worker_count = worker_count,
        .worker_nodes = worker_nodes,
        .schedule = schedule,
        .frame_capacity = frame_capacity,
    };
    (void)batch_place(batch, memory);
}

/* Puts the frames of one model and node behind each other as lanes from
 * lane_begin on; returns how many they are. */
static uint32_t gather(erx_batch_t *batch, const erx_block_t *block, const erx_model_t *model,
                       uint32_t node, uint32_t lane_begin)
{
    uint32_t lane = lane_begin;
    for (uint32_t i = 0; i < block->frame_count; i++) {
        erx_frame_t *frame = &block->frames[i];
        if (frame->model != model || frame->session->node != node)
            continue;
        /* A session that was ended or created anew meanwhile would not match. */
        ERX_ASSERT(frame->session->block_number == block->number);
        uint8_t *arena = frame->session->arena;
        batch->frames[lane] = frame;
        batch->lanes[lane++] = (erx_lane_t){
            .world = erx_arena_world(arena),
            .recurrent = arena + ERX_ARENA_RECURRENT,
            .control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])frame->control,
        };
    }
    return lane - lane_begin;
}

/* Whether the whole gang steps count sessions of a model together. */
static bool is_split(const erx_batch_t *batch, const erx_model_t *model, uint32_t count)
{
    if (batch->worker_count == 1 || batch->schedule == ERX_SCHEDULE_SLICE)
        return false;
    if (batch->schedule == ERX_SCHEDULE_SPLIT)
        return true;
    return count <= model->group_size &&
           erx_cost_prefers_split(&model->cost, count, batch->worker_count);
}

/* Finds the runs of a model; returns the first lane behind them. */
static uint32_t add_runs(erx_batch_t *batch, const erx_block_t *block, erx_model_t *model,
                         uint32_t lane_begin)
{
    uint32_t lane = lane_begin;
    uint32_t first = batch->run_count;
    for (uint32_t node = 0; node < model->node_count; node++) {
        uint32_t count = gather(batch, block, model, node, lane);
        if (count == 0)
            continue;
        batch->runs[batch->run_count++] =
            (erx_run_t){.model = model, .node = node, .lane_begin = lane, .lane_count = count};
        lane += count;
    }
    for (uint32_t i = first; i < batch->run_count; i++)
        batch->runs[i].split = is_split(batch, model, lane - lane_begin);
    return lane;
}

/* Appends groups for part [begin, end) of a run's lanes, as few as the model's
 * group size allows, balanced so that they differ by one lane. */
static void add_groups(erx_batch_t *batch, const erx_run_t *run, uint32_t begin, uint32_t end)
{
    uint32_t count = end - begin;
    uint32_t group_count = ERX_CEIL_DIV(count, run->model->group_size);
    for (uint32_t g = 0; g < group_count; g++) {
        uint32_t from = (uint32_t)((uint64_t)count * g / group_count);
        uint32_t to = (uint32_t)((uint64_t)count * (g + 1) / group_count);
        batch->groups[batch->group_count++] = (erx_group_t){
            .model = run->model,
            .lane_begin = run->lane_begin + begin + from,
            .lane_count = to - from,
        };
    }
}

/* Gives a worker its part of every sliced run of its node. */
static void add_share(erx_batch_t *batch, uint32_t worker)
{
    uint32_t node = batch->worker_nodes[worker];
    uint32_t rank = 0, peers = 0;
    for (uint32_t w = 0; w < batch->worker_count; w++) {
        bool same = batch->worker_nodes[w] == node;
        rank += same && w < worker;
        peers += same;
    }
    atomic_store_explicit(&batch->shares[worker].next, batch->group_count, memory_order_relaxed);
    for (uint32_t i = 0; i < batch->run_count; i++) {
        const erx_run_t *run = &batch->runs[i];
        if (run->split || run->node != node)
            continue;
        add_groups(batch, run, (uint32_t)((uint64_t)run->lane_count * rank / peers),
                   (uint32_t)((uint64_t)run->lane_count * (rank + 1) / peers));
    }
    batch->shares[worker].end = batch->group_count;
}

void erx_batch_plan(erx_batch_t *batch, const erx_block_t *block, erx_model_t *models,
                    uint32_t model_count)
{
    uint32_t lane = 0;
    ERX_ASSERT(block->frame_count <= batch->frame_capacity);
    batch->run_count = 0;
    batch->group_count = 0;
    for (uint32_t m = 0; m < model_count; m++)
        lane = add_runs(batch, block, &models[m], lane);
    ERX_ASSERT(lane == block->frame_count);
    for (uint32_t i = 0; i < batch->run_count; i++)
        if (batch->runs[i].split)
            add_groups(batch, &batch->runs[i], 0, batch->runs[i].lane_count);
    batch->split_count = batch->group_count;
    for (uint32_t worker = 0; worker < batch->worker_count; worker++)
        add_share(batch, worker);
}

/* Relaxed is enough: the plan was published by the gang's start, and what the
 * group's owner writes is published by the end of the job. */
static erx_group_t *take_from(erx_batch_t *batch, uint32_t owner)
{
    erx_share_t *share = &batch->shares[owner];
    if (atomic_load_explicit(&share->next, memory_order_relaxed) >= share->end)
        return NULL;
    uint32_t index = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed);
    return index < share->end ? &batch->groups[index] : NULL;
}

erx_group_t *erx_batch_take(erx_batch_t *batch, uint32_t worker)
{
    erx_group_t *group = take_from(batch, worker);
    for (uint32_t far = 0; far < 2; far++) {
        for (uint32_t i = 1; group == NULL && i < batch->worker_count; i++) {
            uint32_t owner = (worker + i) % batch->worker_count;
            if ((batch->worker_nodes[owner] != batch->worker_nodes[worker]) == far)
                group = take_from(batch, owner);
        }
    }
    return group;
}
