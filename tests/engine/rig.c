#include "tests/engine/rig.h"

#include "tests/support/check_main.h"
#include "tests/support/rng.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNTHETIC_VARIABLE "HWLOC_SYNTHETIC"
/* Frames over which a session's controllers stay the same. */
#define HELD_FRAMES 3u

void rig_model_open(rig_model_t *model_out, const erx_shape_t *shape, uint64_t seed)
{
    erx_scratch_make(model_out->directory);
    erx_fixture_model(shape, seed, &model_out->fixture);
    erx_fixture_write(&model_out->fixture, model_out->directory);
}

void rig_model_close(rig_model_t *model)
{
    erx_scratch_remove(model->directory);
    erx_fixture_free(&model->fixture);
}

erx_topo_t rig_imagine_processors(uint32_t count)
{
    erx_topo_t topo = {.cpu_count = count, .node_count = 1, .this_system = false};
    for (uint32_t i = 0; i < count; i++)
        topo.cpus[i] = (erx_topo_cpu_t){.cpu = i, .core = i};
    return topo;
}

erx_status_t rig_engine_try(const char *synthetic, const erx_engine_config_t *config,
                            erx_engine_t **engine_out, erx_error_t *error)
{
    char description[64];
    (void)snprintf(description, sizeof description, "package:1 core:%u pu:1",
                   ERX_MAX(config->worker_count, 1));
    (void)setenv(SYNTHETIC_VARIABLE, synthetic == NULL ? description : synthetic, 1);
    erx_status_t status = erx_engine_open(config, engine_out, error);
    (void)unsetenv(SYNTHETIC_VARIABLE);
    return status;
}

erx_engine_t *rig_engine_open(const char *synthetic, const erx_engine_config_t *config)
{
    erx_engine_t *engine = NULL;
    erx_error_t error = {0};
    ck_assert_msg(rig_engine_try(synthetic, config, &engine, &error) == ERX_OK, "%s", error.text);
    return engine;
}

erx_model_t *rig_engine_load(erx_engine_t *engine, const char *directory, uint32_t session_capacity)
{
    erx_model_t *model = NULL;
    erx_error_t error = {0};
    ck_assert_msg(erx_engine_load_model(engine, directory, session_capacity, &model, &error) ==
                      ERX_OK,
                  "%s", error.text);
    return model;
}

erx_session_t *rig_session_start(erx_model_t *model, uint32_t number, uint32_t max_frames)
{
    const erx_session_terms_t terms = {
        .stage = (uint8_t)(number % ERX_STAGES),
        .characters = {(uint8_t)(number * 7 % ERX_CHARACTERS),
                       (uint8_t)(number * 11 % ERX_CHARACTERS)},
        .max_frames = max_frames,
    };
    uint64_t handle;
    erx_error_t error;
    if (erx_session_create(&model->sessions, &terms, &handle, &error) != ERX_OK)
        ck_abort_msg("%s", error.text);
    return erx_session_find(&model->sessions, handle);
}

void rig_controls(uint32_t number, uint32_t frame,
                  uint8_t control_out[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    erx_rng_t rng = erx_rng_open((uint64_t)number << 32 | frame / HELD_FRAMES);
    erx_rng_fill(&rng, control_out, (size_t)ERX_PLAYERS * ERX_CONTROLLER_BYTES);
}

void rig_session_feed(erx_session_t *session, uint32_t number)
{
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    rig_controls(number, session->frame, control);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        erx_arena_input(session->arena, session->frame, p, control[p]);
}

uint64_t rig_hash(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t rig_session_hash(const erx_session_t *session, const erx_shape_t *shape)
{
    return rig_hash(RIG_FNV_BASIS, session->arena + ERX_ARENA_WORLD, erx_hidden_data_bytes(shape));
}

void rig_skip(const char *reason)
{
    (void)fprintf(stderr, "skipped: %s\n", reason);
}
