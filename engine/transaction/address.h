/* Addresses that programs derive from seeds: SHA-256 over the seeds, the
 * program and a fixed text, where the result is no point of the ed25519 curve,
 * so that nobody has a secret key for it.
 *
 * On the curve means that the encoding decompresses. Points outside the
 * prime-order subgroup, a y that is not reduced, and x = 0 with the sign bit
 * set all do: the runtime's test is no stricter, and a stricter one would find
 * other addresses. All functions: any thread. */
#ifndef ERX_ENGINE_TRANSACTION_ADDRESS_H
#define ERX_ENGINE_TRANSACTION_ADDRESS_H

#include "engine/sha256.h"
#include "engine/transaction/key.h"

#define ERX_ADDRESS_SEEDS_MAX      16u /* the bump is one of them */
#define ERX_ADDRESS_SEED_BYTES_MAX 32u

typedef erx_sha256_part_t erx_address_seed_t;

bool erx_address_is_on_curve(const erx_key_t *key);

/* The address of these seeds as they are; a bump is the caller's last seed.
 * Errors: ERX_ERR_RANGE for too many or too long seeds (the runtime's
 * MaxSeedLengthExceeded), ERX_ERR_ARGUMENT where the result is on the curve
 * (InvalidSeeds), ERX_ERR_MEMORY. */
erx_status_t erx_address_create(const erx_address_seed_t *seeds, size_t seed_count,
                                const erx_key_t *program, erx_key_t *address_out,
                                erx_error_t *error);

/* The address of these seeds and the largest bump, from 255 downwards, that is
 * off the curve. bump_out may be NULL. Errors as above, for at most 15 seeds;
 * ERX_ERR_NOT_FOUND where no bump serves, which no known seeds reach. */
erx_status_t erx_address_find(const erx_address_seed_t *seeds, size_t seed_count,
                              const erx_key_t *program, erx_key_t *address_out, uint8_t *bump_out,
                              erx_error_t *error);

/* The address of a base key, a text and an owner; it may be on the curve.
 * Errors: ERX_ERR_RANGE for a seed of more than 32 bytes (the runtime's
 * MaxSeedLengthExceeded), ERX_ERR_ARGUMENT for an owner that ends like the text
 * of program-derived addresses (IllegalOwner), ERX_ERR_MEMORY. */
erx_status_t erx_address_create_with_seed(const erx_key_t *base, const char *seed,
                                          size_t seed_bytes, const erx_key_t *owner,
                                          erx_key_t *address_out, erx_error_t *error);

/* The accounts of the world program, found from their seeds. bump_out may be
 * NULL. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_address_manifest(const erx_key_t *program, uint64_t model, erx_key_t *address_out,
                                  uint8_t *bump_out, erx_error_t *error);
erx_status_t erx_address_weights(const erx_key_t *program, uint64_t model, uint8_t shard,
                                 erx_key_t *address_out, uint8_t *bump_out, erx_error_t *error);
erx_status_t erx_address_session(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                                 uint8_t *bump_out, erx_error_t *error);
erx_status_t erx_address_hidden(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                                uint8_t *bump_out, erx_error_t *error);
erx_status_t erx_address_input(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                               uint8_t *bump_out, erx_error_t *error);

#endif
