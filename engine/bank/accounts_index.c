/* Which account has a key: chains of entries under a keyed hash, each chain in
 * the order of entries, so that the index follows from the table alone and a
 * client cannot choose keys that fall into one chain. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/bank/accounts_parts.h"
#include "mem/assert.h"

static uint32_t *bucket_of(const erx_accounts_t *accounts, const erx_key_t *key)
{
    uint64_t hash = XXH3_64bits_withSeed(key, sizeof *key, accounts->hash_seed);
    return &accounts->buckets[(uint32_t)hash & accounts->bucket_mask];
}

uint32_t erx_accounts_find(const erx_accounts_t *accounts, const erx_key_t *key)
{
    uint32_t index = *bucket_of(accounts, key);
    while (index != ERX_ACCOUNT_NONE &&
           memcmp(&erx_accounts_slot(accounts, index)->key, key, sizeof *key) != 0)
        index = accounts->chain[index];
    return index;
}

/* Where the chain of an entry's key names the entry, or would name it. */
static uint32_t *find_link(erx_accounts_t *accounts, uint32_t index)
{
    uint32_t *link = bucket_of(accounts, &erx_accounts_slot(accounts, index)->key);
    while (*link < index) /* ERX_ACCOUNT_NONE is the greatest number */
        link = &accounts->chain[*link];
    return link;
}

void erx_accounts_link(erx_accounts_t *accounts, uint32_t index)
{
    uint32_t *link = find_link(accounts, index);
    accounts->chain[index] = *link;
    *link = index;
    erx_free_map_take(&accounts->entries, index, 1);
    accounts->count++;
}

void erx_accounts_unlink(erx_accounts_t *accounts, uint32_t index)
{
    uint32_t *link = find_link(accounts, index);
    ERX_ASSERT(*link == index);
    *link = accounts->chain[index];
    erx_free_map_give(&accounts->entries, index, 1);
    accounts->count--;
}
