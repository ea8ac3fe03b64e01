#include "engine/bank/model_account.h"

#include <string.h>

#include "engine/bank/fields.h"
#include "engine/transaction/address.h"

/* SHA-256("account:<Name>")[0, 8). */
const uint8_t erx_model_manifest_tag[ERX_TAG_BYTES] = {0x82, 0xa4, 0x60, 0x7b,
                                                       0xcc, 0x6c, 0x3d, 0xaf};
const uint8_t erx_weight_shard_tag[ERX_TAG_BYTES] = {0xa7, 0xde, 0xd9, 0x17,
                                                     0x8d, 0x1d, 0x17, 0xee};

#define MANIFEST_VERSION 1u

static void put_shape(uint8_t *account, const erx_manifest_t *manifest)
{
    const erx_shape_t *shape = &manifest->shape;
    erx_put_u16(account + ERX_MANIFEST_AT_VERSION, MANIFEST_VERSION);
    erx_put_u16(account + ERX_MANIFEST_AT_D_MODEL, (uint16_t)shape->d_model);
    erx_put_u16(account + ERX_MANIFEST_AT_D_INNER, (uint16_t)shape->d_inner);
    erx_put_u16(account + ERX_MANIFEST_AT_D_STATE, (uint16_t)shape->d_state);
    account[ERX_MANIFEST_AT_LAYERS] = (uint8_t)shape->layer_count;
    account[ERX_MANIFEST_AT_HEADS] = (uint8_t)shape->head_count;
    account[ERX_MANIFEST_AT_SHARDS] = (uint8_t)manifest->shard_count;
    account[ERX_MANIFEST_AT_CONTINUOUS] = ERX_CONTINUOUS;
    erx_put_u16(account + ERX_MANIFEST_AT_ACTIONS, erx_category_counts[0]);
    account[ERX_MANIFEST_AT_BINARY] = ERX_BINARIES;
    erx_put_u16(account + ERX_MANIFEST_AT_INPUT_SIZE, ERX_FEATURES + ERX_CONTROLS);
    erx_put_u32(account + ERX_MANIFEST_AT_PARAMETERS, (uint32_t)erx_manifest_parameters(manifest));
    erx_put_u32(account + ERX_MANIFEST_AT_WEIGHT_BYTES, (uint32_t)manifest->weight_bytes);
}

erx_status_t erx_manifest_account_write(const erx_manifest_facts_t *facts,
                                        uint8_t account_out[ERX_MANIFEST_AT_JSON],
                                        erx_error_t *error)
{
    const erx_manifest_t *manifest = facts->manifest;
    uint32_t named = ERX_MIN(manifest->shard_count, ERX_MANIFEST_SHARDS_MAX);
    memset(account_out, 0, ERX_MANIFEST_AT_JSON);
    memcpy(account_out, erx_model_manifest_tag, ERX_TAG_BYTES);
    memcpy(account_out + ERX_MANIFEST_AT_NAME, manifest->name,
           strnlen(manifest->name, ERX_MODEL_NAME_MAX));
    put_shape(account_out, manifest);
    for (uint32_t i = 0; i < named; i++) {
        erx_key_t key;
        erx_status_t status =
            erx_address_weights(facts->program, facts->model_id, (uint8_t)i, &key, NULL, error);
        if (status != ERX_OK)
            return status;
        memcpy(account_out + ERX_MANIFEST_AT_SHARD_KEYS + (size_t)i * ERX_KEY_BYTES, key.bytes,
               ERX_KEY_BYTES);
        erx_put_u32(account_out + ERX_MANIFEST_AT_SHARD_SIZES + (size_t)i * sizeof(uint32_t),
                    (uint32_t)manifest->shards[i].bytes);
    }
    if (facts->luts != NULL)
        memcpy(account_out + ERX_MANIFEST_AT_LUTS, facts->luts, ERX_LUTS_BYTES);
    memcpy(account_out + ERX_MANIFEST_AT_AUTHORITY, facts->authority->bytes, ERX_KEY_BYTES);
    account_out[ERX_MANIFEST_AT_READY] = 1;
    erx_put_u32(account_out + ERX_MANIFEST_AT_JSON_BYTES, facts->json_bytes);
    return ERX_OK;
}

void erx_weights_account_write(uint8_t shard, const erx_shard_t *facts, const erx_key_t *authority,
                               uint8_t account_out[ERX_WEIGHTS_AT_DATA])
{
    memcpy(account_out, erx_weight_shard_tag, ERX_TAG_BYTES);
    account_out[ERX_WEIGHTS_AT_SHARD] = shard;
    erx_put_u32(account_out + ERX_WEIGHTS_AT_DATA_SIZE, (uint32_t)facts->bytes);
    memcpy(account_out + ERX_WEIGHTS_AT_AUTHORITY, authority->bytes, ERX_KEY_BYTES);
    account_out[ERX_WEIGHTS_AT_FINALIZED] = 1;
    memcpy(account_out + ERX_WEIGHTS_AT_HASH, facts->sha256, ERX_SHA256_BYTES);
    erx_put_u32(account_out + ERX_WEIGHTS_AT_WRITTEN, (uint32_t)facts->bytes);
}
