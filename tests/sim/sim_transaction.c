/* Transactions of the simulation: what they change happens as a whole or not at
 * all, in accounts and in sessions. */
#include <string.h>

#include "mem/assert.h"
#include "tests/sim/sim.h"

#define NAMES      24   /* keys of accounts */
#define DATA_MAX   1500 /* of an account */
#define ARRIVES_IN 40   /* transactions until the model has arrived, on average */
#define MARKS_MAX  4u   /* sessions that one transaction changes */

erx_status_t sim_create(sim_t *sim, erx_session_pool_t *pool, uint64_t *handle_out,
                        erx_error_t *error)
{
    erx_session_terms_t terms = {.stage = 3, .characters = {2, 5}};
    terms.waits = erx_rng_range(&sim->rng, 0, 2) == 0;
    if (terms.waits)
        terms.characters[1] = 0;
    if (erx_rng_range(&sim->rng, 0, 2) == 0)
        terms.max_frames = (uint32_t)erx_rng_range(&sim->rng, 1, 20);
    terms.seed = erx_rng_next(&sim->rng);
    return erx_session_create(pool, &terms, handle_out, error);
}

erx_status_t sim_join(sim_t *sim, erx_session_pool_t *pool, erx_session_t *session,
                      erx_error_t *error)
{
    uint8_t key[ERX_KEY_BYTES];
    erx_rng_fill(&sim->rng, key, sizeof key);
    return erx_session_join(pool, session, key, (uint8_t)erx_rng_range(&sim->rng, 0, 30),
                            erx_rng_range(&sim->rng, 0, 1 << 30), error);
}

void sim_press(sim_t *sim, erx_session_pool_t *pool, erx_session_t *session, uint32_t player)
{
    uint8_t control[ERX_CONTROLLER_BYTES];
    erx_rng_fill(&sim->rng, control, sizeof control);
    if (erx_rng_range(&sim->rng, 0, 1) == 0) {
        erx_session_input(pool, session, player, control);
        return;
    }
    uint32_t last = erx_arena_input_sequence(session->arena, player);
    erx_session_input_at(pool, session, player, control,
                         last + (uint32_t)erx_rng_range(&sim->rng, 1, 9));
}

static erx_account_entry_t draw_entry(sim_t *sim)
{
    erx_account_entry_t entry = {
        .lamports = erx_rng_next(&sim->rng),
        .data_length = (uint32_t)erx_rng_range(&sim->rng, 0, DATA_MAX),
        .kind = ERX_ACCOUNT_PLAIN,
    };
    entry.key.bytes[0] = (uint8_t)erx_rng_range(&sim->rng, 1, NAMES);
    return entry;
}

static erx_status_t write_some(sim_t *sim, uint32_t index, erx_error_t *error)
{
    uint8_t bytes[DATA_MAX];
    uint32_t length = erx_accounts_entry(sim->on->accounts, index)->data_length;
    uint32_t offset = (uint32_t)erx_rng_range(&sim->rng, 0, length);
    uint32_t size = (uint32_t)erx_rng_range(&sim->rng, 0, length - offset);
    erx_rng_fill(&sim->rng, bytes, size);
    return erx_accounts_write(sim->on->accounts, index, offset, bytes, size, error);
}

/* One change of an account; what does not fit fails the transaction. */
static erx_status_t change_account(sim_t *sim, erx_error_t *error)
{
    erx_accounts_t *accounts = sim->on->accounts;
    const erx_account_entry_t entry = draw_entry(sim);
    uint32_t index = erx_accounts_find(accounts, &entry.key);
    if (index == ERX_ACCOUNT_NONE) {
        erx_status_t status = erx_accounts_create(accounts, &entry, &index, error);
        return status == ERX_OK ? write_some(sim, index, error) : status;
    }
    switch (erx_rng_range(&sim->rng, 0, 5)) {
    case 0:
        return erx_accounts_remove(accounts, index, error);
    case 1:
        return erx_accounts_resize(accounts, index, entry.data_length, error);
    case 2:
        return erx_accounts_update(accounts, index, &entry, error);
    default:
        return write_some(sim, index, error);
    }
}

/* The model arrives at its place: its manifest's account says so. */
static erx_status_t arrive(sim_t *sim, erx_error_t *error)
{
    sim_engine_t *on = sim->on;
    uint32_t index;
    erx_account_entry_t entry = {
        .data_length = 8, .kind = ERX_ACCOUNT_PLAIN, .pool = on->place + 1};
    entry.key.bytes[0] = NAMES + 1;
    return erx_accounts_create(on->accounts, &entry, &index, error);
}

/* One change of a session. Refused where the block has as many starts as it can. */
static erx_status_t change_session(sim_t *sim, erx_session_pool_t *pool, erx_session_mark_t *mark,
                                   erx_error_t *error)
{
    erx_session_t *session = sim_draw_session(sim, pool);
    if (session->generation % 2 == 0) {
        uint64_t handle;
        erx_session_mark(pool, NULL, mark);
        return sim_create(sim, pool, &handle, error);
    }
    erx_session_mark(pool, session, mark);
    if (session->status == ERX_SESSION_WAITING)
        ERX_ASSERT(sim_join(sim, pool, session, error) == ERX_OK);
    else if (session->status == ERX_SESSION_ACTIVE && erx_rng_range(&sim->rng, 0, 1) == 0)
        erx_session_chunk(pool, session, (uint8_t)(erx_arena_next_layer(session->arena) + 1));
    else
        sim_press(sim, pool, session, 0);
    return ERX_OK;
}

void sim_transaction(sim_t *sim)
{
    sim_engine_t *on = sim->on;
    erx_error_t error;
    erx_session_mark_t marks[MARKS_MAX];
    erx_session_pool_t *pools[MARKS_MAX];
    uint64_t before = sim_state(on);
    bool arrives =
        !sim_pool(on, on->place)->has_model && erx_rng_range(&sim->rng, 0, ARRIVES_IN) == 0;
    erx_accounts_begin(on->accounts);
    erx_status_t status = arrives ? arrive(sim, &error) : ERX_OK;
    for (int64_t i = erx_rng_range(&sim->rng, 0, 3); status == ERX_OK && i > 0; i--)
        status = change_account(sim, &error);
    uint32_t mark_count = (uint32_t)erx_rng_range(&sim->rng, 0, MARKS_MAX);
    for (uint32_t i = 0; i < mark_count; i++) {
        pools[i] = sim_draw_pool(sim);
        erx_status_t changed = change_session(sim, pools[i], &marks[i], &error);
        if (status == ERX_OK)
            status = changed;
    }
    bool fails = status != ERX_OK || erx_rng_range(&sim->rng, 0, 2) == 0;
    if (!fails) {
        erx_accounts_commit(on->accounts);
        if (arrives)
            ERX_ASSERT(sim_bind(on, on->place, &error) == ERX_OK);
        return;
    }
    for (uint32_t i = mark_count; i > 0; i--)
        erx_session_restore(pools[i - 1], &marks[i - 1]);
    erx_accounts_rollback(on->accounts);
    if (sim_state(on) != before)
        sim_fail(sim, "a transaction that failed has changed something");
}
