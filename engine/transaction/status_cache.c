#include "engine/transaction/status_cache.h"

#include "engine/transaction/recent.h"
#include "mem/alloc.h"
#include "mem/assert.h"

ERX_STATIC_ASSERT(ERX_STATUS_CACHE_CAPACITY_MAX <= ERX_RECENT_CAPACITY_MAX,
                  "the tables hold every transaction");

/* Both tables are filled and emptied together: a transaction has the same place
 * and age in each. */
struct erx_status_cache {
    erx_recent_t *signatures;
    erx_recent_t *messages;
    erx_status_cache_entry_t *entries; /* by place */
};

erx_status_t erx_status_cache_open(uint32_t capacity, uint64_t seed, erx_status_cache_t **cache_out,
                                   erx_error_t *error)
{
    if (capacity == 0 || capacity > ERX_STATUS_CACHE_CAPACITY_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "status cache: capacity is %u, must be 1 to %u",
                             capacity, ERX_STATUS_CACHE_CAPACITY_MAX);
    erx_status_cache_t *cache = erx_alloc(1, sizeof *cache);
    if (cache == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the status cache");
    erx_status_t status =
        erx_recent_open(capacity, ERX_SIGNATURE_BYTES, seed, &cache->signatures, error);
    if (status == ERX_OK)
        status = erx_recent_open(capacity, ERX_KEY_BYTES, seed, &cache->messages, error);
    if (status == ERX_OK) {
        cache->entries = erx_alloc(capacity, sizeof *cache->entries);
        if (cache->entries == NULL)
            status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u statuses", capacity);
    }
    if (status != ERX_OK) {
        erx_status_cache_close(cache);
        return status;
    }
    *cache_out = cache;
    return ERX_OK;
}

void erx_status_cache_close(erx_status_cache_t *cache)
{
    if (cache == NULL)
        return;
    erx_free(cache->entries);
    erx_recent_close(cache->messages);
    erx_recent_close(cache->signatures);
    erx_free(cache);
}

uint32_t erx_status_cache_count(const erx_status_cache_t *cache)
{
    return erx_recent_count(cache->signatures);
}

uint32_t erx_status_cache_room(const erx_status_cache_t *cache)
{
    return erx_recent_capacity(cache->signatures) - erx_recent_count(cache->signatures);
}

static const erx_status_cache_entry_t *entry_at(const erx_status_cache_t *cache, uint32_t age)
{
    return &cache->entries[erx_recent_place(cache->signatures, age)];
}

erx_status_t erx_status_cache_insert(erx_status_cache_t *cache, const erx_signature_t *signature,
                                     const erx_key_t *message_hash,
                                     const erx_status_cache_entry_t *entry)
{
    uint32_t count = erx_status_cache_count(cache);
    ERX_ASSERT(count == 0 || entry_at(cache, 0)->slot <= entry->slot);
    if (erx_status_cache_room(cache) == 0)
        return ERX_ERR_FULL;
    uint32_t place = erx_recent_push(cache->signatures, signature->bytes);
    ERX_ASSERT(erx_recent_push(cache->messages, message_hash->bytes) == place);
    cache->entries[place] = *entry;
    return ERX_OK;
}

bool erx_status_cache_has_message(const erx_status_cache_t *cache, const erx_key_t *message_hash)
{
    uint32_t age;
    return erx_recent_find(cache->messages, message_hash->bytes, &age);
}

bool erx_status_cache_find(const erx_status_cache_t *cache, const erx_signature_t *signature,
                           erx_status_cache_entry_t *entry_out)
{
    uint32_t age;
    if (!erx_recent_find(cache->signatures, signature->bytes, &age))
        return false;
    *entry_out = *entry_at(cache, age);
    return true;
}

void erx_status_cache_purge(erx_status_cache_t *cache, uint64_t first_slot)
{
    for (uint32_t count = erx_status_cache_count(cache);
         count > 0 && entry_at(cache, count - 1)->slot < first_slot; count--) {
        erx_recent_drop(cache->signatures);
        erx_recent_drop(cache->messages);
    }
}
