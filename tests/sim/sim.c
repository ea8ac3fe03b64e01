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

static const uint8_t file_id[ERX_FILE_ID_BYTES] = "a simulated one";

void sim_engine_open(sim_engine_t *engine_out)
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
    erx_status_t status = erx_engine_open(&config, &engine_out->engine, &error);
    if (status == ERX_OK)
        status = erx_engine_load_model(engine_out->engine, directory, SIM_SESSIONS,
                                       &engine_out->model, &error);
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
    const uint64_t bytes[SIM_FILES] = {SIM_JOURNAL_BYTES, SIM_JOURNAL_BYTES,
                                       erx_checkpoint_file_bytes(&on->model->shape, SIM_SESSIONS)};
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
    erx_virtual_disk_free(sim->disk);
}

erx_status_t sim_recover(sim_t *sim, sim_engine_t *on, erx_virtual_disk_t *disk,
                         erx_recovery_t *recovery, erx_error_t *error)
{
    const erx_io_file_t files[SIM_FILES] = {
        {.bytes = SIM_JOURNAL_BYTES, .name = "journal-1"},
        {.bytes = SIM_JOURNAL_BYTES, .name = "journal-2"},
        {.bytes = erx_checkpoint_file_bytes(&on->model->shape, SIM_SESSIONS),
         .name = "checkpoints"},
    };
    erx_store_config_t config = {
        .checkpoint_frames = sim->checkpoint_frames,
        .name = "simulation",
        .io_open = erx_virtual_disk_open,
        .io_context = disk,
        .io = {.file_count = SIM_FILES, .files = files},
    };
    memcpy(config.file_id, file_id, sizeof config.file_id);
    sim->failed = false;
    return erx_engine_open_store(on->engine, &config, recovery, error);
}

uint64_t sim_state(const sim_engine_t *on)
{
    const erx_session_pool_t *pool = &on->model->sessions;
    uint64_t hash = 1;
    for (uint32_t slot = 0; slot < pool->capacity; slot++) {
        const erx_session_t *session = &pool->sessions[slot];
        uint64_t facts[] = {session->generation, 0, 0};
        if (session->generation % 2 == 1) {
            facts[1] = session->frame_hash;
            facts[2] = session->status;
            hash = XXH3_64bits_withSeed(session->arena, erx_arena_bytes(&pool->shape), hash);
        }
        hash = XXH3_64bits_withSeed(facts, sizeof facts, hash);
    }
    return hash;
}

bool sim_check(sim_t *sim, const sim_engine_t *on, uint64_t recovered)
{
    if (recovered > sim->sequence)
        sim_fail(sim, "recovered %" PRIu64 ", but only %" PRIu64 " were submitted", recovered,
                 sim->sequence);
    else if (recovered < sim->confirmed)
        sim_fail(sim, "recovered %" PRIu64 ", but %" PRIu64 " were confirmed", recovered,
                 sim->confirmed);
    else if (sim_state(on) != sim->state_at[recovered])
        sim_fail(sim, "the accounts after record %" PRIu64 " are not what they were", recovered);
    return sim->why[0] == '\0';
}

/* Starts a session, or ends one. */
static void come_and_go(sim_t *sim)
{
    erx_session_pool_t *pool = &sim->on->model->sessions;
    uint32_t slot = (uint32_t)erx_rng_range(&sim->rng, 0, SIM_SESSIONS - 1);
    erx_session_t *session = &pool->sessions[slot];
    if (session->generation % 2 == 1 && erx_rng_range(&sim->rng, 0, 3) == 0) {
        erx_session_end(pool, session);
        return;
    }
    erx_session_terms_t terms = {.stage = 3, .characters = {(uint8_t)slot, 5}};
    if (erx_rng_range(&sim->rng, 0, 2) == 0)
        terms.max_frames = (uint32_t)erx_rng_range(&sim->rng, 1, 20);
    terms.seed = erx_rng_next(&sim->rng);
    uint64_t handle;
    erx_error_t error;
    (void)erx_session_create(pool, &terms, &handle, &error); /* refused when full */
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

static void press(sim_t *sim)
{
    erx_session_pool_t *pool = &sim->on->model->sessions;
    for (uint32_t slot = 0; slot < SIM_SESSIONS; slot++) {
        erx_session_t *session = &pool->sessions[slot];
        for (uint32_t p = 0; p < ERX_PLAYERS && session->generation % 2 == 1; p++) {
            uint8_t control[ERX_CONTROLLER_BYTES];
            erx_rng_fill(&sim->rng, control, sizeof control);
            if (erx_rng_range(&sim->rng, 0, 3) != 0)
                erx_session_input(pool, session, p, control);
        }
    }
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
    erx_session_pool_t *pool = &sim->on->model->sessions;
    while (erx_rng_range(&sim->rng, 0, 3) == 0)
        come_and_go(sim);
    travel(sim);
    press(sim);
    erx_block_t *block =
        erx_engine_begin_block(sim->on->engine, erx_rng_range(&sim->rng, 0, 1 << 30));
    for (uint32_t slot = 0; slot < SIM_SESSIONS; slot++)
        if (pool->sessions[slot].generation % 2 == 1 && erx_rng_range(&sim->rng, 0, 7) != 0)
            (void)erx_block_add(block, sim->on->model, &pool->sessions[slot]);
    erx_store_t *store = erx_engine_store(sim->on->engine);
    uint64_t before = erx_store_submitted(store);
    /* What is submitted may survive, whatever becomes of it. */
    sim->sequence = before + 1;
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
