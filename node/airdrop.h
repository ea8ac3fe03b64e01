/* Airdrops: a transfer from the faucet's account, signed here. */
#ifndef ERX_NODE_AIRDROP_H
#define ERX_NODE_AIRDROP_H

#include "abi/erx.h"

/* Writes a signed transfer of lamports from the faucet (64 bytes: seed, public
 * key) to a key; nonce makes equal airdrops different transactions. */
bool erx_airdrop_packet(const uint8_t faucet_key[64], const erx_pubkey_t *to, uint64_t lamports,
                        uint64_t nonce, const uint8_t blockhash[ERX_HASH_SIZE],
                        uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out);

/* Signs bytes with an ed25519 key. */
bool erx_sign(const uint8_t key[64], const uint8_t *bytes, size_t count,
              uint8_t signature_out[ERX_SIGNATURE_SIZE]);

/* Whether a signature is that of a key over bytes. */
bool erx_signature_check(const erx_pubkey_t *key, const uint8_t *bytes, size_t count,
                         const uint8_t signature[ERX_SIGNATURE_SIZE]);

#endif
