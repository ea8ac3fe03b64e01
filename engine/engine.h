/* The engine: models, sessions and a gang of pinned workers that executes
 * blocks. This is the interface that the C ABI wraps.
 *
 * Thread rule: one control thread calls everything here. Memory is taken when
 * the engine opens and when models are loaded; executing a block allocates
 * nothing.
 *
 * An engine is durable when a store is opened after its models: what it
 * executes is then journaled, and sessions are there again after a crash. */
#ifndef ERX_ENGINE_ENGINE_H
#define ERX_ENGINE_ENGINE_H

#include "engine/batch.h"
#include "engine/store.h"

typedef struct erx_engine erx_engine_t;

typedef struct {
    uint32_t worker_count; /* 0: one for every processor that may be used */
    const char *cpu_list;  /* processors such as "0-3,8"; NULL: all that may be used */
    const char *isa;       /* kernel by name; NULL: the best that runs here */
    erx_schedule_t schedule;
    bool chained; /* keep sessions' chains of frame hashes also without a store */
} erx_engine_config_t;

/* Errors: ERX_ERR_RANGE (more workers than processors), ERX_ERR_ARGUMENT
 * (unknown instruction set or processor list), ERX_ERR_MEMORY. */
erx_status_t erx_engine_open(const erx_engine_config_t *config, erx_engine_t **engine_out,
                             erx_error_t *error);

/* Loads a model directory for at most session_capacity sessions at once.
 * model_out stays valid until the engine closes. Errors: those of
 * erx_model_open, ERX_ERR_FULL after ERX_MODELS_MAX models. */
erx_status_t erx_engine_load_model(erx_engine_t *engine, const char *directory,
                                   uint32_t session_capacity, erx_model_t **model_out,
                                   erx_error_t *error);

/* Takes a place for a model that arrives later: capacity sessions with arenas of
 * arena_bytes (erx_arena_bytes of the largest shape). It is one of the engine's
 * models, without a model. Before the store opens. Errors: ERX_ERR_RANGE,
 * ERX_ERR_MEMORY, ERX_ERR_STATE, ERX_ERR_FULL. */
erx_status_t erx_engine_add_place(erx_engine_t *engine, uint32_t arena_bytes, uint32_t capacity,
                                  uint32_t *pool_out, erx_error_t *error);

#define ERX_POOL_NONE UINT32_MAX

/* Loads a model from memory, which is not needed afterwards: into a place (its
 * index among the engine's models), or, for pool ERX_POOL_NONE, as
 * erx_engine_load_model does. Measuring what a frame costs takes some
 * milliseconds; frames that were added to the begun block stay in it. Errors:
 * those of erx_engine_load_model; ERX_ERR_STATE (the place has a model),
 * ERX_ERR_RANGE (its arenas are too short). */
erx_status_t erx_engine_load_model_bytes(erx_engine_t *engine, const erx_model_bytes_t *bytes,
                                         uint32_t pool, uint32_t session_capacity,
                                         erx_model_t **model_out, erx_error_t *error);

/* Takes back a load from memory, of a place or the last of all models, which
 * nothing plays and whose frames are not in the begun block. */
void erx_engine_unload_model(erx_engine_t *engine, uint32_t pool);

/* The block that will be executed next, emptied: number grows by one. Add
 * frames with erx_block_add or erx_block_add_all; block->slot is the caller's to
 * set. Accounts' changes since the last block, all of them committed, are in
 * this block's record. */
erx_block_t *erx_engine_begin_block(erx_engine_t *engine, int64_t timestamp);

/* Makes the workers ready for a block that is about to start. Optional. */
void erx_engine_rouse(erx_engine_t *engine);

/* Executes the begun block: every frame in it is stepped and published to its
 * accounts; sessions that reached their last frame have ended status. Returns
 * when all is done. A durable engine journals it meanwhile; after a failure of
 * its store (erx_store_health) it executes nothing more. */
void erx_engine_execute(erx_engine_t *engine);

/* The groups of the last executed block, each with the time it was finished
 * (erx_clock_now). Valid until the next block begins. */
const erx_group_t *erx_engine_groups(const erx_engine_t *engine, uint32_t *count_out);

uint32_t erx_engine_worker_count(const erx_engine_t *engine);
const erx_kernel_t *erx_engine_kernel(const erx_engine_t *engine);

/* The engine's workers, for tests and tools that look at the workers
 * themselves: they may run jobs of their own between blocks. */
erx_gang_t *erx_engine_gang(erx_engine_t *engine);

/* Makes the engine durable: opens a store for the models that are loaded and the
 * places for later ones, whose sessions must be none, and for the accounts that
 * config names; recovers them. Of config all but models, workers and executor
 * counts. Errors: those of erx_store_open. */
erx_status_t erx_engine_open_store(erx_engine_t *engine, const erx_store_config_t *config,
                                   erx_recovery_t *recovery_out, erx_error_t *error);

/* The engine's store; NULL where it is not durable. */
erx_store_t *erx_engine_store(const erx_engine_t *engine);

/* Ends being durable: waits for what is in flight, empties the sessions' pools
 * and the places. Accounts stay, their owner closes them. */
void erx_engine_close_store(erx_engine_t *engine);

/* How recovery and verification execute blocks: without a store. The chain of
 * frame hashes is kept while chained is true. */
erx_executor_t erx_engine_executor(erx_engine_t *engine, bool chained);

/* The models, and places where sessions.has_model is false. */
erx_model_t *erx_engine_models(erx_engine_t *engine, uint32_t *count_out);

/* Stops the workers and gives everything back. NULL is allowed. */
void erx_engine_close(erx_engine_t *engine);

#endif
