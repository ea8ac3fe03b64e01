#include "engine/transaction/recent.h"

#include "mem/alloc.h"
#include "mem/assert.h"

#include <string.h>
#include <xxhash.h>

/* A chain's end. Numbers of things start above it. */
#define NOTHING 0u

/* Things are numbered as they come. Those in [first, end) have not expired, and
 * thing n is at place n % capacity. A link is the number of the next older thing
 * with the same bucket; one below first ends the chain, as all behind it are
 * older still. */
struct erx_recent {
    uint64_t first;
    uint64_t end;
    uint64_t seed;
    uint32_t capacity;
    uint32_t key_bytes;
    uint64_t bucket_mask;
    uint64_t *buckets; /* number of the newest thing of each */
    uint64_t *links;   /* by place */
    uint8_t *keys;     /* by place */
};

erx_status_t erx_recent_open(uint32_t capacity, uint32_t key_bytes, uint64_t seed,
                             erx_recent_t **recent_out, erx_error_t *error)
{
    if (capacity == 0 || capacity > ERX_RECENT_CAPACITY_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "capacity is %u, must be 1 to %u", capacity,
                             ERX_RECENT_CAPACITY_MAX);
    uint64_t bucket_count = 1;
    while (bucket_count < capacity)
        bucket_count *= 2;
    erx_recent_t *recent = erx_alloc(1, sizeof *recent);
    if (recent != NULL) {
        recent->first = recent->end = NOTHING + 1;
        recent->seed = seed;
        recent->capacity = capacity;
        recent->key_bytes = key_bytes;
        recent->bucket_mask = bucket_count - 1;
        recent->buckets = erx_alloc(bucket_count, sizeof *recent->buckets);
        recent->links = erx_alloc(capacity, sizeof *recent->links);
        recent->keys = erx_alloc(capacity, key_bytes);
    }
    if (recent == NULL || recent->buckets == NULL || recent->links == NULL ||
        recent->keys == NULL) {
        erx_recent_close(recent);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of %u keys", capacity);
    }
    *recent_out = recent;
    return ERX_OK;
}

void erx_recent_close(erx_recent_t *recent)
{
    if (recent == NULL)
        return;
    erx_free(recent->keys);
    erx_free(recent->links);
    erx_free(recent->buckets);
    erx_free(recent);
}

uint32_t erx_recent_count(const erx_recent_t *recent)
{
    return (uint32_t)(recent->end - recent->first);
}

uint32_t erx_recent_capacity(const erx_recent_t *recent)
{
    return recent->capacity;
}

static uint8_t *key_of(const erx_recent_t *recent, uint64_t number)
{
    return recent->keys + number % recent->capacity * recent->key_bytes;
}

static uint64_t *bucket_of(const erx_recent_t *recent, const void *key)
{
    uint64_t hash = XXH3_64bits_withSeed(key, recent->key_bytes, recent->seed);
    return &recent->buckets[hash & recent->bucket_mask];
}

uint32_t erx_recent_push(erx_recent_t *recent, const void *key)
{
    ERX_ASSERT(erx_recent_count(recent) < recent->capacity);
    uint64_t number = recent->end++;
    uint64_t *bucket = bucket_of(recent, key);
    memcpy(key_of(recent, number), key, recent->key_bytes);
    recent->links[number % recent->capacity] = *bucket;
    *bucket = number;
    return (uint32_t)(number % recent->capacity);
}

void erx_recent_drop(erx_recent_t *recent)
{
    ERX_ASSERT(erx_recent_count(recent) > 0);
    recent->first++;
}

uint32_t erx_recent_place(const erx_recent_t *recent, uint32_t age)
{
    ERX_ASSERT(age < erx_recent_count(recent));
    return (uint32_t)((recent->end - 1 - age) % recent->capacity);
}

const void *erx_recent_key(const erx_recent_t *recent, uint32_t age)
{
    ERX_ASSERT(age < erx_recent_count(recent));
    return key_of(recent, recent->end - 1 - age);
}

bool erx_recent_find(const erx_recent_t *recent, const void *key, uint32_t *age_out)
{
    uint64_t number = *bucket_of(recent, key);
    while (number >= recent->first && memcmp(key_of(recent, number), key, recent->key_bytes) != 0)
        number = recent->links[number % recent->capacity];
    if (number < recent->first)
        return false;
    *age_out = (uint32_t)(recent->end - 1 - number);
    return true;
}
