#include "engine/transaction/address.h"

#include <sodium.h>
#include <string.h>

#define BUMP_MAX 255

static const char marker[] = "ProgramDerivedAddress";
#define MARKER_BYTES (sizeof marker - 1)

bool erx_address_is_on_curve(const erx_key_t *key)
{
    /* Adding decompresses both points and asks nothing more of them; the
     * library's validity test would also ask for the prime-order subgroup. */
    uint8_t sum[crypto_core_ed25519_BYTES];
    return crypto_core_ed25519_add(sum, key->bytes, key->bytes) == 0;
}

static erx_status_t check_seeds(const erx_address_seed_t *seeds, size_t seed_count,
                                size_t seed_count_max, erx_error_t *error)
{
    if (seed_count > seed_count_max)
        return erx_error_set(error, ERX_ERR_RANGE, "%zu seeds of an address, at most %zu",
                             seed_count, seed_count_max);
    for (size_t i = 0; i < seed_count; i++)
        if (seeds[i].bytes > ERX_ADDRESS_SEED_BYTES_MAX)
            return erx_error_set(error, ERX_ERR_RANGE, "seed %zu has %zu bytes, at most %u", i,
                                 seeds[i].bytes, ERX_ADDRESS_SEED_BYTES_MAX);
    return ERX_OK;
}

/* Hashes seeds that were checked, the program and the marker. */
static erx_status_t hash_seeds(const erx_address_seed_t *seeds, size_t seed_count,
                               const erx_key_t *program, erx_key_t *address_out, erx_error_t *error)
{
    erx_sha256_part_t parts[ERX_ADDRESS_SEEDS_MAX + 2];
    for (size_t i = 0; i < seed_count; i++)
        parts[i] = seeds[i];
    parts[seed_count] = (erx_sha256_part_t){program->bytes, ERX_KEY_BYTES};
    parts[seed_count + 1] = (erx_sha256_part_t){marker, MARKER_BYTES};
    return erx_sha256(parts, seed_count + 2, address_out->bytes, error);
}

erx_status_t erx_address_create(const erx_address_seed_t *seeds, size_t seed_count,
                                const erx_key_t *program, erx_key_t *address_out,
                                erx_error_t *error)
{
    erx_key_t address;
    erx_status_t status = check_seeds(seeds, seed_count, ERX_ADDRESS_SEEDS_MAX, error);
    if (status == ERX_OK)
        status = hash_seeds(seeds, seed_count, program, &address, error);
    if (status != ERX_OK)
        return status;
    if (erx_address_is_on_curve(&address))
        return erx_error_set(error, ERX_ERR_ARGUMENT,
                             "these seeds give a key on the curve; take another bump");
    *address_out = address;
    return ERX_OK;
}

erx_status_t erx_address_find(const erx_address_seed_t *seeds, size_t seed_count,
                              const erx_key_t *program, erx_key_t *address_out, uint8_t *bump_out,
                              erx_error_t *error)
{
    erx_status_t status = check_seeds(seeds, seed_count, ERX_ADDRESS_SEEDS_MAX - 1, error);
    if (status != ERX_OK)
        return status;
    erx_address_seed_t with_bump[ERX_ADDRESS_SEEDS_MAX];
    uint8_t bump;
    for (size_t i = 0; i < seed_count; i++)
        with_bump[i] = seeds[i];
    with_bump[seed_count] = (erx_address_seed_t){&bump, sizeof bump};
    for (int candidate = BUMP_MAX; candidate >= 0; candidate--) {
        bump = (uint8_t)candidate;
        erx_key_t address;
        status = hash_seeds(with_bump, seed_count + 1, program, &address, error);
        if (status != ERX_OK)
            return status;
        if (erx_address_is_on_curve(&address))
            continue;
        *address_out = address;
        if (bump_out != NULL)
            *bump_out = bump;
        return ERX_OK;
    }
    return erx_error_set(error, ERX_ERR_NOT_FOUND, "no bump takes these seeds off the curve");
}

erx_status_t erx_address_create_with_seed(const erx_key_t *base, const char *seed,
                                          size_t seed_bytes, const erx_key_t *owner,
                                          erx_key_t *address_out, erx_error_t *error)
{
    const erx_sha256_part_t parts[] = {
        {base->bytes, ERX_KEY_BYTES},
        {seed, seed_bytes},
        {owner->bytes, ERX_KEY_BYTES},
    };
    erx_status_t status = check_seeds(&parts[1], 1, 1, error);
    if (status != ERX_OK)
        return status;
    /* Or seed and owner could be chosen to look like a derived address' seeds. */
    if (memcmp(owner->bytes + ERX_KEY_BYTES - MARKER_BYTES, marker, MARKER_BYTES) == 0)
        return erx_error_set(error, ERX_ERR_ARGUMENT, "the owner ends with \"%s\"", marker);
    return erx_sha256(parts, ERX_COUNT(parts), address_out->bytes, error);
}

ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are hashed in place");

/* The address of a name and a number, and of one byte more where shard is given. */
static erx_status_t find_numbered(const erx_key_t *program, const char *name, uint64_t number,
                                  const uint8_t *shard, erx_key_t *address_out, uint8_t *bump_out,
                                  erx_error_t *error)
{
    const erx_address_seed_t seeds[] = {
        {name, strlen(name)},
        {&number, sizeof number},
        {shard, 1},
    };
    size_t count = shard == NULL ? 2 : 3;
    return erx_address_find(seeds, count, program, address_out, bump_out, error);
}

erx_status_t erx_address_manifest(const erx_key_t *program, uint64_t model, erx_key_t *address_out,
                                  uint8_t *bump_out, erx_error_t *error)
{
    return find_numbered(program, "manifest", model, NULL, address_out, bump_out, error);
}

erx_status_t erx_address_weights(const erx_key_t *program, uint64_t model, uint8_t shard,
                                 erx_key_t *address_out, uint8_t *bump_out, erx_error_t *error)
{
    return find_numbered(program, "weights", model, &shard, address_out, bump_out, error);
}

erx_status_t erx_address_session(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                                 uint8_t *bump_out, erx_error_t *error)
{
    return find_numbered(program, "session", session, NULL, address_out, bump_out, error);
}

erx_status_t erx_address_hidden(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                                uint8_t *bump_out, erx_error_t *error)
{
    return find_numbered(program, "hidden", session, NULL, address_out, bump_out, error);
}

erx_status_t erx_address_input(const erx_key_t *program, uint64_t session, erx_key_t *address_out,
                               uint8_t *bump_out, erx_error_t *error)
{
    return find_numbered(program, "input", session, NULL, address_out, bump_out, error);
}
