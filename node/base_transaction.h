/* The transactions that settle to the base layer: what the Delegation program
 * and the memo program take. BASE_LAYER.md has the layouts. */
#ifndef ERX_NODE_BASE_TRANSACTION_H
#define ERX_NODE_BASE_TRANSACTION_H

#include "node/base_layer.h"

/* Where an account that is delegated to this validator stands on the base layer. */
typedef struct {
    erx_delegation_t record;
    uint64_t lamports;       /* of the account */
    uint64_t commits;        /* so far */
    erx_pubkey_t rent_payer; /* who gets the rent of the delegation back */
} erx_settlement_place_t;

/* Writes a signed transaction of validator, who pays. With a place: commits the
 * state, makes it the account's, gives the account back where the settlement is
 * final, and notes the digest of HiddenState. Without (NULL: the base layer
 * does not know the account): notes all of it. A plain account has a place, and no
 * note. False: it does not fit. */
bool erx_settlement_packet(const erx_settlement_t *settlement, const erx_settlement_place_t *place,
                           const erx_keypair_t *validator, const uint8_t blockhash[ERX_HASH_SIZE],
                           uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out);

#endif
