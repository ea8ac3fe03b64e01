/* Models that an embedder hands over as accounts. */
#include <inttypes.h>
#include <string.h>

#include "engine/bank/bank_parts.h"
#include "engine/bank/fields.h"
#include "engine/bank/models.h"
#include "engine/sha256.h"
#include "engine/transaction/address.h"

/* What is written between two looks at the room that records have. */
#define CHUNK_BYTES ((uint32_t)256 << 10)

static erx_status_t check_shard(const erx_model_accounts_t *import, uint32_t i, erx_error_t *error)
{
    const uint8_t *shard = import->shards[i];
    size_t bytes = import->shard_bytes[i];
    uint8_t hash[ERX_SHA256_BYTES];
    if (shard == NULL || bytes < ERX_WEIGHTS_AT_DATA || bytes > ERX_ACCOUNT_DATA_MAX ||
        memcmp(shard, erx_weight_shard_tag, ERX_TAG_BYTES) != 0 ||
        shard[ERX_WEIGHTS_AT_SHARD] != i ||
        erx_get_u32(shard + ERX_WEIGHTS_AT_DATA_SIZE) != bytes - ERX_WEIGHTS_AT_DATA)
        return erx_error_set(error, ERX_ERR_FORMAT, "shards[%u]: is no WeightShard of index %u", i,
                             i);
    if (shard[ERX_WEIGHTS_AT_FINALIZED] == 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "shards[%u]: is not finalized", i);
    const erx_sha256_part_t part = {shard + ERX_WEIGHTS_AT_DATA, bytes - ERX_WEIGHTS_AT_DATA};
    erx_status_t status = erx_sha256(&part, 1, hash, error);
    if (status == ERX_OK && memcmp(hash, shard + ERX_WEIGHTS_AT_HASH, sizeof hash) != 0)
        return erx_error_set(error, ERX_ERR_HASH, "shards[%u]: data_hash is not that of its data",
                             i);
    return status;
}

/* Whether the manifest names shard i as it will stand here. */
static erx_status_t check_name(const erx_models_t *models, const erx_model_accounts_t *import,
                               uint32_t i, erx_error_t *error)
{
    erx_key_t address;
    const uint8_t *key = import->manifest + ERX_MANIFEST_AT_SHARD_KEYS + (size_t)i * sizeof address;
    erx_status_t status = erx_address_weights(&erx_models_config(models)->program, import->model_id,
                                              (uint8_t)i, &address, NULL, error);
    if (status == ERX_OK && memcmp(key, address.bytes, sizeof address) != 0)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "manifest: shard_keys[%u] is not the address of model %" PRIu64
                             "'s shard",
                             i, import->model_id);
    return status;
}

static erx_status_t check(const erx_models_t *models, const erx_model_accounts_t *import,
                          erx_error_t *error)
{
    const uint8_t *manifest = import->manifest;
    if (erx_models_find_id(models, import->model_id) != NULL)
        return erx_error_set(error, ERX_ERR_STATE, "model id %" PRIu64 " is in use",
                             import->model_id);
    if (import->manifest_bytes < ERX_MANIFEST_AT_JSON ||
        import->manifest_bytes > ERX_ACCOUNT_DATA_MAX ||
        memcmp(manifest, erx_model_manifest_tag, ERX_TAG_BYTES) != 0 ||
        erx_get_u32(manifest + ERX_MANIFEST_AT_JSON_BYTES) !=
            import->manifest_bytes - ERX_MANIFEST_AT_JSON)
        return erx_error_set(error, ERX_ERR_FORMAT, "manifest: is no ModelManifest");
    if (import->shard_count == 0 || import->shard_count > ERX_MANIFEST_SHARDS_MAX ||
        import->shard_count != manifest[ERX_MANIFEST_AT_SHARDS])
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "shard_count: %u is not the manifest's num_shards, %u",
                             import->shard_count, manifest[ERX_MANIFEST_AT_SHARDS]);
    for (uint32_t i = 0; i < import->shard_count; i++) {
        erx_status_t status = check_shard(import, i, error);
        if (status == ERX_OK)
            status = check_name(models, import, i, error);
        if (status != ERX_OK)
            return status;
    }
    return erx_models_check(models, import, error);
}

/* One group of changes; where it finds no room, once more after a flush. */
typedef struct {
    erx_accounts_t *accounts;
    erx_bank_t *bank;
    erx_account_entry_t entry; /* of an account to make */
    const uint8_t *bytes;      /* all of them */
    uint32_t offset;
    /* Accounts that were not there before. */
    erx_key_t made[1 + ERX_MANIFEST_SHARDS_MAX];
    uint32_t made_count;
} writing_t;

static erx_status_t write_once(writing_t *writing, uint32_t index, erx_error_t *error)
{
    uint32_t rest = writing->entry.data_length - writing->offset;
    uint32_t count = ERX_MIN(rest, CHUNK_BYTES);
    erx_status_t status = ERX_OK;
    erx_accounts_begin(writing->accounts);
    if (index == ERX_ACCOUNT_NONE)
        status = erx_accounts_create(writing->accounts, &writing->entry, &index, error);
    if (status == ERX_OK)
        status = erx_accounts_write(writing->accounts, index, writing->offset,
                                    writing->bytes + writing->offset, count, error);
    if (status != ERX_OK) {
        erx_accounts_rollback(writing->accounts);
        return status;
    }
    erx_accounts_commit(writing->accounts);
    writing->offset += count;
    return ERX_OK;
}

/* Makes an account of the program's and fills it. One that an interrupted import
 * left behind is filled again. */
static erx_status_t write_account(writing_t *writing, erx_error_t *error)
{
    uint32_t index = erx_accounts_find(writing->accounts, &writing->entry.key);
    if (index != ERX_ACCOUNT_NONE) {
        const erx_account_entry_t *there = erx_accounts_entry(writing->accounts, index);
        if (there->kind != ERX_ACCOUNT_PLAIN || there->pool != 0 ||
            there->data_length != writing->entry.data_length ||
            !erx_key_equals(&there->owner, &writing->entry.owner))
            return erx_error_set(error, ERX_ERR_STATE, "another account is at the model's address");
    } else {
        writing->made[writing->made_count++] = writing->entry.key;
    }
    for (writing->offset = 0; writing->offset < writing->entry.data_length;) {
        erx_status_t status = write_once(writing, index, error);
        if (status == ERX_ERR_FULL && erx_bank_flush(writing->bank, error) == ERX_OK)
            status = write_once(writing, index, error);
        if (status != ERX_OK)
            return status;
        index = erx_accounts_find(writing->accounts, &writing->entry.key);
    }
    return erx_bank_note_change(writing->bank, &writing->entry.key, error);
}

static erx_status_t write_all(const erx_models_config_t *config, writing_t *writing,
                              const erx_model_accounts_t *import, erx_error_t *error)
{
    erx_status_t status = ERX_OK;
    writing->entry = (erx_account_entry_t){
        .owner = config->program,
        .world_id = import->model_id,
        .kind = ERX_ACCOUNT_PLAIN,
        .flags = ERX_ACCOUNT_MADE_HERE,
    };
    for (uint32_t i = 0; status == ERX_OK && i < import->shard_count; i++) {
        writing->bytes = import->shards[i];
        writing->entry.data_length = (uint32_t)import->shard_bytes[i];
        status = erx_address_weights(&config->program, import->model_id, (uint8_t)i,
                                     &writing->entry.key, NULL, error);
        if (status == ERX_OK)
            status = write_account(writing, error);
    }
    if (status != ERX_OK)
        return status;
    writing->bytes = import->manifest;
    writing->entry.data_length = (uint32_t)import->manifest_bytes;
    status =
        erx_address_manifest(&config->program, import->model_id, &writing->entry.key, NULL, error);
    return status == ERX_OK ? write_account(writing, error) : status;
}

/* Loads the model of the manifest that was written last. */
static erx_status_t load(erx_models_t *models, const writing_t *writing, erx_error_t *error)
{
    uint32_t pool;
    uint32_t manifest = erx_accounts_find(writing->accounts, &writing->entry.key);
    const uint8_t ready = 1;
    erx_accounts_begin(writing->accounts);
    erx_status_t status = erx_accounts_write(writing->accounts, manifest, ERX_MANIFEST_AT_READY,
                                             &ready, sizeof ready, error);
    if (status == ERX_OK)
        status = erx_models_load_manifest(models, manifest, &pool, error);
    if (status == ERX_OK)
        erx_accounts_commit(writing->accounts);
    else
        erx_accounts_rollback(writing->accounts);
    return status;
}

/* Where the storage fails as well, nothing of it counts any more. */
static void remove_made(const writing_t *writing)
{
    erx_error_t error;
    for (uint32_t i = 0; i < writing->made_count; i++) {
        uint32_t index = erx_accounts_find(writing->accounts, &writing->made[i]);
        if (index == ERX_ACCOUNT_NONE)
            continue;
        erx_accounts_begin(writing->accounts);
        if (erx_accounts_remove(writing->accounts, index, &error) == ERX_OK)
            erx_accounts_commit(writing->accounts);
        else
            erx_accounts_rollback(writing->accounts);
        (void)erx_bank_note_change(writing->bank, &writing->made[i], &error);
    }
}

erx_status_t erx_models_import(erx_models_t *models, erx_bank_t *bank,
                               const erx_model_accounts_t *import, erx_error_t *error)
{
    const erx_models_config_t *config = erx_models_config(models);
    writing_t writing = {.accounts = config->accounts, .bank = bank};
    erx_status_t status = check(models, import, error);
    if (status == ERX_OK)
        status = write_all(config, &writing, import, error);
    if (status == ERX_OK)
        status = load(models, &writing, error);
    if (status != ERX_OK)
        remove_made(&writing);
    return status;
}
