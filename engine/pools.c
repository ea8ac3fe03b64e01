#include "engine/pools.h"

#include <stdio.h>

#include "mem/assert.h"

erx_pools_t erx_pools_of(erx_model_t *models, uint32_t model_count, erx_accounts_t *accounts)
{
    erx_pools_t pools = {.model_count = model_count, .models = models, .accounts = accounts};
    ERX_ASSERT(model_count <= ERX_MODELS_MAX);
    pools.count = model_count + (accounts != NULL);
    for (uint32_t pool = 0; pool < pools.count; pool++)
        pools.base[pool + 1] = pools.base[pool] + erx_pools_capacity(&pools, pool);
    return pools;
}

uint32_t erx_pools_slot_count(const erx_pools_t *pools)
{
    return pools->base[pools->count];
}

uint32_t erx_pools_session_count(const erx_pools_t *pools)
{
    return pools->base[pools->model_count];
}

bool erx_pools_is_pages(const erx_pools_t *pools, uint32_t pool)
{
    return pool == pools->model_count;
}

uint32_t erx_pools_capacity(const erx_pools_t *pools, uint32_t pool)
{
    return erx_pools_is_pages(pools, pool) ? erx_accounts_page_count(pools->accounts)
                                           : pools->models[pool].sessions.capacity;
}

uint32_t erx_pools_arena_bytes(const erx_pools_t *pools, uint32_t pool)
{
    return erx_pools_is_pages(pools, pool) ? ERX_ACCOUNTS_PAGE_BYTES
                                           : pools->models[pool].sessions.arena_bytes;
}

uint32_t erx_pools_arena_bytes_max(const erx_pools_t *pools)
{
    uint32_t bytes = 0;
    for (uint32_t pool = 0; pool < pools->count; pool++)
        bytes = ERX_MAX(bytes, erx_pools_arena_bytes(pools, pool));
    return bytes;
}

uint32_t erx_pools_of_index(const erx_pools_t *pools, uint32_t index)
{
    uint32_t pool = 0;
    while (index >= pools->base[pool + 1])
        pool++;
    return pool;
}

erx_session_t *erx_pools_session(const erx_pools_t *pools, uint32_t pool, uint32_t slot)
{
    return erx_pools_is_pages(pools, pool) ? NULL : &pools->models[pool].sessions.sessions[slot];
}

uint8_t *erx_pools_arena(const erx_pools_t *pools, uint32_t pool, uint32_t slot)
{
    if (erx_pools_is_pages(pools, pool))
        return erx_accounts_image(pools->accounts) + (size_t)slot * ERX_ACCOUNTS_PAGE_BYTES;
    return pools->models[pool].sessions.sessions[slot].arena;
}

void erx_pools_text(const erx_pools_t *pools, uint32_t pool, uint32_t slot,
                    char text_out[ERX_POOL_TEXT_MAX])
{
    if (pools->accounts != NULL && erx_pools_is_pages(pools, pool))
        (void)snprintf(text_out, ERX_POOL_TEXT_MAX, "page %u of the accounts", slot);
    else
        (void)snprintf(text_out, ERX_POOL_TEXT_MAX, "session %u of pool %u", slot, pool);
}

void erx_pools_reset(const erx_pools_t *pools)
{
    for (uint32_t m = 0; m < pools->model_count; m++)
        erx_session_pool_reset(&pools->models[m].sessions);
    if (pools->accounts != NULL)
        erx_accounts_reset(pools->accounts);
}
