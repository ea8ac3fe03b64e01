/* What threads beside the control thread may do. */
#include <string.h>

#include "engine/bank/runtime_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#define NAME_POOL_SHIFT 20u
#define NAME_SLOT_MASK  ((UINT64_C(1) << NAME_POOL_SHIFT) - 1)

ERX_STATIC_ASSERT(ERX_SESSIONS_MAX <= NAME_SLOT_MASK, "a slot fits a session's name");
ERX_STATIC_ASSERT(ERX_MODELS_MAX < 1u << (32 - NAME_POOL_SHIFT), "a pool fits a session's name");

void erx_runtime_read_begin(erx_runtime_t *runtime, bool arenas)
{
    (void)pthread_mutex_lock(&runtime->lock);
    while (arenas && runtime->executing)
        (void)pthread_cond_wait(&runtime->frames_done, &runtime->lock);
}

bool erx_runtime_try_read_begin(erx_runtime_t *runtime)
{
    (void)pthread_mutex_lock(&runtime->lock);
    if (!runtime->executing)
        return true;
    (void)pthread_mutex_unlock(&runtime->lock);
    return false;
}

void erx_runtime_read_end(erx_runtime_t *runtime)
{
    (void)pthread_mutex_unlock(&runtime->lock);
}

uint32_t erx_runtime_read(const erx_runtime_t *runtime, uint32_t index, uint32_t offset, void *out,
                          uint32_t capacity)
{
    const erx_account_entry_t *entry = erx_accounts_entry(runtime->accounts, index);
    bool is_state = entry->kind == ERX_ACCOUNT_SESSION_STATE;
    if (!is_state && entry->kind != ERX_ACCOUNT_INPUT_BUFFER)
        return erx_bank_read(runtime->bank, index, offset, out, capacity);
    uint32_t size = is_state ? ERX_SESSION_STATE_BYTES : ERX_INPUT_BUFFER_BYTES;
    if (offset >= size)
        return 0;
    const uint8_t *small = runtime->pools[entry->pool].slots[entry->slot].small;
    uint32_t count = ERX_MIN(capacity, size - offset);
    memcpy(out, small + (is_state ? 0 : ERX_SESSION_STATE_BYTES) + offset, count);
    return count;
}

uint64_t erx_runtime_version(const erx_runtime_t *runtime, uint32_t index)
{
    return runtime->versions[index];
}

uint64_t erx_runtime_changed_slot(const erx_runtime_t *runtime, uint32_t index)
{
    return runtime->changed_slots[index];
}

erx_session_name_t erx_runtime_session_name(uint32_t pool, const erx_session_t *session)
{
    return (uint64_t)session->generation << 32 | (uint64_t)pool << NAME_POOL_SHIFT | session->slot;
}

/* Pool and slot of a name; false where no pool has such a slot. */
static bool place_of(const erx_runtime_t *runtime, erx_session_name_t name, uint32_t *pool_out,
                     uint32_t *slot_out)
{
    *pool_out = (uint32_t)name >> NAME_POOL_SHIFT;
    *slot_out = (uint32_t)(name & NAME_SLOT_MASK);
    return *pool_out < runtime->pool_count && *slot_out < runtime->pools[*pool_out].capacity;
}

erx_session_t *erx_runtime_session(const erx_runtime_t *runtime, erx_session_name_t name,
                                   uint32_t *pool_out)
{
    uint32_t slot;
    if (!place_of(runtime, name, pool_out, &slot))
        return NULL;
    const erx_world_model_t *model = erx_models_get(runtime->models, *pool_out);
    if (model->model == NULL)
        return NULL;
    return erx_session_find(&model->model->sessions, (name >> 32) << 32 | slot);
}

erx_status_t erx_runtime_leave_input(erx_runtime_t *runtime, erx_session_name_t name,
                                     uint32_t player, const uint8_t control[ERX_CONTROLLER_BYTES])
{
    uint32_t pool, slot;
    uint64_t bits;
    ERX_ASSERT(player < ERX_PLAYERS);
    if (!place_of(runtime, name, &pool, &slot))
        return ERX_ERR_NOT_FOUND;
    erx_runtime_slot_t *place = &runtime->pools[pool].slots[slot];
    uint32_t generation = atomic_load_explicit(&place->generation, memory_order_acquire);
    if (generation != (uint32_t)(name >> 32) || generation % 2 == 0)
        return ERX_ERR_NOT_FOUND;
    memcpy(&bits, control, sizeof bits);
    atomic_store_explicit(&place->mailboxes[player].control, bits, memory_order_relaxed);
    atomic_store_explicit(&place->mailboxes[player].fresh, generation, memory_order_release);
    atomic_store_explicit(&runtime->has_inputs, true, memory_order_release);
    return ERX_OK;
}

uint32_t erx_runtime_pool_capacity(const erx_runtime_t *runtime, uint32_t pool)
{
    return runtime->pools[pool].capacity;
}

uint64_t erx_runtime_frame_hash(const erx_runtime_t *runtime, uint32_t pool,
                                const erx_session_t *session)
{
    return runtime->pools[pool].slots[session->slot].frame_hash;
}

void erx_runtime_collect_inputs(erx_runtime_t *runtime)
{
    erx_error_t error;
    /* Looking into every mailbox takes longer than a block without any. */
    if (!atomic_exchange_explicit(&runtime->has_inputs, false, memory_order_acquire))
        return;
    for (uint32_t pool = 0; pool < runtime->pool_count; pool++) {
        const erx_world_model_t *model = erx_models_get(runtime->models, pool);
        for (uint32_t slot = 0; model->model != NULL && slot < runtime->pools[pool].capacity;
             slot++) {
            erx_session_t *session = &model->model->sessions.sessions[slot];
            for (uint32_t player = 0; player < ERX_PLAYERS; player++) {
                erx_mailbox_t *box = &runtime->pools[pool].slots[slot].mailboxes[player];
                if (atomic_load_explicit(&box->fresh, memory_order_relaxed) == 0 ||
                    atomic_exchange_explicit(&box->fresh, 0, memory_order_acquire) !=
                        session->generation)
                    continue;
                uint64_t bits = atomic_load_explicit(&box->control, memory_order_relaxed);
                uint8_t control[ERX_CONTROLLER_BYTES];
                memcpy(control, &bits, sizeof control);
                /* A session that ended meanwhile takes no more. */
                (void)erx_bank_input(runtime->bank, pool, session, player, control, &error);
            }
        }
    }
}

static void publish_slot(erx_runtime_t *runtime, uint32_t pool, const erx_session_t *session)
{
    uint32_t accounts[3];
    erx_runtime_slot_t *slot = &runtime->pools[pool].slots[session->slot];
    atomic_store_explicit(&slot->generation, session->generation, memory_order_release);
    slot->frame_hash = session->frame_hash;
    slot->tick_divisor = 0;
    if (erx_bank_session_accounts(runtime->bank, pool, session->slot, accounts))
        slot->tick_divisor = erx_accounts_entry(runtime->accounts, accounts[0])->tick_divisor;
    memcpy(slot->small, session->arena + ERX_ARENA_SESSION_STATE, ERX_SESSION_STATE_BYTES);
    memcpy(slot->small + ERX_SESSION_STATE_BYTES, session->arena + ERX_ARENA_INPUT_BUFFER,
           ERX_INPUT_BUFFER_BYTES);
}

void erx_runtime_publish(erx_runtime_t *runtime)
{
    uint32_t count;
    uint64_t slot = runtime->block.slot;
    const erx_bank_change_t *changes = erx_bank_changed(runtime->bank, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pool;
        if (changes[i].index == ERX_ACCOUNT_NONE)
            continue;
        runtime->changed_slots[changes[i].index] = slot;
        runtime->versions[changes[i].index] = erx_bank_version(runtime->bank, changes[i].index);
        const erx_session_t *session = erx_bank_session(runtime->bank, changes[i].index, &pool);
        if (session != NULL)
            publish_slot(runtime, pool, session);
    }
}

void erx_runtime_publish_end(erx_runtime_t *runtime, uint32_t pool, const erx_session_t *session)
{
    atomic_store_explicit(&runtime->pools[pool].slots[session->slot].generation,
                          session->generation + 1, memory_order_release);
}

void erx_runtime_tell_watches(erx_runtime_t *runtime)
{
    uint32_t count;
    const erx_bank_change_t *changes = erx_bank_changed(runtime->bank, &count);
    for (uint32_t w = 0; w < runtime->watch_count; w++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t index = changes[i].index;
            bool removed = index == ERX_ACCOUNT_NONE;
            const erx_account_news_t news = {
                .key = changes[i].key,
                .slot = runtime->block.slot,
                .version = removed ? 0 : runtime->versions[index],
                .removed = removed,
            };
            runtime->figures.watch_drops += erx_account_watch_tell(
                runtime->watches[w], &news,
                removed ? NULL : &erx_accounts_entry(runtime->accounts, index)->owner);
        }
}

erx_status_t erx_runtime_watch(erx_runtime_t *runtime, const erx_key_t *key, const erx_key_t *owner,
                               uint32_t queue_accounts, erx_account_watch_t **watch_out,
                               erx_error_t *error)
{
    erx_status_t status = erx_account_watch_open(key, owner, queue_accounts, watch_out, error);
    if (status != ERX_OK)
        return status;
    erx_runtime_read_begin(runtime, false);
    bool room = runtime->watch_count < ERX_RUNTIME_WATCHES_MAX;
    if (room)
        runtime->watches[runtime->watch_count++] = *watch_out;
    erx_runtime_read_end(runtime);
    if (room)
        return ERX_OK;
    erx_account_watch_close(*watch_out);
    return erx_error_set(error, ERX_ERR_FULL, "%u watches are open", ERX_RUNTIME_WATCHES_MAX);
}

void erx_runtime_unwatch(erx_runtime_t *runtime, erx_account_watch_t *watch)
{
    erx_runtime_read_begin(runtime, false);
    for (uint32_t w = 0; w < runtime->watch_count; w++)
        if (runtime->watches[w] == watch)
            runtime->watches[w] = runtime->watches[--runtime->watch_count];
    erx_runtime_read_end(runtime);
    erx_account_watch_close(watch);
}

erx_status_t erx_runtime_open_pools(erx_runtime_t *runtime, erx_error_t *error)
{
    for (uint32_t i = 0; i < runtime->config.accounts.account_capacity; i++)
        if (erx_accounts_is_used(runtime->accounts, i))
            runtime->versions[i] = erx_bank_version(runtime->bank, i);
    runtime->pool_count = erx_models_count(runtime->models);
    for (uint32_t pool = 0; pool < runtime->pool_count; pool++) {
        const erx_world_model_t *model = erx_models_get(runtime->models, pool);
        erx_runtime_pool_t *own = &runtime->pools[pool];
        own->capacity = model->model == NULL ? runtime->config.upload_sessions
                                             : model->model->sessions.capacity;
        own->slots = erx_alloc(own->capacity, sizeof *own->slots);
        if (own->slots == NULL)
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u sessions", own->capacity);
        for (uint32_t slot = 0; model->model != NULL && slot < own->capacity; slot++)
            publish_slot(runtime, pool, &model->model->sessions.sessions[slot]);
    }
    return ERX_OK;
}

void erx_runtime_close_pools(erx_runtime_t *runtime)
{
    for (uint32_t pool = 0; pool < ERX_MODELS_MAX; pool++)
        erx_free(runtime->pools[pool].slots);
}
