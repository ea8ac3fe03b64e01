/* The real engine on a disk that fails from a seed: sessions come, play and go,
 * accounts are written, a model arrives, the power is cut, and what was
 * confirmed must be there again.
 *
 * What a run did is remembered as it happens: the hash of all accounts after
 * every block, what was submitted and what was confirmed. Whatever is recovered
 * must be one of these states, not older than the last confirmed, not newer
 * than the last submitted. One control thread and one worker; everything
 * follows from the seed. */
#ifndef ERX_TESTS_SIM_SIM_H
#define ERX_TESTS_SIM_SIM_H

#include "engine/engine.h"
#include "tests/support/model_fixture.h"
#include "tests/support/rng.h"
#include "tests/support/virtual_disk.h"

#define SIM_SESSIONS      4u
#define SIM_BLOCKS_MAX    512u /* of one case, over all its lives */
#define SIM_POOLS         3u   /* a model, a place for a later one, accounts */
#define SIM_JOURNAL_BYTES ((uint64_t)160 << 10)
#define SIM_FILES         (ERX_JOURNAL_COPIES + SIM_POOLS)

/* An engine with one model, a place for one that arrives, and accounts; opened
 * once for all cases. */
typedef struct {
    erx_engine_t *engine;
    erx_model_t *model;
    uint32_t place;
    erx_fixture_t arriving; /* the model that arrives there */
    erx_accounts_t *accounts;
} sim_engine_t;

/* One case: a disk, and what happened on it. */
typedef struct {
    sim_engine_t *on;
    erx_virtual_disk_t *disk;
    erx_rng_t rng;
    uint32_t checkpoint_frames;
    bool failed;    /* the store has failed in this life */
    bool executing; /* of record sequence, which may not be submitted yet */
    uint64_t sequence;
    uint64_t confirmed; /* seen at the end of the last life */
    uint64_t state_at[SIM_BLOCKS_MAX + 1];
    uint64_t slot_at[SIM_BLOCKS_MAX + 1];
    char why[512]; /* what went wrong; empty: nothing */
} sim_t;

/* Opens the engine on a made-up model of the least shape. Aborts on failure. */
void sim_engine_open(sim_engine_t *engine_out);
void sim_engine_close(sim_engine_t *engine);

/* Fetches the model of the place, where the accounts hold its manifest: a
 * store's bind. context is the sim_engine_t. */
erx_status_t sim_bind(void *context, uint32_t pool, erx_error_t *error);

/* Takes it away again; nothing plays it. */
void sim_empty_place(sim_engine_t *on);

/* Bytes of the pools' files of checkpoints. */
uint64_t sim_file_bytes(const sim_engine_t *on, uint32_t file);

/* A fresh disk for a case. */
void sim_open(sim_t *sim, sim_engine_t *on, uint64_t seed);
void sim_close(sim_t *sim);

/* Opens the store on a disk (this case's, or a fork of it). */
erx_status_t sim_recover(sim_t *sim, sim_engine_t *on, erx_virtual_disk_t *disk,
                         erx_recovery_t *recovery, erx_error_t *error);

/* Checks what was recovered on an engine; false and why where it is wrong. */
bool sim_check(sim_t *sim, const sim_engine_t *on, const erx_recovery_t *recovery);

/* Sessions of a pool; those of the model, or of the place where it has one; any
 * session of a pool. */
erx_session_pool_t *sim_pool(const sim_engine_t *on, uint32_t pool);
erx_session_pool_t *sim_draw_pool(sim_t *sim);
erx_session_t *sim_draw_session(sim_t *sim, const erx_session_pool_t *pool);

/* Starts a session of random terms, seats a random second player, gives a player
 * a random controller. */
erx_status_t sim_create(sim_t *sim, erx_session_pool_t *pool, uint64_t *handle_out,
                        erx_error_t *error);
erx_status_t sim_join(sim_t *sim, erx_session_pool_t *pool, erx_session_t *session,
                      erx_error_t *error);
void sim_press(sim_t *sim, erx_session_pool_t *pool, erx_session_t *session, uint32_t player);

/* Changes accounts and sessions together; a third of the times it fails at its
 * end, and must have done nothing. */
void sim_transaction(sim_t *sim);

/* Plays one block: sessions come, go, receive input, transactions happen or
 * fail, most sessions are stepped; the machine turns a little. */
void sim_block(sim_t *sim);

/* Hash of all accounts of an engine. */
uint64_t sim_state(const sim_engine_t *on);

/* Ends a life: the power fails, the process is killed, or it ends in order. */
typedef enum { SIM_CUT, SIM_KILL, SIM_CLOSE } sim_end_t;
void sim_end(sim_t *sim, sim_end_t how);

/* A failed case's reason, printf-like; keeps the first. */
void sim_fail(sim_t *sim, const char *format, ...) ERX_PRINTF(2, 3);

#endif
