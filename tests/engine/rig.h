/* What the suites above the model share: fixture models in directories,
 * engines on machines that this one is not, state hashes and inputs. What
 * fails here fails the test that calls it; nothing here may be called in a
 * child process but where it says so. */
#ifndef ERX_TESTS_ENGINE_RIG_H
#define ERX_TESTS_ENGINE_RIG_H

#include "engine/engine.h"
#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"

#define RIG_FNV_BASIS UINT64_C(0xcbf29ce484222325)

/* A machine of two NUMA nodes with two processors each. */
#define RIG_TWO_NODES "package:2 [numa(memory=1GB)] core:2 pu:1"

/* A fixture model in a directory of its own. */
typedef struct {
    erx_fixture_t fixture;
    char directory[ERX_SCRATCH_PATH_MAX];
} rig_model_t;

/* Writes the fixture model of shape and seed into a new directory. */
void rig_model_open(rig_model_t *model_out, const erx_shape_t *shape, uint64_t seed);

/* Removes it. */
void rig_model_close(rig_model_t *model);

/* A machine of count processors on one node: workers are not pinned, so that
 * there may be more of them than this machine has processors. */
erx_topo_t rig_imagine_processors(uint32_t count);

/* Opens an engine on the machine that synthetic describes in hwloc's words;
 * NULL: on a machine of as many processors as config wants workers. Gives
 * what erx_engine_open gives. Works in a child process. */
erx_status_t rig_engine_try(const char *synthetic, const erx_engine_config_t *config,
                            erx_engine_t **engine_out, erx_error_t *error);

/* The same where it must succeed. */
erx_engine_t *rig_engine_open(const char *synthetic, const erx_engine_config_t *config);

erx_model_t *rig_engine_load(erx_engine_t *engine, const char *directory,
                             uint32_t session_capacity);

/* Starts a session of a model with stage and characters that follow from
 * number. Allocates nothing, and works in a child process, unless it fails. */
erx_session_t *rig_session_start(erx_model_t *model, uint32_t number, uint32_t max_frames);

/* The controllers of a session's next frame: random, but the same for the same
 * number and frame. Some are held over several frames, as real ones are. */
void rig_controls(uint32_t number, uint32_t frame,
                  uint8_t control_out[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

/* Puts them into the session's InputBuffer. */
void rig_session_feed(erx_session_t *session, uint32_t number);

/* FNV-1a 64, to be continued from RIG_FNV_BASIS. */
uint64_t rig_hash(uint64_t hash, const void *bytes, size_t size);

/* Of a session's world state and recurrent state. */
uint64_t rig_session_hash(const erx_session_t *session, const erx_shape_t *shape);

/* Prints why a test does nothing here. */
void rig_skip(const char *reason);

#endif
