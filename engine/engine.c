#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "kernels/select.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/clock.h"

#define KERNEL_NAME_MAX 32u /* that a message quotes */

struct erx_engine {
    erx_topo_t topo;
    erx_gang_t *gang;
    const erx_kernel_t *kernel;
    erx_schedule_t schedule;
    uint32_t *worker_nodes;
    uint32_t model_count;
    erx_model_t models[ERX_MODELS_MAX];
    erx_block_t block;
    erx_batch_t batch;
    void *batch_memory;
    erx_store_t *store;
    bool chained;        /* sessions' chains of frame hashes are kept ... */
    bool always_chained; /* ... whether there is a store or not */
};

static erx_status_t choose_kernel(const char *isa, const erx_kernel_t **kernel_out,
                                  erx_error_t *error)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    *kernel_out = isa == NULL ? kernels[0] : erx_kernel_find(isa);
    if (*kernel_out != NULL)
        return ERX_OK;
    char names[ERX_KERNELS_MAX * KERNEL_NAME_MAX] = "";
    for (uint32_t i = 0, length = 0; i < count && length < sizeof names; i++)
        length += (uint32_t)snprintf(names + length, sizeof names - length, "%s%s",
                                     i == 0 ? "" : ", ", kernels[i]->name);
    return erx_error_set(error, ERX_ERR_ARGUMENT,
                         "instruction set '%.*s' is not one of this machine's: %s",
                         (int)KERNEL_NAME_MAX, isa, names);
}

static erx_status_t open_gang(erx_engine_t *engine, uint32_t worker_count, erx_error_t *error)
{
    if (worker_count == 0)
        worker_count = engine->topo.cpu_count;
    erx_status_t status = erx_gang_open(&engine->topo, worker_count, &engine->gang, error);
    if (status != ERX_OK)
        return status;
    engine->worker_nodes = erx_alloc(worker_count, sizeof *engine->worker_nodes);
    if (engine->worker_nodes == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u workers", worker_count);
    for (uint32_t w = 0; w < worker_count; w++)
        engine->worker_nodes[w] = erx_gang_worker_node(engine->gang, w);
    return ERX_OK;
}

erx_status_t erx_engine_open(const erx_engine_config_t *config, erx_engine_t **engine_out,
                             erx_error_t *error)
{
    erx_engine_t *engine = erx_alloc(1, sizeof *engine);
    if (engine == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for an engine");
    engine->schedule = config->schedule;
    engine->chained = config->chained;
    engine->always_chained = config->chained;
    erx_status_t status = choose_kernel(config->isa, &engine->kernel, error);
    if (status == ERX_OK)
        status = erx_topo_read(config->cpu_list, &engine->topo, error);
    if (status == ERX_OK)
        status = open_gang(engine, config->worker_count, error);
    if (status != ERX_OK) {
        erx_engine_close(engine);
        return status;
    }
    *engine_out = engine;
    return ERX_OK;
}

/* Makes room for the frames of all models in one block; keeps those that are in
 * it. */
static erx_status_t resize_block(erx_engine_t *engine, uint32_t frame_capacity, erx_error_t *error)
{
    uint32_t worker_count = erx_gang_worker_count(engine->gang);
    erx_frame_t *frames = erx_alloc(frame_capacity, sizeof *frames);
    void *memory = erx_alloc(1, erx_batch_bytes(worker_count, frame_capacity));
    if (frames == NULL || memory == NULL) {
        erx_free(frames);
        erx_free(memory);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for blocks of %u frames",
                             frame_capacity);
    }
    if (engine->block.frame_count > 0)
        memcpy(frames, engine->block.frames, engine->block.frame_count * sizeof *frames);
    erx_free(engine->block.frames);
    erx_free(engine->batch_memory);
    engine->batch_memory = memory;
    engine->block.frames = frames;
    engine->block.frame_capacity = frame_capacity;
    erx_batch_init(&engine->batch, worker_count, engine->worker_nodes, frame_capacity,
                   engine->schedule, memory);
    return ERX_OK;
}

static erx_model_plan_t plan_of(const erx_engine_t *engine, uint32_t session_capacity)
{
    return (erx_model_plan_t){
        .topo = &engine->topo,
        .gang = engine->gang,
        .kernel = engine->kernel,
        .session_capacity = session_capacity,
    };
}

/* Whether one more model may come; name is for messages. */
static erx_status_t check_more(const erx_engine_t *engine, const char *name, erx_error_t *error)
{
    if (engine->store != NULL)
        return erx_error_set(error, ERX_ERR_STATE,
                             "%s: models are loaded before the data directory is opened", name);
    if (engine->model_count == ERX_MODELS_MAX)
        return erx_error_set(error, ERX_ERR_FULL, "%s: the engine holds %u models already", name,
                             ERX_MODELS_MAX);
    return ERX_OK;
}

/* The model behind the others was opened. */
static erx_status_t count_model(erx_engine_t *engine, erx_error_t *error)
{
    erx_model_t *model = &engine->models[engine->model_count];
    uint32_t frame_capacity = model->sessions.capacity;
    for (uint32_t m = 0; m < engine->model_count; m++)
        frame_capacity += engine->models[m].sessions.capacity;
    if (resize_block(engine, frame_capacity, error) != ERX_OK) {
        erx_model_close(model);
        return error->status;
    }
    engine->model_count++;
    return ERX_OK;
}

erx_status_t erx_engine_load_model(erx_engine_t *engine, const char *directory,
                                   uint32_t session_capacity, erx_model_t **model_out,
                                   erx_error_t *error)
{
    const erx_model_plan_t plan = plan_of(engine, session_capacity);
    erx_model_t *model = &engine->models[engine->model_count];
    erx_status_t status = check_more(engine, directory, error);
    if (status == ERX_OK)
        status = erx_model_open(model, directory, &plan, error);
    if (status == ERX_OK)
        status = count_model(engine, error);
    if (status == ERX_OK)
        *model_out = model;
    return status;
}

erx_status_t erx_engine_add_place(erx_engine_t *engine, uint32_t arena_bytes, uint32_t capacity,
                                  uint32_t *pool_out, erx_error_t *error)
{
    const erx_model_plan_t plan = plan_of(engine, capacity);
    uint32_t pool = engine->model_count;
    erx_status_t status = check_more(engine, "a place for a later model", error);
    if (status == ERX_OK)
        status = erx_model_open_place(&engine->models[pool], arena_bytes, &plan, error);
    if (status == ERX_OK)
        status = count_model(engine, error);
    if (status == ERX_OK)
        *pool_out = pool;
    return status;
}

erx_status_t erx_engine_load_model_bytes(erx_engine_t *engine, const erx_model_bytes_t *bytes,
                                         uint32_t pool, uint32_t session_capacity,
                                         erx_model_t **model_out, erx_error_t *error)
{
    const erx_model_plan_t plan = plan_of(engine, session_capacity);
    erx_status_t status;
    if (pool != ERX_POOL_NONE) {
        ERX_ASSERT(pool < engine->model_count);
        status = erx_model_bind(&engine->models[pool], bytes, &plan, error);
        if (status == ERX_OK && engine->store != NULL)
            erx_store_note_model(engine->store);
    } else {
        pool = engine->model_count;
        status = check_more(engine, "a model in memory", error);
        if (status == ERX_OK)
            status = erx_model_open_bytes(&engine->models[pool], bytes, &plan, error);
        if (status == ERX_OK)
            status = count_model(engine, error);
    }
    if (status == ERX_OK)
        *model_out = &engine->models[pool];
    return status;
}

void erx_engine_unload_model(erx_engine_t *engine, uint32_t pool)
{
    erx_model_t *model = &engine->models[pool];
    ERX_ASSERT(pool < engine->model_count && model->sessions.used_count == 0);
    if (model->is_place) {
        erx_model_unbind(model);
        return;
    }
    ERX_ASSERT(pool == engine->model_count - 1 && engine->store == NULL);
    erx_model_close(model);
    engine->model_count--;
}

erx_block_t *erx_engine_begin_block(erx_engine_t *engine, int64_t timestamp)
{
    erx_block_begin(&engine->block, engine->block.number + 1, timestamp);
    return &engine->block;
}

void erx_engine_rouse(erx_engine_t *engine)
{
    erx_gang_rouse(engine->gang);
}

/* What a durable engine does with a frame: extends the session's chain of
 * hashes, and copies the session where a checkpoint is due. */
static void keep(erx_session_t *session, const erx_model_t *model, const erx_scratch_t *rows,
                 uint32_t lane)
{
    session->frame_hash = erx_frame_hash_next(session->frame_hash, erx_arena_world(session->arena),
                                              rows->regressions + lane * rows->regressions_stride,
                                              rows->logits + lane * rows->logits_stride);
    if (session->stage != NULL)
        memcpy(session->stage, session->arena, model->sessions.arena_bytes);
    session->stage = NULL;
}

/* Makes a group's frame visible in the accounts; rows are those it was stepped
 * with. */
static void publish(erx_engine_t *engine, const erx_group_t *group, const erx_scratch_t *rows)
{
    for (uint32_t lane = 0; lane < group->lane_count; lane++) {
        erx_session_t *session = engine->batch.frames[group->lane_begin + lane]->session;
        session->frame++;
        if (session->frame == session->max_frames || session->frame == ERX_FRAMES_MAX)
            session->status = ERX_SESSION_ENDED;
        erx_arena_publish(session->arena, session->frame, session->status, engine->block.timestamp);
        if (engine->chained)
            keep(session, group->model, rows, lane);
    }
}

static void step_alone(erx_engine_t *engine, erx_group_t *group, uint32_t worker)
{
    static const erx_step_part_t alone = {.worker = 0, .worker_count = 1};
    erx_model_t *model = group->model;
    erx_scratch_t *scratch = &model->scratches[worker];
    erx_step(&model->steps[engine->worker_nodes[worker]], scratch, scratch, &alone,
             engine->batch.lanes + group->lane_begin, group->lane_count);
    publish(engine, group, scratch);
    group->finished_ns = erx_clock_now();
}

/* Every worker of the gang calls this with the same group. */
static void step_together(erx_engine_t *engine, erx_group_t *group, uint32_t worker)
{
    erx_model_t *model = group->model;
    const erx_step_part_t part = {
        .worker = worker,
        .worker_count = engine->batch.worker_count,
        .gang = engine->gang,
    };
    erx_step(&model->steps[engine->worker_nodes[worker]], &model->scratches[0],
             &model->scratches[worker], &part, engine->batch.lanes + group->lane_begin,
             group->lane_count);
    erx_gang_barrier(engine->gang, worker);
    if (worker == 0) {
        publish(engine, group, &model->scratches[0]);
        group->finished_ns = erx_clock_now();
    }
}

static void execute_worker(void *context, uint32_t worker)
{
    erx_engine_t *engine = context;
    for (uint32_t i = 0; i < engine->batch.split_count; i++)
        step_together(engine, &engine->batch.groups[i], worker);
    for (erx_group_t *group; (group = erx_batch_take(&engine->batch, worker)) != NULL;)
        step_alone(engine, group, worker);
}

static void step_block(erx_engine_t *engine)
{
    if (engine->block.frame_count == 0) {
        engine->batch.group_count = 0;
        return;
    }
    erx_batch_plan(&engine->batch, &engine->block, engine->models, engine->model_count);
    erx_gang_run(engine->gang, execute_worker, engine);
}

void erx_engine_execute(erx_engine_t *engine)
{
    if (engine->store != NULL && !erx_store_submit(engine->store, &engine->block)) {
        engine->batch.group_count = 0;
        return;
    }
    step_block(engine);
    if (engine->store != NULL)
        erx_store_settle(engine->store, &engine->block);
}

static erx_block_t *executor_begin(void *context, uint64_t number, int64_t timestamp)
{
    erx_engine_t *engine = context;
    erx_block_begin(&engine->block, number, timestamp);
    return &engine->block;
}

static void executor_execute(void *context)
{
    step_block(context);
}

erx_executor_t erx_engine_executor(erx_engine_t *engine, bool chained)
{
    engine->chained = chained;
    engine->block.number = 0;
    return (erx_executor_t){
        .context = engine,
        .begin = executor_begin,
        .execute = executor_execute,
    };
}

/* Models that arrived at places leave them. */
static void empty_places(erx_engine_t *engine)
{
    for (uint32_t m = 0; m < engine->model_count; m++)
        if (engine->models[m].is_place)
            erx_model_unbind(&engine->models[m]);
}

erx_status_t erx_engine_open_store(erx_engine_t *engine, const erx_store_config_t *config,
                                   erx_recovery_t *recovery_out, erx_error_t *error)
{
    ERX_ASSERT(engine->store == NULL);
    erx_store_config_t own = *config;
    own.models = engine->models;
    own.model_count = engine->model_count;
    own.worker_count = erx_gang_worker_count(engine->gang);
    own.executor = erx_engine_executor(engine, true);
    erx_status_t status = erx_store_open(&own, &engine->store, recovery_out, error);
    engine->chained = status == ERX_OK || engine->always_chained;
    engine->block.number = status == ERX_OK ? recovery_out->block : 0;
    engine->block.slot = status == ERX_OK ? recovery_out->slot : 0;
    if (status != ERX_OK)
        empty_places(engine);
    return status;
}

erx_store_t *erx_engine_store(const erx_engine_t *engine)
{
    return engine->store;
}

void erx_engine_close_store(erx_engine_t *engine)
{
    if (engine->store == NULL)
        return;
    erx_store_close(engine->store);
    engine->store = NULL;
    engine->chained = engine->always_chained;
    for (uint32_t m = 0; m < engine->model_count; m++)
        erx_session_pool_reset(&engine->models[m].sessions);
    empty_places(engine);
}

erx_model_t *erx_engine_models(erx_engine_t *engine, uint32_t *count_out)
{
    *count_out = engine->model_count;
    return engine->models;
}

const erx_group_t *erx_engine_groups(const erx_engine_t *engine, uint32_t *count_out)
{
    *count_out = engine->batch.group_count;
    return engine->batch.groups;
}

uint32_t erx_engine_worker_count(const erx_engine_t *engine)
{
    return erx_gang_worker_count(engine->gang);
}

const erx_kernel_t *erx_engine_kernel(const erx_engine_t *engine)
{
    return engine->kernel;
}

erx_gang_t *erx_engine_gang(erx_engine_t *engine)
{
    return engine->gang;
}

void erx_engine_close(erx_engine_t *engine)
{
    if (engine == NULL)
        return;
    erx_engine_close_store(engine);
    for (uint32_t m = 0; m < engine->model_count; m++)
        erx_model_close(&engine->models[m]);
    erx_gang_close(engine->gang);
    erx_free(engine->block.frames);
    erx_free(engine->batch_memory);
    erx_free(engine->worker_nodes);
    erx_free(engine);
}
