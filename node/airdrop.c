#include "node/airdrop.h"

#include <openssl/evp.h>
#include <string.h>

#define SEED_BYTES      32u
#define SYSTEM_TRANSFER 2u /* instruction of the System program */
#define BUDGET_PRICE    3u /* instruction of the ComputeBudget program: price a unit */
#define MESSAGE_MAX     512u

static const char budget_program[] = "ComputeBudget111111111111111111111111111111";

typedef struct {
    uint8_t *at;
} cursor_t;

static void put(cursor_t *cursor, const void *bytes, size_t count)
{
    memcpy(cursor->at, bytes, count);
    cursor->at += count;
}

static void put_byte(cursor_t *cursor, uint8_t byte)
{
    *cursor->at++ = byte;
}

static void put_u64(cursor_t *cursor, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        put_byte(cursor, (uint8_t)(value >> (8 * i)));
}

/* Keys: faucet (signs, pays), receiver, System program, ComputeBudget program. */
static bool write_message(cursor_t *cursor, const uint8_t faucet_key[64], const erx_pubkey_t *to,
                          uint64_t lamports, uint64_t nonce, const uint8_t blockhash[ERX_HASH_SIZE])
{
    const uint8_t system_program[ERX_PUBKEY_SIZE] = {0};
    uint8_t budget[ERX_PUBKEY_SIZE];
    if (erx_base58_to_bytes(budget_program, budget, sizeof budget) != ERX_STATUS_OK)
        return false;
    put(cursor, (const uint8_t[]){1, 0, 2, 4}, 4); /* signers, read-only ones, keys */
    put(cursor, faucet_key + SEED_BYTES, ERX_PUBKEY_SIZE);
    put(cursor, to->bytes, ERX_PUBKEY_SIZE);
    put(cursor, system_program, ERX_PUBKEY_SIZE);
    put(cursor, budget, ERX_PUBKEY_SIZE);
    put(cursor, blockhash, ERX_HASH_SIZE);
    put(cursor, (const uint8_t[]){2, 3, 0, 9, BUDGET_PRICE}, 5); /* two instructions */
    put_u64(cursor, nonce);
    put(cursor, (const uint8_t[]){2, 2, 0, 1, 12, SYSTEM_TRANSFER, 0, 0, 0}, 9);
    put_u64(cursor, lamports);
    return true;
}

bool erx_sign(const uint8_t key[64], const uint8_t *bytes, size_t count,
              uint8_t signature_out[ERX_SIGNATURE_SIZE])
{
    size_t size = ERX_SIGNATURE_SIZE;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, SEED_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed = pair != NULL && context != NULL &&
                     EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
                     EVP_DigestSign(context, signature_out, &size, bytes, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    return is_signed;
}

bool erx_signature_check(const erx_pubkey_t *key, const uint8_t *bytes, size_t count,
                         const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    EVP_PKEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = public_key != NULL && context != NULL &&
                   EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
                   EVP_DigestVerify(context, signature, ERX_SIGNATURE_SIZE, bytes, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return is_good;
}

bool erx_airdrop_packet(const uint8_t faucet_key[64], const erx_pubkey_t *to, uint64_t lamports,
                        uint64_t nonce, const uint8_t blockhash[ERX_HASH_SIZE],
                        uint8_t packet_out[ERX_PACKET_MAX], size_t *size_out)
{
    uint8_t message[MESSAGE_MAX];
    cursor_t cursor = {message};
    if (!write_message(&cursor, faucet_key, to, lamports, nonce, blockhash))
        return false;
    size_t size = (size_t)(cursor.at - message);
    packet_out[0] = 1; /* signature */
    memcpy(packet_out + 1 + ERX_SIGNATURE_SIZE, message, size);
    *size_out = 1 + ERX_SIGNATURE_SIZE + size;
    return erx_sign(faucet_key, message, size, packet_out + 1);
}
