#include "engine/transaction/verify.h"

#include <sodium.h>

ERX_STATIC_ASSERT(crypto_sign_BYTES == ERX_SIGNATURE_BYTES, "ed25519");
ERX_STATIC_ASSERT(crypto_sign_PUBLICKEYBYTES == ERX_KEY_BYTES, "ed25519");

bool erx_verify_signature(const erx_signature_t *signature, const erx_key_t *key, const void *data,
                          size_t bytes)
{
    return crypto_sign_verify_detached(signature->bytes, data, bytes, key->bytes) == 0;
}

static size_t signed_bytes(const erx_message_t *message)
{
    return (size_t)message->packet_bytes - message->message_offset;
}

bool erx_verify_message(const erx_message_t *message)
{
    const uint8_t *data = message->packet + message->message_offset;
    for (uint32_t i = 0; i < message->signature_count; i++)
        if (!erx_verify_signature(erx_message_signature(message, i), erx_message_key(message, i),
                                  data, signed_bytes(message)))
            return false;
    return true;
}

void erx_message_hash(const erx_message_t *message, erx_key_t *hash_out)
{
    const uint8_t *data = message->packet + message->message_offset;
    (void)crypto_hash_sha256(hash_out->bytes, data, signed_bytes(message)); /* cannot fail */
}
