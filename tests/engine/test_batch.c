/* Plans of blocks of any size and mixture: what must hold of every plan, and
 * that workers who take groups at the same time take each one once. */
#include "engine/batch.h"

#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/rig.h"
#include "tests/support/rng.h"

#include <string.h>

#define MODELS_MAX   4u
#define NODES_MAX    3u
#define WORKERS_MAX  6u
#define FRAMES_MAX   600u
#define PLANS        300u
#define TAKEN_BLOCKS 200u

/* A block of made-up sessions, and its plan. */
typedef struct {
    erx_rng_t rng;
    uint32_t model_count, node_count, worker_count;
    uint32_t worker_nodes[WORKERS_MAX];
    erx_model_t models[MODELS_MAX];
    erx_session_t sessions[FRAMES_MAX];
    uint8_t arenas[FRAMES_MAX]; /* addresses to tell sessions apart by */
    erx_frame_t frames[FRAMES_MAX];
    erx_block_t block;
    erx_schedule_t schedule;
    erx_batch_t batch;
    void *memory;
} trial_t;

static trial_t trial;

static uint32_t draw(uint32_t low, uint32_t high)
{
    return (uint32_t)erx_rng_range(&trial.rng, low, high);
}

/* A machine whose nodes all have workers. */
static void draw_machine(void)
{
    trial.worker_count = draw(1, WORKERS_MAX);
    trial.node_count = draw(1, ERX_MIN(NODES_MAX, trial.worker_count));
    for (uint32_t w = 0; w < trial.worker_count; w++)
        trial.worker_nodes[w] = w < trial.node_count ? w : draw(0, trial.node_count - 1);
}

/* Models of which some are cheaper to split and some are not. */
static void draw_models(void)
{
    trial.model_count = draw(1, MODELS_MAX);
    for (uint32_t m = 0; m < trial.model_count; m++)
        trial.models[m] = (erx_model_t){
            .node_count = trial.node_count,
            .group_size = draw(ERX_GROUP_MIN, ERX_GROUP_MAX),
            .cost = {.point_count = 2,
                     .counts = {1, ERX_GROUP_MAX},
                     .slice_ns = {draw(1, 100), draw(100, 1000)},
                     .split_ns = {draw(1, 100), draw(100, 1000)}},
        };
}

static void draw_block(uint32_t frame_count)
{
    trial.block = (erx_block_t){
        .number = 1,
        .frame_count = frame_count,
        .frame_capacity = FRAMES_MAX,
        .frames = trial.frames,
    };
    for (uint32_t i = 0; i < frame_count; i++) {
        trial.sessions[i] = (erx_session_t){
            .arena = trial.arenas + i,
            .block_number = trial.block.number,
            .node = draw(0, trial.node_count - 1),
        };
        trial.frames[i] = (erx_frame_t){.model = &trial.models[draw(0, trial.model_count - 1)],
                                        .session = &trial.sessions[i]};
    }
}

/* Plans a random block. Blocks of few frames are as frequent as large ones. */
static void draw_plan(void)
{
    draw_machine();
    draw_models();
    draw_block(draw(0, 1) == 0 ? draw(0, 40) : draw(0, FRAMES_MAX));
    trial.schedule = (erx_schedule_t)draw(ERX_SCHEDULE_AUTO, ERX_SCHEDULE_SPLIT);
    trial.memory = erx_alloc(1, erx_batch_bytes(trial.worker_count, FRAMES_MAX));
    ck_assert_ptr_nonnull(trial.memory);
    erx_batch_init(&trial.batch, trial.worker_count, trial.worker_nodes, FRAMES_MAX, trial.schedule,
                   trial.memory);
    erx_batch_plan(&trial.batch, &trial.block, trial.models, trial.model_count);
}

/* An assertion that is cheap while it holds: it stands in inner loops. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s does not hold (%u frames, %u models, %u workers, %u nodes)",          \
                         #condition, trial.block.frame_count, trial.model_count,                   \
                         trial.worker_count, trial.node_count);                                    \
    } while (0)

/* Every frame of the block is one lane, with its session's memory. */
static void expect_every_frame_once(void)
{
    const erx_batch_t *batch = &trial.batch;
    bool seen[FRAMES_MAX] = {false};
    for (uint32_t lane = 0; lane < trial.block.frame_count; lane++) {
        const erx_frame_t *frame = batch->frames[lane];
        size_t i = (size_t)(frame - trial.frames);
        HOLDS(i < trial.block.frame_count);
        HOLDS(!seen[i]);
        seen[i] = true;
        uint8_t *arena = trial.arenas + i;
        HOLDS((uint8_t *)batch->lanes[lane].world == arena + ERX_ARENA_WORLD);
        HOLDS(batch->lanes[lane].recurrent == arena + ERX_ARENA_RECURRENT);
        HOLDS((const void *)batch->lanes[lane].control == (const void *)frame->control);
    }
}

/* Every lane is in one group, with lanes of its model alone; a group that one
 * worker steps has sessions of one node. */
static void expect_every_lane_once(void)
{
    const erx_batch_t *batch = &trial.batch;
    uint32_t lane = 0;
    bool seen[FRAMES_MAX] = {false};
    for (uint32_t g = 0; g < batch->group_count; g++) {
        const erx_group_t *group = &batch->groups[g];
        HOLDS(group->lane_count > 0 && group->lane_count <= group->model->group_size);
        HOLDS(group->lane_begin + group->lane_count <= trial.block.frame_count);
        const erx_frame_t *first = batch->frames[group->lane_begin];
        for (uint32_t i = 0; i < group->lane_count; i++, lane++) {
            const erx_frame_t *frame = batch->frames[group->lane_begin + i];
            HOLDS(!seen[group->lane_begin + i]);
            seen[group->lane_begin + i] = true;
            HOLDS(frame->model == group->model);
            HOLDS(frame->session->node == first->session->node);
        }
    }
    HOLDS(lane == trial.block.frame_count);
}

/* The shares are the groups behind the split ones, each once; a worker's own
 * share is on its node. */
static void expect_shares(void)
{
    const erx_batch_t *batch = &trial.batch;
    uint32_t next = batch->split_count;
    HOLDS(batch->split_count <= batch->group_count);
    for (uint32_t w = 0; w < trial.worker_count; w++) {
        HOLDS(atomic_load(&batch->shares[w].next) == next);
        HOLDS(batch->shares[w].end >= next);
        for (; next < batch->shares[w].end; next++) {
            const erx_group_t *group = &batch->groups[next];
            HOLDS(batch->frames[group->lane_begin]->session->node == trial.worker_nodes[w]);
        }
    }
    HOLDS(next == batch->group_count);
    if (trial.schedule == ERX_SCHEDULE_SLICE || trial.worker_count == 1)
        HOLDS(batch->split_count == 0);
    else if (trial.schedule == ERX_SCHEDULE_SPLIT)
        HOLDS(batch->split_count == batch->group_count);
}

/* Lanes of a model and node that a worker's share holds, and its least and
 * greatest group of them. */
typedef struct {
    uint32_t lanes, least, greatest, groups;
} portion_t;

static portion_t portion_of(const erx_model_t *model, uint32_t begin, uint32_t end)
{
    portion_t portion = {.least = UINT32_MAX};
    for (uint32_t g = begin; g < end; g++) {
        const erx_group_t *group = &trial.batch.groups[g];
        if (group->model != model)
            continue;
        portion.groups++;
        portion.lanes += group->lane_count;
        portion.least = ERX_MIN(portion.least, group->lane_count);
        portion.greatest = ERX_MAX(portion.greatest, group->lane_count);
    }
    return portion;
}

/* Workers of a node have as many lanes of a model as each other, in as few
 * groups as can be, of equal size; but for one lane. */
static void expect_balance(const erx_model_t *model, uint32_t node)
{
    uint32_t least = UINT32_MAX, greatest = 0;
    for (uint32_t w = 0; w < trial.worker_count; w++) {
        if (trial.worker_nodes[w] != node)
            continue;
        uint32_t begin = w == 0 ? trial.batch.split_count : trial.batch.shares[w - 1].end;
        portion_t portion = portion_of(model, begin, trial.batch.shares[w].end);
        least = ERX_MIN(least, portion.lanes);
        greatest = ERX_MAX(greatest, portion.lanes);
        HOLDS(portion.groups == ERX_CEIL_DIV(portion.lanes, model->group_size));
        HOLDS(portion.groups == 0 || portion.greatest - portion.least <= 1);
    }
    HOLDS(greatest - least <= 1);
}

START_TEST(test_a_plan_covers_every_frame_once_in_balance)
{
    trial.rng = erx_rng_open(0);
    for (uint32_t i = 0; i < PLANS; i++) {
        draw_plan();
        expect_every_frame_once();
        expect_every_lane_once();
        expect_shares();
        for (uint32_t m = 0; m < trial.model_count; m++)
            for (uint32_t node = 0; node < trial.node_count; node++)
                expect_balance(&trial.models[m], node);
        erx_free(trial.memory);
    }
}
END_TEST

/* Splitting follows from the costs: it pays for the first model alone, and
 * only while its frames are few. */
START_TEST(test_auto_splits_where_it_is_cheaper)
{
    trial.rng = erx_rng_open(1);
    for (uint32_t count = 1; count <= 4 * ERX_GROUP_MAX; count++) {
        do
            draw_machine();
        while (trial.worker_count == 1);
        trial.model_count = 2;
        for (uint32_t m = 0; m < 2; m++)
            trial.models[m] = (erx_model_t){
                .node_count = trial.node_count,
                .group_size = ERX_GROUP_MAX,
                .cost = {.point_count = 1,
                         .counts = {1},
                         .slice_ns = {1000},
                         .split_ns = {m == 0 ? 1 : 1000000}},
            };
        draw_block(count);
        trial.memory = erx_alloc(1, erx_batch_bytes(trial.worker_count, FRAMES_MAX));
        erx_batch_init(&trial.batch, trial.worker_count, trial.worker_nodes, FRAMES_MAX,
                       ERX_SCHEDULE_AUTO, trial.memory);
        erx_batch_plan(&trial.batch, &trial.block, trial.models, 2);
        uint32_t cheap = 0, split_lanes = 0;
        for (uint32_t i = 0; i < count; i++)
            cheap += trial.frames[i].model == &trial.models[0];
        for (uint32_t g = 0; g < trial.batch.split_count; g++)
            split_lanes += trial.batch.groups[g].lane_count;
        HOLDS(split_lanes == (cheap <= ERX_GROUP_MAX ? cheap : 0));
        HOLDS(portion_of(&trial.models[1], 0, trial.batch.split_count).groups == 0);
        erx_free(trial.memory);
    }
}
END_TEST

/* Which worker took which group; plain memory, one row a worker. */
typedef struct {
    erx_batch_t *batch;
    erx_gang_t *gang;
    uint32_t count[WORKERS_MAX];
    uint32_t taken[WORKERS_MAX][FRAMES_MAX];
} takers_t;

static takers_t takers;

static void take(takers_t *all, uint32_t worker)
{
    const erx_group_t *group;
    while ((group = erx_batch_take(all->batch, worker)) != NULL)
        all->taken[worker][all->count[worker]++] = (uint32_t)(group - all->batch->groups);
}

/* All begin at the same moment. */
static void take_all(void *context, uint32_t worker)
{
    takers_t *all = context;
    erx_gang_barrier(all->gang, worker);
    take(all, worker);
}

/* The first worker is held up and takes nothing. */
static void take_for_the_first(void *context, uint32_t worker)
{
    if (worker != 0)
        take(context, worker);
}

static void expect_groups_taken_once(void)
{
    uint32_t times[FRAMES_MAX] = {0};
    for (uint32_t w = 0; w < trial.worker_count; w++)
        for (uint32_t i = 0; i < takers.count[w]; i++)
            times[takers.taken[w][i]]++;
    for (uint32_t g = 0; g < trial.batch.group_count; g++)
        HOLDS(times[g] == (g >= trial.batch.split_count));
}

/* A block of many groups of one session each, shared out over the workers. */
static void draw_small_groups(uint32_t worker_count)
{
    trial.worker_count = worker_count;
    trial.node_count = draw(1, 2);
    for (uint32_t w = 0; w < worker_count; w++)
        trial.worker_nodes[w] = w % trial.node_count;
    trial.model_count = 1;
    trial.models[0] = (erx_model_t){.node_count = trial.node_count, .group_size = 1};
    draw_block(draw(FRAMES_MAX / 2, FRAMES_MAX));
    trial.memory = erx_alloc(1, erx_batch_bytes(worker_count, FRAMES_MAX));
    ck_assert_ptr_nonnull(trial.memory);
    erx_batch_init(&trial.batch, worker_count, trial.worker_nodes, FRAMES_MAX, ERX_SCHEDULE_SLICE,
                   trial.memory);
}

static void take_blocks(erx_gang_job_fn job)
{
    for (uint32_t worker_count = 2; worker_count <= WORKERS_MAX; worker_count += 2) {
        erx_error_t error = {0};
        erx_gang_t *gang = NULL;
        erx_topo_t topo = rig_imagine_processors(worker_count);
        ck_assert_int_eq(erx_gang_open(&topo, worker_count, &gang, &error), ERX_OK);
        draw_small_groups(worker_count);
        for (uint32_t i = 0; i < TAKEN_BLOCKS; i++) {
            erx_batch_plan(&trial.batch, &trial.block, trial.models, trial.model_count);
            takers = (takers_t){.batch = &trial.batch, .gang = gang};
            erx_gang_run(gang, job, &takers);
            expect_groups_taken_once();
        }
        erx_free(trial.memory);
        erx_gang_close(gang);
    }
}

START_TEST(test_groups_are_taken_once_by_workers_at_once)
{
    trial.rng = erx_rng_open(2);
    take_blocks(take_all);
}
END_TEST

START_TEST(test_a_worker_that_is_held_up_holds_nobody_up)
{
    trial.rng = erx_rng_open(3);
    take_blocks(take_for_the_first);
}
END_TEST

START_TEST(test_own_groups_come_before_those_of_the_node_and_of_others)
{
    static const uint32_t nodes[] = {0, 1, 0, 1};
    trial.rng = erx_rng_open(4);
    trial.worker_count = ERX_COUNT(nodes);
    trial.node_count = 2;
    memcpy(trial.worker_nodes, nodes, sizeof nodes);
    draw_models();
    draw_block(FRAMES_MAX);
    trial.memory = erx_alloc(1, erx_batch_bytes(trial.worker_count, FRAMES_MAX));
    erx_batch_init(&trial.batch, trial.worker_count, trial.worker_nodes, FRAMES_MAX,
                   ERX_SCHEDULE_SLICE, trial.memory);
    erx_batch_plan(&trial.batch, &trial.block, trial.models, trial.model_count);
    static const uint32_t order[] = {2, 0, 3, 1}; /* of worker 2: own, its node's, the others' */
    for (uint32_t i = 0; i < ERX_COUNT(order); i++) {
        uint32_t owner = order[i];
        uint32_t begin = owner == 0 ? 0 : trial.batch.shares[owner - 1].end;
        ck_assert_uint_lt(begin, trial.batch.shares[owner].end);
        for (uint32_t g = begin; g < trial.batch.shares[owner].end; g++)
            ck_assert_ptr_eq(erx_batch_take(&trial.batch, 2), &trial.batch.groups[g]);
    }
    ck_assert_ptr_null(erx_batch_take(&trial.batch, 2));
    ck_assert_ptr_null(erx_batch_take(&trial.batch, 0));
    erx_free(trial.memory);
}
END_TEST

Suite *batch_suite(void)
{
    Suite *suite = suite_create("batch");
    TCase *tcase = tcase_create("batch");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_a_plan_covers_every_frame_once_in_balance);
    tcase_add_test(tcase, test_auto_splits_where_it_is_cheaper);
    tcase_add_test(tcase, test_groups_are_taken_once_by_workers_at_once);
    tcase_add_test(tcase, test_a_worker_that_is_held_up_holds_nobody_up);
    tcase_add_test(tcase, test_own_groups_come_before_those_of_the_node_and_of_others);
    suite_add_tcase(suite, tcase);
    return suite;
}
