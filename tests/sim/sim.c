#include "tests/sim/sim.h"

#include "engine/transfer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "mem/assert.h"
#include "tests/support/model_fixture.h"

#define SIM_TRANSFER_MAX 8192u
#define PLACE_SESSIONS   2u
#define PLACE_SPARE      192u /* more than the model needs that arrives */

static const uint8_t file_id[ERX_FILE_ID_BYTES] = "a simulated one";

static erx_status_t open_accounts(sim_engine_t *on, erx_error_t *error)
{
    const erx_accounts_config_t config = {
        .account_capacity = ERX_ACCOUNTS_CAPACITY_MIN,
        .heap_bytes = 2 * ERX_ACCOUNTS_PAGE_BYTES,
        .write_log_bytes = 4096,
        .undo_log_bytes = 4096,
    };
    return erx_accounts_open(&config, &on->accounts, error);
}

/* A place, and the model that arrives there. */
static erx_status_t open_place(sim_engine_t *on, erx_error_t *error)
{
    erx_fixture_model(&erx_fixture_micro, 8, &on->arriving);
    uint32_t bytes = (uint32_t)erx_arena_bytes(&erx_fixture_micro) + PLACE_SPARE;
    return erx_engine_add_place(on->engine, bytes, PLACE_SESSIONS, &on->place, error);
}

void sim_engine_open(sim_engine_t *on)
{
    static const char *const names[] = {"manifest.json", "weights_int8.bin"};
    const erx_engine_config_t config = {.worker_count = 1};
    char directory[] = "/tmp/erx-sim-XXXXXX";
    erx_fixture_t fixture;
    erx_error_t error = {0};
    ERX_ASSERT(mkdtemp(directory) != NULL);
    erx_fixture_model(&erx_fixture_micro, 7, &fixture);
    erx_fixture_write(&fixture, directory);
    erx_fixture_free(&fixture);
    erx_status_t status = erx_engine_open(&config, &on->engine, &error);
    if (status == ERX_OK)
        status = erx_engine_load_model(on->engine, directory, SIM_SESSIONS, &on->model, &error);
    if (status == ERX_OK)
        status = open_place(on, &error);
    if (status == ERX_OK)
        status = open_accounts(on, &error);
    for (uint32_t i = 0; i < ERX_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)remove(path);
    }
    (void)remove(directory);
    if (status != ERX_OK)
        (void)fprintf(stderr, "%s\n", error.text);
    ERX_ASSERT(status == ERX_OK);
}

void sim_engine_close(sim_engine_t *engine)
{
    erx_engine_close(engine->engine);
    erx_accounts_close(engine->accounts);
    erx_fixture_free(&engine->arriving);
}

erx_session_pool_t *sim_pool(const sim_engine_t *on, uint32_t pool)
{
    uint32_t count;
    return &erx_engine_models(on->engine, &count)[pool].sessions;
}

erx_session_pool_t *sim_draw_pool(sim_t *sim)
{
    erx_session_pool_t *place = sim_pool(sim->on, sim->on->place);
    bool there = place->has_model && erx_rng_range(&sim->rng, 0, 2) == 0;
    return there ? place : &sim->on->model->sessions;
}

erx_session_t *sim_draw_session(sim_t *sim, const erx_session_pool_t *pool)
{
    return &pool->sessions[erx_rng_range(&sim->rng, 0, (int64_t)pool->capacity - 1)];
}

erx_status_t sim_bind(void *context, uint32_t pool, erx_error_t *error)
{
    sim_engine_t *on = context;
    erx_model_t *model;
    const erx_model_bytes_t bytes = {
        .manifest = on->arriving.text,
        .manifest_bytes = on->arriving.text_bytes,
        .weights = on->arriving.weights,
        .weight_bytes = on->arriving.weight_bytes,
    };
    if (pool != on->place || erx_accounts_scan_pool(on->accounts, pool) == ERX_ACCOUNT_NONE)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "no account has its manifest");
    return erx_engine_load_model_bytes(on->engine, &bytes, pool, 0, &model, error);
}

void sim_empty_place(sim_engine_t *on)
{
    uint32_t count;
    erx_model_unbind(&erx_engine_models(on->engine, &count)[on->place]);
}

uint64_t sim_file_bytes(const sim_engine_t *on, uint32_t file)
{
    uint32_t count;
    erx_model_t *models = erx_engine_models(on->engine, &count);
    const erx_pools_t pools = erx_pools_of(models, count, on->accounts);
    if (file < ERX_JOURNAL_COPIES)
        return SIM_JOURNAL_BYTES;
    uint32_t pool = file - ERX_JOURNAL_COPIES;
    return erx_checkpoint_file_bytes(erx_pools_arena_bytes(&pools, pool),
                                     erx_pools_capacity(&pools, pool));
}

void sim_fail(sim_t *sim, const char *format, ...)
{
    va_list arguments;
    if (sim->why[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(sim->why, sizeof sim->why, format, arguments);
    va_end(arguments);
}

void sim_open(sim_t *sim, sim_engine_t *on, uint64_t seed)
{
    uint64_t bytes[SIM_FILES];
    for (uint32_t file = 0; file < SIM_FILES; file++)
        bytes[file] = sim_file_bytes(on, file);
    memset(sim, 0, sizeof *sim);
    sim->on = on;
    sim->rng.state = seed;
    sim->checkpoint_frames = (uint32_t)erx_rng_range(&sim->rng, 2, 60);
    sim->disk = erx_virtual_disk_create(
        &(erx_virtual_disk_config_t){.seed = seed, .file_count = SIM_FILES, .file_bytes = bytes});
    sim->state_at[0] = sim_state(on);
}

void sim_close(sim_t *sim)
{
    erx_engine_close_store(sim->on->engine);
    erx_accounts_reset(sim->on->accounts);
    erx_virtual_disk_free(sim->disk);
}

erx_status_t sim_recover(sim_t *sim, sim_engine_t *on, erx_virtual_disk_t *disk,
                         erx_recovery_t *recovery, erx_error_t *error)
{
    static const char *const names[SIM_FILES] = {"journal-1", "journal-2", "checkpoints-0",
                                                 "checkpoints-1", "checkpoints-2"};
    erx_io_file_t files[SIM_FILES];
    for (uint32_t file = 0; file < SIM_FILES; file++)
        files[file] = (erx_io_file_t){.bytes = sim_file_bytes(on, file), .name = names[file]};
    erx_store_config_t config = {
        .checkpoint_frames = sim->checkpoint_frames,
        .name = "simulation",
        .accounts = on->accounts,
        .io_open = erx_virtual_disk_open,
        .io_context = disk,
        .io = {.file_count = SIM_FILES, .files = files},
        .bind = sim_bind,
        .bind_context = on,
    };
    memcpy(config.file_id, file_id, sizeof config.file_id);
    sim->failed = false;
    erx_status_t status = erx_engine_open_store(on->engine, &config, recovery, error);
    /* What arrived is there again, also where no frame of it was re-executed. */
    if (status == ERX_OK && !sim_pool(on, on->place)->has_model &&
        erx_accounts_scan_pool(on->accounts, on->place) != ERX_ACCOUNT_NONE)
        ERX_ASSERT(sim_bind(on, on->place, error) == ERX_OK);
    return status;
}

static uint64_t pool_state(const erx_session_pool_t *pool, uint64_t hash)
{
    for (uint32_t slot = 0; slot < pool->capacity; slot++) {
        const erx_session_t *session = &pool->sessions[slot];
        uint64_t facts[] = {session->generation, 0, 0};
        if (session->generation % 2 == 1) {
            facts[1] = session->frame_hash;
            facts[2] = session->status;
            hash = XXH3_64bits_withSeed(session->arena, pool->arena_bytes, hash);
        }
        hash = XXH3_64bits_withSeed(facts, sizeof facts, hash);
    }
    return hash;
}

uint64_t sim_state(const sim_engine_t *on)
{
    size_t bytes = (size_t)erx_accounts_page_count(on->accounts) * ERX_ACCOUNTS_PAGE_BYTES;
    uint64_t hash = XXH3_64bits(erx_accounts_image(on->accounts), bytes);
    hash = pool_state(&on->model->sessions, hash);
    return pool_state(sim_pool(on, on->place), hash);
}

bool sim_check(sim_t *sim, const sim_engine_t *on, const erx_recovery_t *recovery)
{
    uint64_t recovered = recovery->sequence;
    if (recovered > sim->sequence)
        sim_fail(sim, "recovered %" PRIu64 ", but only %" PRIu64 " were submitted", recovered,
                 sim->sequence);
    else if (recovered < sim->confirmed)
        sim_fail(sim, "recovered %" PRIu64 ", but %" PRIu64 " were confirmed", recovered,
                 sim->confirmed);
    else if (recovery->slot != sim->slot_at[recovered])
        sim_fail(sim, "record %" PRIu64 " is of slot %" PRIu64 ", not %" PRIu64, recovered,
                 recovery->slot, sim->slot_at[recovered]);
    else if (sim_state(on) != sim->state_at[recovered])
        sim_fail(sim, "the accounts after record %" PRIu64 " are not what they were", recovered);
    return sim->why[0] == '\0';
}

/* Starts a session, seats its second player, or ends it. */
static void come_and_go(sim_t *sim)
{
    erx_session_pool_t *pool = sim_draw_pool(sim);
    erx_session_t *session = sim_draw_session(sim, pool);
    erx_error_t error;
    if (session->generation % 2 == 1 && erx_rng_range(&sim->rng, 0, 3) == 0) {
        erx_session_end(pool, session);
        return;
    }
    if (session->status == ERX_SESSION_WAITING) {
        ERX_ASSERT(sim_join(sim, pool, session, &error) == ERX_OK);
        return;
    }
    uint64_t handle;
    (void)sim_create(sim, pool, &handle, &error); /* refused when full */
}

/* Copies a session by exporting and importing it: it must go on as it was. */
static void travel(sim_t *sim)
{
    erx_session_pool_t *pool = &sim->on->model->sessions;
    uint8_t bytes[SIM_TRANSFER_MAX];
    uint32_t slot = (uint32_t)erx_rng_range(&sim->rng, 0, SIM_SESSIONS - 1);
    const erx_session_t *session = &pool->sessions[slot];
    size_t size = erx_transfer_bytes(&pool->shape);
    if (session->generation % 2 == 0 || erx_rng_range(&sim->rng, 0, 15) != 0)
        return;
    ERX_ASSERT(size <= sizeof bytes);
    erx_transfer_export(sim->on->model, session, bytes);
    uint64_t handle;
    erx_error_t error;
    if (erx_transfer_import(sim->on->model, bytes, size, &handle, &error) != ERX_OK)
        return; /* full */
    const erx_session_t *copy = erx_session_find(pool, handle);
    if (memcmp(copy->arena, session->arena, erx_arena_bytes(&pool->shape)) != 0 ||
        copy->frame != session->frame || copy->frame_hash != session->frame_hash)
        sim_fail(sim, "an imported session differs from the exported one");
}

static void press(sim_t *sim, erx_session_pool_t *pool)
{
    for (uint32_t slot = 0; slot < pool->capacity; slot++)
        for (uint32_t p = 0; p < ERX_PLAYERS && pool->sessions[slot].generation % 2 == 1; p++)
            if (erx_rng_range(&sim->rng, 0, 3) != 0)
                sim_press(sim, pool, &pool->sessions[slot], p);
}

static void add_frames(sim_t *sim, erx_block_t *block, uint32_t pool)
{
    uint32_t count;
    erx_model_t *model = &erx_engine_models(sim->on->engine, &count)[pool];
    for (uint32_t slot = 0; slot < model->sessions.capacity; slot++)
        if (model->sessions.sessions[slot].generation % 2 == 1 &&
            erx_rng_range(&sim->rng, 0, 7) != 0)
            (void)erx_block_add(block, model, &model->sessions.sessions[slot]);
}

/* The machine turns some times; the clock moves on. */
static void turn(sim_t *sim)
{
    erx_store_t *store = erx_engine_store(sim->on->engine);
    int64_t turns = erx_rng_range(&sim->rng, 0, 3);
    for (int64_t i = 0; i < turns; i++)
        erx_store_turn(store, (uint64_t)erx_rng_range(&sim->rng, 0, 400000));
    erx_virtual_disk_advance(sim->disk, (uint64_t)erx_rng_range(&sim->rng, 0, 500000));
    erx_error_t error;
    if (erx_store_health(store, &error) != ERX_OK)
        sim->failed = true;
    /* What is confirmed stays so; what a failed store confirms is wrong. */
    uint64_t confirmed = erx_store_confirmed(store);
    sim->confirmed = ERX_MAX(sim->confirmed, confirmed);
}

void sim_block(sim_t *sim)
{
    while (erx_rng_range(&sim->rng, 0, 3) == 0)
        come_and_go(sim);
    travel(sim);
    press(sim, &sim->on->model->sessions);
    press(sim, sim_pool(sim->on, sim->on->place));
    while (erx_rng_range(&sim->rng, 0, 2) != 0)
        sim_transaction(sim);
    erx_block_t *block =
        erx_engine_begin_block(sim->on->engine, erx_rng_range(&sim->rng, 0, 1 << 30));
    block->slot += (uint64_t)erx_rng_range(&sim->rng, 0, 1);
    add_frames(sim, block, 0);
    add_frames(sim, block, sim->on->place);
    erx_store_t *store = erx_engine_store(sim->on->engine);
    uint64_t before = erx_store_submitted(store);
    /* What is submitted may survive, whatever becomes of it. */
    sim->sequence = before + 1;
    sim->slot_at[sim->sequence] = block->slot;
    sim->executing = true;
    erx_engine_execute(sim->on->engine);
    sim->executing = false;
    sim->sequence = erx_store_submitted(store);
    ERX_ASSERT(sim->sequence <= SIM_BLOCKS_MAX);
    if (sim->sequence > before)
        sim->state_at[sim->sequence] = sim_state(sim->on);
    turn(sim);
}

void sim_end(sim_t *sim, sim_end_t how)
{
    uint64_t confirmed = erx_store_confirmed(erx_engine_store(sim->on->engine));
    sim->confirmed = ERX_MAX(sim->confirmed, confirmed);
    if (how == SIM_CUT)
        erx_virtual_disk_cut(sim->disk);
    else if (how == SIM_KILL)
        erx_virtual_disk_kill(sim->disk);
    else if (!sim->failed) {
        erx_error_t error;
        if (erx_store_sync(erx_engine_store(sim->on->engine), &error) == ERX_OK)
            sim->confirmed = sim->sequence;
    }
    erx_engine_close_store(sim->on->engine);
}
