/* What a store keeps: pools of arenas of equal length. The first are the
 * sessions of models and of places for models that arrive later, in the
 * engine's order; the last one is the pages of the account table, where there
 * is one. A page is a slot whose arena is the page.
 *
 * Thread rule: its owner's. */
#ifndef ERX_ENGINE_POOLS_H
#define ERX_ENGINE_POOLS_H

#include "engine/bank/accounts.h"
#include "engine/model.h"

#define ERX_POOL_TEXT_MAX 64u

typedef struct {
    uint32_t model_count;
    erx_model_t *models;
    erx_accounts_t *accounts; /* NULL: there is none */
    uint32_t count;
    uint32_t base[ERX_POOLS_MAX + 1]; /* index of a pool's first slot, over all pools */
} erx_pools_t;

/* The pools of these models and accounts. */
erx_pools_t erx_pools_of(erx_model_t *models, uint32_t model_count, erx_accounts_t *accounts);

/* Slots of all pools, and those of sessions alone. */
uint32_t erx_pools_slot_count(const erx_pools_t *pools);
uint32_t erx_pools_session_count(const erx_pools_t *pools);

bool erx_pools_is_pages(const erx_pools_t *pools, uint32_t pool);
uint32_t erx_pools_capacity(const erx_pools_t *pools, uint32_t pool);
uint32_t erx_pools_arena_bytes(const erx_pools_t *pools, uint32_t pool);
uint32_t erx_pools_arena_bytes_max(const erx_pools_t *pools);

/* Pool of a slot's index over all pools. */
uint32_t erx_pools_of_index(const erx_pools_t *pools, uint32_t index);

/* The session in a slot; NULL for pages. */
erx_session_t *erx_pools_session(const erx_pools_t *pools, uint32_t pool, uint32_t slot);

uint8_t *erx_pools_arena(const erx_pools_t *pools, uint32_t pool, uint32_t slot);

/* A slot's name for messages: "session 3 of pool 0", "page 7 of the accounts". */
void erx_pools_text(const erx_pools_t *pools, uint32_t pool, uint32_t slot,
                    char text_out[ERX_POOL_TEXT_MAX]);

/* Empties all sessions and accounts; models of spare pools stay. */
void erx_pools_reset(const erx_pools_t *pools);

#endif
