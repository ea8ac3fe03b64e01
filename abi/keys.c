/* Base58 and derived addresses. */
#include <string.h>

#include "abi/result.h"
#include "engine/transaction/address.h"
#include "engine/transaction/base58.h"

#define TEXT_BYTES_MAX 64u

ERX_STATIC_ASSERT(ERX_BASE58_LENGTH_MAX(TEXT_BYTES_MAX) < ERX_BASE58_SIZE, "the text fits");
ERX_STATIC_ASSERT(sizeof(erx_pubkey_t) == sizeof(erx_key_t), "keys are the engine's");

int32_t erx_base58_from_bytes(const uint8_t *bytes, size_t size, char *text_out)
{
    if (bytes == NULL || text_out == NULL)
        return erx_result_missing(bytes == NULL ? "bytes" : "text_out");
    if (size > TEXT_BYTES_MAX)
        return erx_result_refuse(ERX_STATUS_RANGE, "size: %zu is more than %u", size,
                                 TEXT_BYTES_MAX);
    (void)erx_base58_encode(bytes, size, text_out, ERX_BASE58_SIZE);
    return ERX_STATUS_OK;
}

int32_t erx_base58_to_bytes(const char *text, uint8_t *bytes_out, size_t size)
{
    if (text == NULL || bytes_out == NULL)
        return erx_result_missing(text == NULL ? "text" : "bytes_out");
    if (size > TEXT_BYTES_MAX)
        return erx_result_refuse(ERX_STATUS_RANGE, "size: %zu is more than %u", size,
                                 TEXT_BYTES_MAX);
    size_t length = strnlen(text, ERX_BASE58_SIZE + 1);
    if (length > ERX_BASE58_SIZE || !erx_base58_decode_exact(text, length, bytes_out, size))
        return erx_result_refuse(ERX_STATUS_FORMAT, "text: is not the base58 of %zu bytes", size);
    return ERX_STATUS_OK;
}

int32_t erx_find_program_address(const uint8_t *const *seeds, const size_t *sizes, size_t count,
                                 const erx_pubkey_t *program, erx_pubkey_t *address_out,
                                 uint8_t *bump_out)
{
    erx_address_seed_t parts[ERX_ADDRESS_SEEDS_MAX];
    erx_error_t error;
    if (program == NULL || address_out == NULL || (count > 0 && (seeds == NULL || sizes == NULL)))
        return erx_result_missing("seeds, sizes, program or address_out");
    if (count >= ERX_ADDRESS_SEEDS_MAX)
        return erx_result_refuse(ERX_STATUS_RANGE, "count: %zu is more than %u", count,
                                 ERX_ADDRESS_SEEDS_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        if (seeds[i] == NULL && sizes[i] > 0)
            return erx_result_missing("seeds[i]");
        parts[i] = (erx_address_seed_t){seeds[i], sizes[i]};
    }
    if (erx_address_find(parts, count, (const erx_key_t *)program, (erx_key_t *)address_out,
                         bump_out, &error) != ERX_OK)
        return erx_result_keep(&error);
    return ERX_STATUS_OK;
}

int32_t erx_world_address(const erx_pubkey_t *program, erx_address_kind_t kind, uint64_t id,
                          uint8_t shard, erx_pubkey_t *address_out)
{
    const erx_key_t *key = (const erx_key_t *)program;
    erx_key_t *out = (erx_key_t *)address_out;
    erx_error_t error;
    erx_status_t status;
    if (program == NULL || address_out == NULL)
        return erx_result_missing(program == NULL ? "program" : "address_out");
    switch (kind) {
    case ERX_ADDRESS_MANIFEST:
        status = erx_address_manifest(key, id, out, NULL, &error);
        break;
    case ERX_ADDRESS_WEIGHTS:
        status = erx_address_weights(key, id, shard, out, NULL, &error);
        break;
    case ERX_ADDRESS_SESSION_STATE:
        status = erx_address_session(key, id, out, NULL, &error);
        break;
    case ERX_ADDRESS_HIDDEN_STATE:
        status = erx_address_hidden(key, id, out, NULL, &error);
        break;
    case ERX_ADDRESS_INPUT_BUFFER:
        status = erx_address_input(key, id, out, NULL, &error);
        break;
    default:
        return erx_result_refuse(ERX_STATUS_ARGUMENT, "kind: %d is not an erx_address_kind_t",
                                 (int)kind);
    }
    return status == ERX_OK ? ERX_STATUS_OK : erx_result_keep(&error);
}
