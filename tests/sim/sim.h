/* The real engine on a disk that fails from a seed: sessions come, play and go,
 * the power is cut, and what was confirmed must be there again.
 *
 * What a run did is remembered as it happens: the hash of all accounts after
 * every block, what was submitted and what was confirmed. Whatever is recovered
 * must be one of these states, not older than the last confirmed, not newer
 * than the last submitted. One control thread and one worker; everything
 * follows from the seed. */
#ifndef ERX_TESTS_SIM_SIM_H
#define ERX_TESTS_SIM_SIM_H

#include "engine/engine.h"
#include "tests/support/rng.h"
#include "tests/support/virtual_disk.h"

#define SIM_SESSIONS      4u
#define SIM_BLOCKS_MAX    512u /* of one case, over all its lives */
#define SIM_JOURNAL_BYTES ((uint64_t)96 << 10)
#define SIM_FILES         (ERX_JOURNAL_COPIES + 1u)

/* An engine with one model, which is opened once for all cases. */
typedef struct {
    erx_engine_t *engine;
    erx_model_t *model;
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
    char why[512]; /* what went wrong; empty: nothing */
} sim_t;

/* Opens the engine on a made-up model of the least shape. Aborts on failure. */
void sim_engine_open(sim_engine_t *engine_out);
void sim_engine_close(sim_engine_t *engine);

/* A fresh disk for a case. */
void sim_open(sim_t *sim, sim_engine_t *on, uint64_t seed);
void sim_close(sim_t *sim);

/* Opens the store on a disk (this case's, or a fork of it). */
erx_status_t sim_recover(sim_t *sim, sim_engine_t *on, erx_virtual_disk_t *disk,
                         erx_recovery_t *recovery, erx_error_t *error);

/* Checks what was recovered on an engine; false and why where it is wrong. */
bool sim_check(sim_t *sim, const sim_engine_t *on, uint64_t recovered);

/* Plays one block: sessions come, go, receive input, most are stepped; the
 * machine turns a little. */
void sim_block(sim_t *sim);

/* Hash of all accounts of an engine. */
uint64_t sim_state(const sim_engine_t *on);

/* Ends a life: the power fails, the process is killed, or it ends in order. */
typedef enum { SIM_CUT, SIM_KILL, SIM_CLOSE } sim_end_t;
void sim_end(sim_t *sim, sim_end_t how);

/* A failed case's reason, printf-like; keeps the first. */
void sim_fail(sim_t *sim, const char *format, ...) ERX_PRINTF(2, 3);

#endif
