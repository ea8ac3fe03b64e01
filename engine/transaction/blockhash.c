#include "engine/transaction/blockhash.h"

#include "engine/sha256.h"
#include "engine/transaction/recent.h"
#include "mem/alloc.h"
#include "mem/assert.h"

#include <string.h>

ERX_STATIC_ASSERT(ERX_BLOCKHASH_VALID_MAX < ERX_RECENT_CAPACITY_MAX, "the table holds every hash");
ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are hashed in place");

struct erx_blockhash {
    erx_recent_t *hashes;
    uint64_t number;
    uint64_t height;
    uint32_t valid_blocks;
};

erx_status_t erx_blockhash_open(const erx_blockhash_settings_t *settings,
                                erx_blockhash_t **blockhash_out, erx_error_t *error)
{
    if (settings->valid_blocks == 0 || settings->valid_blocks > ERX_BLOCKHASH_VALID_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "valid_blocks is %u, must be 1 to %u",
                             settings->valid_blocks, ERX_BLOCKHASH_VALID_MAX);
    erx_blockhash_t *blockhash = erx_alloc(1, sizeof *blockhash);
    if (blockhash == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for blockhashes");
    blockhash->number = blockhash->height = settings->number;
    blockhash->valid_blocks = settings->valid_blocks;
    /* Ages from 0 to valid_blocks are accepted. */
    erx_status_t status = erx_recent_open(settings->valid_blocks + 1, ERX_KEY_BYTES,
                                          settings->hash_seed, &blockhash->hashes, error);
    if (status != ERX_OK) {
        erx_blockhash_close(blockhash);
        return status;
    }
    (void)erx_recent_push(blockhash->hashes, settings->epoch);
    *blockhash_out = blockhash;
    return ERX_OK;
}

void erx_blockhash_close(erx_blockhash_t *blockhash)
{
    if (blockhash == NULL)
        return;
    erx_recent_close(blockhash->hashes);
    erx_free(blockhash);
}

erx_status_t erx_blockhash_advance(erx_blockhash_t *blockhash, const erx_blockhash_block_t *block,
                                   erx_error_t *error)
{
    ERX_ASSERT(block->number > blockhash->number);
    const erx_sha256_part_t parts[] = {
        {erx_blockhash_latest(blockhash)->bytes, ERX_KEY_BYTES},
        {&block->number, sizeof block->number},
        {&block->timestamp, sizeof block->timestamp},
        {block->frames_hash, sizeof block->frames_hash},
    };
    erx_key_t hash;
    erx_status_t status = erx_sha256(parts, ERX_COUNT(parts), hash.bytes, error);
    if (status != ERX_OK)
        return status;
    if (erx_recent_count(blockhash->hashes) == erx_recent_capacity(blockhash->hashes))
        erx_recent_drop(blockhash->hashes);
    (void)erx_recent_push(blockhash->hashes, hash.bytes);
    blockhash->number = block->number;
    blockhash->height++;
    return ERX_OK;
}

const erx_key_t *erx_blockhash_latest(const erx_blockhash_t *blockhash)
{
    return erx_recent_key(blockhash->hashes, 0);
}

uint64_t erx_blockhash_number(const erx_blockhash_t *blockhash)
{
    return blockhash->number;
}

uint64_t erx_blockhash_height(const erx_blockhash_t *blockhash)
{
    return blockhash->height;
}

uint64_t erx_blockhash_last_valid_height(const erx_blockhash_t *blockhash)
{
    return blockhash->height + blockhash->valid_blocks;
}

bool erx_blockhash_find(const erx_blockhash_t *blockhash, const erx_key_t *hash, uint32_t *age_out)
{
    uint32_t age;
    if (!erx_recent_find(blockhash->hashes, hash->bytes, &age))
        return false;
    if (age_out != NULL)
        *age_out = age;
    return true;
}
