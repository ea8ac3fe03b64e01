/* Sessions' accounts, and reading accounts of every kind. */
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "engine/transaction/address.h"
#include "mem/alloc.h"
#include "mem/assert.h"

erx_model_t *erx_bank_model(const erx_bank_t *bank, uint32_t pool)
{
    uint32_t count;
    ERX_ASSERT(pool < ERX_MODELS_MAX);
    return &erx_engine_models(bank->config.engine, &count)[pool];
}

erx_session_pool_t *erx_bank_pool(const erx_bank_t *bank, uint32_t pool)
{
    return &erx_bank_model(bank, pool)->sessions;
}

static uint32_t *bucket_of(const erx_bank_session_map_t *map, uint32_t pool, uint32_t slot)
{
    uint32_t mixed = (slot * ERX_MODELS_MAX + pool) * UINT32_C(2654435761); /* 2^32 / phi */
    return &map->buckets[mixed >> 7 & map->bucket_mask];
}

void erx_bank_sessions_link(erx_bank_t *bank, const uint32_t accounts[ERX_SESSION_ACCOUNTS])
{
    const erx_account_entry_t *entry = erx_accounts_entry(bank->config.accounts, accounts[0]);
    uint32_t *bucket = bucket_of(&bank->sessions, entry->pool, entry->slot);
    erx_bank_place_t *place = &bank->sessions.places[accounts[0]];
    place->pool = entry->pool;
    place->slot = entry->slot;
    memcpy(place->accounts, accounts, sizeof place->accounts);
    place->next = *bucket;
    *bucket = accounts[0];
}

/* The link that leads to a session, or ends its chain. */
static uint32_t *find_link(const erx_bank_t *bank, uint32_t pool, uint32_t slot)
{
    erx_bank_place_t *places = bank->sessions.places;
    uint32_t *link = bucket_of(&bank->sessions, pool, slot);
    while (*link != ERX_ACCOUNT_NONE && (places[*link].pool != pool || places[*link].slot != slot))
        link = &places[*link].next;
    return link;
}

void erx_bank_sessions_unlink(erx_bank_t *bank, uint32_t pool, uint32_t slot)
{
    uint32_t *link = find_link(bank, pool, slot);
    ERX_ASSERT(*link != ERX_ACCOUNT_NONE);
    *link = bank->sessions.places[*link].next;
}

bool erx_bank_session_accounts(const erx_bank_t *bank, uint32_t pool, uint32_t slot,
                               uint32_t index_out[ERX_SESSION_ACCOUNTS])
{
    uint32_t index = *find_link(bank, pool, slot);
    if (index == ERX_ACCOUNT_NONE)
        return false;
    memcpy(index_out, bank->sessions.places[index].accounts,
           sizeof bank->sessions.places[index].accounts);
    return true;
}

/* Where the accounts of a session are, by its SessionState account. */
static erx_status_t link_session(erx_bank_t *bank, uint32_t state, erx_error_t *error)
{
    erx_accounts_t *accounts = bank->config.accounts;
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, state);
    uint32_t indexes[ERX_SESSION_ACCOUNTS];
    erx_key_t keys[ERX_SESSION_ACCOUNTS];
    uint32_t pool;
    erx_status_t status = erx_bank_session_addresses(bank, entry->world_id, keys, error);
    if (status != ERX_OK)
        return status;
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++) {
        indexes[i] = erx_accounts_find(accounts, &keys[i]);
        if (indexes[i] == ERX_ACCOUNT_NONE || erx_bank_session(bank, indexes[i], &pool) == NULL)
            return erx_error_set(error, ERX_ERR_FORMAT,
                                 "account table, entry %u: a session that there is not, or not "
                                 "all of its accounts",
                                 state);
    }
    erx_bank_sessions_link(bank, indexes);
    return ERX_OK;
}

erx_status_t erx_bank_sessions_open(erx_bank_t *bank, erx_error_t *error)
{
    erx_bank_session_map_t *map = &bank->sessions;
    uint32_t capacity = erx_accounts_capacity(bank->config.accounts);
    uint32_t buckets = 1;
    while (buckets < capacity)
        buckets *= 2;
    map->bucket_mask = buckets - 1;
    map->buckets = erx_alloc(buckets, sizeof *map->buckets);
    map->places = erx_alloc(capacity, sizeof *map->places);
    if (map->buckets == NULL || map->places == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of %u accounts",
                             capacity);
    for (uint32_t i = 0; i < buckets; i++)
        map->buckets[i] = ERX_ACCOUNT_NONE;
    for (uint32_t i = 0; i < capacity; i++) {
        if (!erx_accounts_is_used(bank->config.accounts, i) ||
            erx_accounts_entry(bank->config.accounts, i)->kind != ERX_ACCOUNT_SESSION_STATE)
            continue;
        erx_status_t status = link_session(bank, i, error);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

void erx_bank_sessions_close(erx_bank_t *bank)
{
    erx_free(bank->sessions.buckets);
    erx_free(bank->sessions.places);
}

void erx_bank_session_entries(const erx_bank_t *bank, uint32_t pool, const erx_session_t *session,
                              uint64_t session_id, uint8_t tick_divisor,
                              erx_account_entry_t entries_out[ERX_SESSION_ACCOUNTS])
{
    const erx_shape_t *shape = &erx_bank_pool(bank, pool)->shape;
    static const uint8_t kinds[ERX_SESSION_ACCOUNTS] = {
        ERX_ACCOUNT_SESSION_STATE, ERX_ACCOUNT_HIDDEN_STATE, ERX_ACCOUNT_INPUT_BUFFER};
    const uint32_t lengths[ERX_SESSION_ACCOUNTS] = {
        ERX_SESSION_STATE_BYTES,
        ERX_HIDDEN_HEADER_BYTES + (uint32_t)erx_hidden_data_bytes(shape),
        ERX_INPUT_BUFFER_BYTES,
    };
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        entries_out[i] = (erx_account_entry_t){
            .owner = bank->config.program,
            .data_length = lengths[i],
            .pool = pool,
            .slot = session->slot,
            .generation = session->generation,
            .world_id = session_id,
            .kind = kinds[i],
            .flags = ERX_ACCOUNT_MADE_HERE,
            .tick_divisor = i == 0 ? tick_divisor : 0,
        };
}

void erx_bank_tell_closing(const erx_bank_t *bank, uint32_t pool, erx_session_t *session,
                           uint64_t session_id)
{
    session->status = ERX_SESSION_ENDED;
    erx_arena_publish(session->arena, session->frame, session->status, bank->timestamp);
    if (bank->config.closing != NULL)
        bank->config.closing(bank->config.context, pool, session, session_id);
}

erx_status_t erx_bank_session_addresses(const erx_bank_t *bank, uint64_t session_id,
                                        erx_key_t keys_out[ERX_SESSION_ACCOUNTS],
                                        erx_error_t *error)
{
    const erx_key_t *program = &bank->config.program;
    erx_status_t status = erx_address_session(program, session_id, &keys_out[0], NULL, error);
    if (status == ERX_OK)
        status = erx_address_hidden(program, session_id, &keys_out[1], NULL, error);
    if (status == ERX_OK)
        status = erx_address_input(program, session_id, &keys_out[2], NULL, error);
    return status;
}

uint32_t erx_bank_find(const erx_bank_t *bank, const erx_key_t *key)
{
    return erx_accounts_find(bank->config.accounts, key);
}

uint32_t erx_bank_space(const erx_bank_t *bank, uint32_t index)
{
    return erx_accounts_entry(bank->config.accounts, index)->data_length;
}

erx_session_t *erx_bank_session(const erx_bank_t *bank, uint32_t index, uint32_t *pool_out)
{
    const erx_account_entry_t *entry = erx_accounts_entry(bank->config.accounts, index);
    if (entry->kind < ERX_ACCOUNT_SESSION_STATE || entry->kind > ERX_ACCOUNT_INPUT_BUFFER ||
        entry->pool >= ERX_MODELS_MAX)
        return NULL;
    *pool_out = entry->pool;
    return erx_session_find(erx_bank_pool(bank, entry->pool),
                            (uint64_t)entry->generation << 32 | entry->slot);
}

uint64_t erx_bank_version(const erx_bank_t *bank, uint32_t index)
{
    uint32_t pool;
    uint64_t version = erx_accounts_entry(bank->config.accounts, index)->version;
    const erx_session_t *session = erx_bank_session(bank, index, &pool);
    if (session == NULL)
        return version;
    version += session->frame + (session->status != ERX_SESSION_WAITING);
    if (erx_accounts_entry(bank->config.accounts, index)->kind == ERX_ACCOUNT_INPUT_BUFFER)
        for (uint32_t player = 0; player < ERX_PLAYERS; player++)
            version += erx_arena_input_sequence(session->arena, player);
    return version;
}

/* Where an account's data is in memory; NULL: the models' registry reads it. */
static const uint8_t *data_of(const erx_bank_t *bank, uint32_t index)
{
    uint32_t pool;
    const erx_account_entry_t *entry = erx_accounts_entry(bank->config.accounts, index);
    if (entry->kind == ERX_ACCOUNT_PLAIN)
        return erx_accounts_data(bank->config.accounts, index);
    const erx_session_t *session = erx_bank_session(bank, index, &pool);
    if (session == NULL)
        return NULL;
    switch (entry->kind) {
    case ERX_ACCOUNT_SESSION_STATE:
        return session->arena + ERX_ARENA_SESSION_STATE;
    case ERX_ACCOUNT_HIDDEN_STATE:
        return session->arena + ERX_ARENA_HIDDEN;
    default:
        return session->arena + ERX_ARENA_INPUT_BUFFER;
    }
}

uint32_t erx_bank_read(const erx_bank_t *bank, uint32_t index, uint32_t offset, void *out,
                       uint32_t capacity)
{
    const erx_account_entry_t *entry = erx_accounts_entry(bank->config.accounts, index);
    if (offset >= entry->data_length || capacity == 0)
        return 0;
    uint32_t count = ERX_MIN(capacity, entry->data_length - offset);
    if (entry->kind == ERX_ACCOUNT_MODEL_PART) {
        bank->config.models.read(bank->config.models.context, entry, offset, out, count);
        return count;
    }
    const uint8_t *data = data_of(bank, index);
    ERX_ASSERT(data != NULL); /* a session's account goes with its session */
    memcpy(out, data + offset, count);
    return count;
}
