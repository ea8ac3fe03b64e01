#include "tests/sim/sim_cases.h"

#include <errno.h>
#include <inttypes.h>

#include "mem/assert.h"

#define LIVES_MAX     5
#define LIFE_BLOCKS   45
#define PREFIX_BLOCKS 200

/* Opens the store and checks it; false where the case is over. */
static bool live(sim_t *sim, bool may_refuse)
{
    erx_recovery_t recovery;
    erx_error_t error;
    erx_status_t status = sim_recover(sim, sim->on, sim->disk, &recovery, &error);
    if (status != ERX_OK) {
        if (!may_refuse)
            sim_fail(sim, "refused: %s", error.text);
        return false;
    }
    if (!sim_check(sim, sim->on, &recovery))
        return false;
    sim->sequence = recovery.sequence;
    sim->confirmed = recovery.sequence;
    return true;
}

static void play(sim_t *sim)
{
    int64_t blocks = erx_rng_range(&sim->rng, 0, LIFE_BLOCKS);
    for (int64_t i = 0; i < blocks && !sim->failed; i++)
        sim_block(sim);
}

static void end(sim_t *sim)
{
    static const sim_end_t ends[] = {SIM_CUT, SIM_CUT, SIM_CUT, SIM_KILL, SIM_CLOSE};
    sim_end(sim, ends[erx_rng_range(&sim->rng, 0, ERX_COUNT(ends) - 1)]);
}

void sim_case_crash(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    (void)b;
    sim_open(sim, a, seed);
    int64_t lives = erx_rng_range(&sim->rng, 1, LIVES_MAX);
    for (int64_t life = 0; live(sim, false) && life < lives; life++) {
        play(sim);
        end(sim);
    }
    sim_close(sim);
}

static uint64_t soon(sim_t *sim)
{
    return erx_virtual_disk_operations(sim->disk) + (uint64_t)erx_rng_range(&sim->rng, 0, 150);
}

void sim_case_error(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    static const erx_virtual_fault_kind_t kinds[] = {ERX_VIRTUAL_ERROR, ERX_VIRTUAL_SHORT,
                                                     ERX_VIRTUAL_CANCELLED, ERX_VIRTUAL_LATE};
    static const int32_t numbers[] = {EIO, ENOSPC, EAGAIN, EROFS};
    (void)b;
    sim_open(sim, a, seed);
    int64_t lives = erx_rng_range(&sim->rng, 2, LIVES_MAX);
    bool alive = live(sim, false);
    for (int64_t life = 0; alive && life < lives; life++) {
        erx_virtual_fault_t fault = {
            .kind = kinds[erx_rng_range(&sim->rng, 0, ERX_COUNT(kinds) - 1)],
            .target =
                (erx_virtual_target_t)erx_rng_range(&sim->rng, ERX_VIRTUAL_ANY, ERX_VIRTUAL_READS),
            .from = soon(sim),
            .for_ever = erx_rng_range(&sim->rng, 0, 3) == 0,
            .error_number = numbers[erx_rng_range(&sim->rng, 0, ERX_COUNT(numbers) - 1)],
            .delay_ns = 3000000,
        };
        erx_virtual_disk_set_faults(sim->disk, &fault, 1);
        play(sim);
        end(sim);
        alive = live(sim, true); /* the fault may strike here */
        if (!alive && sim->why[0] == '\0') {
            erx_virtual_disk_set_faults(sim->disk, NULL, 0);
            alive = live(sim, false);
        }
    }
    sim_close(sim);
}

void sim_case_nth(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    static const erx_virtual_fault_kind_t kinds[] = {ERX_VIRTUAL_ERROR, ERX_VIRTUAL_SHORT,
                                                     ERX_VIRTUAL_CANCELLED, ERX_VIRTUAL_LATE};
    const uint32_t ways = ERX_COUNT(kinds) * 2;
    const erx_virtual_fault_t fault = {
        .kind = kinds[seed % ways / 2],
        .for_ever = seed % 2 == 1,
        .from = seed / ways,
        .error_number = EIO,
        .delay_ns = 3000000,
    };
    (void)b;
    sim_open(sim, a, 1);
    erx_virtual_disk_set_faults(sim->disk, &fault, 1);
    bool alive = live(sim, true);
    for (uint32_t i = 0; alive && i < LIFE_BLOCKS && !sim->failed; i++)
        sim_block(sim);
    if (alive)
        sim_end(sim, seed / ways % 2 == 0 ? SIM_CUT : SIM_CLOSE);
    if (sim->why[0] == '\0') {
        erx_virtual_disk_set_faults(sim->disk, NULL, 0);
        (void)live(sim, false);
    }
    sim_close(sim);
}

void sim_case_lie(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    (void)b;
    sim_open(sim, a, seed);
    int64_t lives = erx_rng_range(&sim->rng, 1, LIVES_MAX);
    bool alive = live(sim, false);
    for (int64_t life = 0; alive && life < lives; life++) {
        const erx_virtual_fault_t fault = {
            .kind = (erx_virtual_fault_kind_t)erx_rng_range(&sim->rng, ERX_VIRTUAL_LOST,
                                                            ERX_VIRTUAL_FLIPPED),
            .target = ERX_VIRTUAL_ANY,
            .from = soon(sim),
        };
        erx_virtual_disk_set_faults(sim->disk, &fault, 1);
        play(sim);
        end(sim);
        erx_virtual_disk_set_faults(sim->disk, NULL, 0);
        alive = live(sim, true);
    }
    sim_close(sim);
}

/* Damages a stretch of a file. */
static void damage(sim_t *sim, uint8_t *bytes, uint64_t size)
{
    uint64_t sector = (uint64_t)erx_rng_range(&sim->rng, 0, (int64_t)(size / 512) - 1) * 512;
    uint64_t other = (uint64_t)erx_rng_range(&sim->rng, 0, (int64_t)(size / 512) - 1) * 512;
    switch (erx_rng_range(&sim->rng, 0, 3)) {
    case 0:
        for (uint32_t i = 0; i < 512; i++)
            bytes[sector + i] = 0;
        return;
    case 1: /* a stale or misdirected sector */
        for (uint32_t i = 0; i < 512; i++)
            bytes[sector + i] = bytes[other + i];
        return;
    default: {
        uint64_t bit = (uint64_t)erx_rng_range(&sim->rng, 0, (int64_t)size * 8 - 1);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    }
}

void sim_case_damage(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    (void)b;
    sim_open(sim, a, seed);
    bool alive = live(sim, false);
    for (uint32_t i = 0; alive && i < LIFE_BLOCKS; i++)
        sim_block(sim);
    if (alive)
        sim_end(sim, SIM_CLOSE);
    for (uint32_t i = 0; alive && i < 8; i++) {
        uint32_t file = (uint32_t)erx_rng_range(&sim->rng, 0, SIM_FILES - 1);
        bool in_journal = file < ERX_JOURNAL_COPIES;
        damage(sim, erx_virtual_disk_bytes(sim->disk, file), sim_file_bytes(a, file));
        alive = live(sim, !in_journal);
        if (alive)
            sim_end(sim, SIM_CLOSE);
    }
    sim_close(sim);
}

typedef struct {
    sim_t *sim;
    sim_engine_t *on;
    uint64_t forks;
} watch_t;

/* A power cut here must leave something that recovers. */
static void recover_fork(void *context, erx_virtual_disk_t *disk)
{
    watch_t *watch = context;
    sim_t *sim = watch->sim;
    erx_store_t *store = erx_engine_store(sim->on->engine);
    if (sim->why[0] != '\0' || store == NULL)
        return;
    erx_recovery_t recovery;
    erx_error_t error;
    erx_virtual_disk_t *fork = erx_virtual_disk_fork(disk, ++watch->forks);
    sim->confirmed = ERX_MAX(sim->confirmed, erx_store_confirmed(store));
    /* Once a block is submitted the machine turns again only after it was
     * executed, while the store makes room. */
    if (sim->executing && erx_store_submitted(store) == sim->sequence)
        sim->state_at[sim->sequence] = sim_state(sim->on);
    if (sim_recover(sim, watch->on, fork, &recovery, &error) != ERX_OK)
        sim_fail(sim, "fork %" PRIu64 " refused: %s", watch->forks, error.text);
    else if (!sim_check(sim, watch->on, &recovery))
        sim_fail(sim, "fork %" PRIu64, watch->forks);
    erx_engine_close_store(watch->on->engine);
    erx_virtual_disk_free(fork);
}

void sim_case_prefix(sim_t *sim, sim_engine_t *a, sim_engine_t *b, uint64_t seed)
{
    sim_open(sim, a, seed);
    watch_t watch = {.sim = sim, .on = b};
    if (live(sim, false)) {
        erx_virtual_disk_observe(sim->disk, recover_fork, &watch);
        for (uint32_t i = 0; i < PREFIX_BLOCKS && sim->why[0] == '\0'; i++)
            sim_block(sim);
        if (watch.forks < PREFIX_BLOCKS)
            sim_fail(sim, "only %" PRIu64 " forks were looked at", watch.forks);
        erx_virtual_disk_observe(sim->disk, NULL, NULL);
    }
    sim_close(sim);
}
