/* Keypair files, as Solana's tools write them: a JSON array of 64 numbers, the
 * seed and the public key. */
#ifndef ERX_NODE_KEYPAIR_H
#define ERX_NODE_KEYPAIR_H

#include "abi/erx.h"
#include "node/failure.h"

#define ERX_KEYPAIR_BYTES 64u

typedef struct {
    uint8_t bytes[ERX_KEYPAIR_BYTES];
} erx_keypair_t;

/* The public half. */
erx_pubkey_t erx_keypair_public(const erx_keypair_t *keypair);

/* Makes a new one from the system's random numbers. */
bool erx_keypair_make(erx_keypair_t *keypair_out, erx_failure_t *failure);

/* Reads a file; the failure names it. The public half must belong to the seed. */
bool erx_keypair_read(const char *path, erx_keypair_t *keypair_out, erx_failure_t *failure);

/* Writes a new file, readable by its owner only. */
bool erx_keypair_write(const char *path, const erx_keypair_t *keypair, erx_failure_t *failure);

/* Reads a file, or makes it where there is none. */
bool erx_keypair_ensure(const char *path, erx_keypair_t *keypair_out, erx_failure_t *failure);

#endif
