/* The recent blockhashes: what a transaction must name to be accepted, so that
 * it expires and so that it can be told from an earlier equal one.
 *
 * The hash of a block is SHA-256 over the previous hash, the block's number and
 * timestamp (little-endian) and its frames' hash. The first hash is the epoch,
 * which is random for every start: hashes of an earlier run name nothing. One
 * thread at a time. */
#ifndef ERX_ENGINE_TRANSACTION_BLOCKHASH_H
#define ERX_ENGINE_TRANSACTION_BLOCKHASH_H

#include "engine/transaction/key.h"
#include "mem/status.h"

#define ERX_BLOCKHASH_VALID_DEFAULT 150u     /* blocks, as on the base layer */
#define ERX_BLOCKHASH_VALID_MAX     1000000u /* hours of blocks, 40 MB of table */

typedef struct erx_blockhash erx_blockhash_t;

/* What a block adds to the chain of hashes. */
typedef struct {
    uint64_t number; /* greater than every number before */
    int64_t timestamp;
    uint8_t frames_hash[32];
} erx_blockhash_block_t;

typedef struct {
    uint64_t number;       /* of the last block before the first one to come */
    uint32_t valid_blocks; /* a hash is accepted while this many blocks follow it */
    uint8_t epoch[32];     /* random; equal ones give equal hashes */
    uint64_t hash_seed;    /* random; keys the table */
} erx_blockhash_settings_t;

/* Starts with one hash, the epoch's. Errors: ERX_ERR_RANGE (the message names
 * valid_blocks), ERX_ERR_MEMORY. */
erx_status_t erx_blockhash_open(const erx_blockhash_settings_t *settings,
                                erx_blockhash_t **blockhash_out, erx_error_t *error);

/* NULL is allowed. */
void erx_blockhash_close(erx_blockhash_t *blockhash);

/* Adds a block's hash; the one that is now too old is forgotten. Errors:
 * ERX_ERR_MEMORY where SHA-256 fails; nothing is added then. */
erx_status_t erx_blockhash_advance(erx_blockhash_t *blockhash, const erx_blockhash_block_t *block,
                                   erx_error_t *error);

/* The newest hash; valid until the next advance. */
const erx_key_t *erx_blockhash_latest(const erx_blockhash_t *blockhash);

/* Number of the newest hash's block. */
uint64_t erx_blockhash_number(const erx_blockhash_t *blockhash);

/* Blocks of the chain so far, without gaps in their numbers: what clients know
 * as the block height. It starts at the settings' number. */
uint64_t erx_blockhash_height(const erx_blockhash_t *blockhash);

/* The last block height at which the newest hash is accepted. */
uint64_t erx_blockhash_last_valid_height(const erx_blockhash_t *blockhash);

/* Whether a hash is still accepted, and its age in blocks (0: the newest).
 * age_out may be NULL. */
bool erx_blockhash_find(const erx_blockhash_t *blockhash, const erx_key_t *hash, uint32_t *age_out);

#endif
