/* Which accounts a block changed, each once. */
#include <string.h>
#include <xxhash.h>

#include "engine/bank/bank_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#define BLOCK_SHIFT 32u

/* The least power of two that leaves half of the buckets free. */
static uint32_t bucket_count(uint32_t capacity)
{
    uint32_t count = 1;
    while (count < 2 * capacity)
        count *= 2;
    return count;
}

erx_status_t erx_bank_changes_open(erx_bank_changes_t *changes_out, uint32_t account_capacity,
                                   erx_error_t *error)
{
    /* All accounts that there are may be sessions' with frames; as many may have
     * been changed and removed before. */
    uint32_t capacity = 2 * account_capacity + ERX_BANK_TRANSACTION_CHANGES;
    uint32_t buckets = bucket_count(capacity);
    *changes_out = (erx_bank_changes_t){
        .list = erx_alloc(capacity, sizeof *changes_out->list),
        .capacity = capacity,
        .bucket_mask = buckets - 1,
        .buckets = erx_alloc(buckets, sizeof *changes_out->buckets),
    };
    if (changes_out->list == NULL || changes_out->buckets == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for changes of %u accounts",
                             account_capacity);
    return ERX_OK;
}

void erx_bank_changes_close(erx_bank_changes_t *changes)
{
    erx_free(changes->list);
    erx_free(changes->buckets);
}

void erx_bank_changes_begin(erx_bank_changes_t *changes)
{
    changes->count = 0;
    if (++changes->block != 0)
        return;
    memset(changes->buckets, 0, ((size_t)changes->bucket_mask + 1) * sizeof *changes->buckets);
    changes->block = 1;
}

bool erx_bank_changes_have_room(const erx_bank_t *bank, uint32_t count)
{
    uint32_t left = bank->changes.capacity - bank->changes.count;
    return left >= erx_accounts_capacity(bank->config.accounts) + count;
}

void erx_bank_changes_add(erx_bank_t *bank, const erx_key_t *key, uint32_t index)
{
    erx_bank_changes_t *changes = &bank->changes;
    uint64_t hash = XXH3_64bits_withSeed(key, sizeof *key, bank->config.hash_seed);
    uint32_t at = (uint32_t)hash & changes->bucket_mask;
    while (changes->buckets[at] >> BLOCK_SHIFT == changes->block) {
        erx_bank_change_t *known = &changes->list[(uint32_t)changes->buckets[at]];
        if (erx_key_equals(&known->key, key)) {
            known->index = index;
            return;
        }
        at = (at + 1) & changes->bucket_mask;
    }
    ERX_ASSERT(changes->count < changes->capacity);
    changes->buckets[at] = (uint64_t)changes->block << BLOCK_SHIFT | changes->count;
    changes->list[changes->count++] = (erx_bank_change_t){.key = *key, .index = index};
}

void erx_bank_changes_add_session(erx_bank_t *bank, uint32_t pool, uint32_t slot)
{
    uint32_t accounts[ERX_SESSION_ACCOUNTS];
    if (!erx_bank_session_accounts(bank, pool, slot, accounts))
        return;
    for (uint32_t i = 0; i < ERX_SESSION_ACCOUNTS; i++)
        erx_bank_changes_add(bank, &erx_accounts_entry(bank->config.accounts, accounts[i])->key,
                             accounts[i]);
}

const erx_bank_change_t *erx_bank_changed(const erx_bank_t *bank, uint32_t *count_out)
{
    *count_out = bank->changes.count;
    return bank->changes.list;
}

erx_status_t erx_bank_note_change(erx_bank_t *bank, const erx_key_t *key, erx_error_t *error)
{
    if (!erx_bank_changes_have_room(bank, 1))
        return erx_error_set(error, ERX_ERR_FULL,
                             "more accounts were changed than one block can tell of; seal a block");
    erx_bank_changes_add(bank, key, erx_accounts_find(bank->config.accounts, key));
    return ERX_OK;
}
