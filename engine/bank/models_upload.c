/* Models that arrive in accounts. */
#include "engine/bank/models_parts.h"

#include <inttypes.h>
#include <string.h>

#include "engine/bank/fields.h"
#include "mem/alloc.h"

erx_status_t erx_models_add_places(erx_models_t *models, erx_error_t *error)
{
    const erx_models_config_t *config = &models->config;
    erx_status_t status = ERX_OK;
    uint32_t pool;
    for (uint32_t i = 0; status == ERX_OK && i < config->upload_models; i++)
        status = erx_engine_add_place(config->engine, config->upload_session_bytes,
                                      config->upload_sessions, &pool, error);
    return status;
}

/* The parts of an uploaded model, as its accounts hold them. */
typedef struct {
    const uint8_t *luts;
    const uint8_t *json;
    uint32_t json_bytes;
    uint8_t *weights; /* one after the other, where the engine can read them */
    size_t weight_bytes;
} upload_t;

/* A model's accounts as the table holds them; the arrays stay with the caller. */
typedef struct {
    const uint8_t *shards[ERX_MANIFEST_SHARDS_MAX];
    size_t shard_bytes[ERX_MANIFEST_SHARDS_MAX];
} shards_t;

static erx_model_accounts_t accounts_of(const erx_models_t *models, uint32_t manifest,
                                        const uint32_t *shards, uint32_t shard_count,
                                        shards_t *shards_out)
{
    const erx_accounts_t *accounts = models->config.accounts;
    const erx_account_entry_t *entry = erx_accounts_entry(accounts, manifest);
    for (uint32_t i = 0; i < shard_count; i++) {
        shards_out->shards[i] = erx_accounts_data(accounts, shards[i]);
        shards_out->shard_bytes[i] = erx_accounts_entry(accounts, shards[i])->data_length;
    }
    return (erx_model_accounts_t){
        .model_id = entry->world_id,
        .manifest = erx_accounts_data(accounts, manifest),
        .manifest_bytes = entry->data_length,
        .shard_count = shard_count,
        .shards = shards_out->shards,
        .shard_bytes = shards_out->shard_bytes,
    };
}

/* Gathers the shards; upload_out->weights is the caller's to free. */
static erx_status_t gather(const erx_model_accounts_t *accounts, upload_t *upload_out,
                           erx_error_t *error)
{
    *upload_out = (upload_t){
        .luts = accounts->manifest + ERX_MANIFEST_AT_LUTS,
        .json = accounts->manifest + ERX_MANIFEST_AT_JSON,
        .json_bytes = (uint32_t)(accounts->manifest_bytes - ERX_MANIFEST_AT_JSON),
    };
    for (uint32_t i = 0; i < accounts->shard_count; i++)
        upload_out->weight_bytes += accounts->shard_bytes[i] - ERX_WEIGHTS_AT_DATA;
    upload_out->weights = erx_alloc(1, upload_out->weight_bytes);
    if (upload_out->weights == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %zu bytes of weights",
                             upload_out->weight_bytes);
    uint8_t *at = upload_out->weights;
    for (uint32_t i = 0; i < accounts->shard_count; i++) {
        size_t bytes = accounts->shard_bytes[i] - ERX_WEIGHTS_AT_DATA;
        memcpy(at, accounts->shards[i] + ERX_WEIGHTS_AT_DATA, bytes);
        at += bytes;
    }
    return ERX_OK;
}

static erx_status_t find_place(const erx_models_t *models, uint32_t *pool_out, erx_error_t *error)
{
    *pool_out = 0;
    for (uint32_t i = 0; i < models->config.upload_models; i++) {
        *pool_out = models->directory_count + i;
        if (models->places[*pool_out].facts.model == NULL)
            return ERX_OK;
    }
    return erx_error_set(error, ERX_ERR_FULL,
                         "%u uploaded models are loaded; there is no room for "
                         "another",
                         models->config.upload_models);
}

static erx_model_bytes_t bytes_of(const upload_t *upload)
{
    return (erx_model_bytes_t){
        .manifest = (const char *)upload->json,
        .manifest_bytes = upload->json_bytes,
        .weights = upload->weights,
        .weight_bytes = upload->weight_bytes,
        .luts = upload->luts,
    };
}

/* Whether the account's fields, which clients read, are those of its JSON. */
static erx_status_t check_fields(const uint8_t *account, const erx_manifest_t *manifest,
                                 erx_error_t *error)
{
    const erx_shape_t *shape = &manifest->shape;
    const struct {
        const char *name;
        uint64_t account, json;
    } fields[] = {
        {"d_model", erx_get_u16(account + ERX_MANIFEST_AT_D_MODEL), shape->d_model},
        {"d_inner", erx_get_u16(account + ERX_MANIFEST_AT_D_INNER), shape->d_inner},
        {"d_state", erx_get_u16(account + ERX_MANIFEST_AT_D_STATE), shape->d_state},
        {"num_layers", account[ERX_MANIFEST_AT_LAYERS], shape->layer_count},
        {"num_heads", account[ERX_MANIFEST_AT_HEADS], shape->head_count},
        {"num_shards", account[ERX_MANIFEST_AT_SHARDS], manifest->shard_count},
        {"total_weight_bytes", erx_get_u32(account + ERX_MANIFEST_AT_WEIGHT_BYTES),
         manifest->weight_bytes},
    };
    for (size_t i = 0; i < ERX_COUNT(fields); i++)
        if (fields[i].account != fields[i].json)
            return erx_error_set(error, ERX_ERR_DIFFERS,
                                 "%s: the account says %" PRIu64 ", its JSON %" PRIu64,
                                 fields[i].name, fields[i].account, fields[i].json);
    return ERX_OK;
}

static erx_status_t check_room(const erx_models_t *models, uint32_t pool, const erx_shape_t *shape,
                               erx_error_t *error)
{
    uint32_t count;
    size_t needed = erx_arena_bytes(shape);
    const erx_model_t *places = erx_engine_models(models->config.engine, &count);
    if (needed <= places[pool].sessions.arena_bytes)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_RANGE,
                         "a session of this model takes %zu bytes; uploaded models may take %u",
                         needed, places[pool].sessions.arena_bytes);
}

/* Whether the manifest is one that a place can take. */
static erx_status_t check_manifest(const erx_models_t *models, uint32_t pool,
                                   const erx_model_accounts_t *accounts, erx_error_t *error)
{
    erx_manifest_t manifest;
    erx_status_t status =
        erx_manifest_parse((const char *)accounts->manifest + ERX_MANIFEST_AT_JSON,
                           accounts->manifest_bytes - ERX_MANIFEST_AT_JSON, &manifest, error);
    if (status == ERX_OK)
        status = check_fields(accounts->manifest, &manifest, error);
    if (status == ERX_OK)
        status = check_room(models, pool, &manifest.shape, error);
    erx_manifest_free(&manifest);
    return status;
}

erx_status_t erx_models_check(const erx_models_t *models, const erx_model_accounts_t *accounts,
                              erx_error_t *error)
{
    upload_t upload;
    uint32_t pool;
    erx_model_file_t file;
    erx_status_t status = find_place(models, &pool, error);
    if (status == ERX_OK)
        status = check_manifest(models, pool, accounts, error);
    if (status == ERX_OK)
        status = gather(accounts, &upload, error);
    if (status != ERX_OK)
        return status;
    const erx_model_bytes_t bytes = bytes_of(&upload);
    status = erx_model_file_read(&bytes, &file, error);
    if (status == ERX_OK)
        erx_model_file_close(&file);
    erx_free(upload.weights);
    return status;
}

static erx_status_t check_upload(void *context, uint32_t manifest, const uint32_t *shards,
                                 uint32_t shard_count, erx_error_t *error)
{
    shards_t kept;
    const erx_models_t *models = context;
    const erx_model_accounts_t accounts = accounts_of(models, manifest, shards, shard_count, &kept);
    return erx_models_check(models, &accounts, error);
}

static void unload_upload(void *context, uint32_t pool)
{
    erx_models_t *models = context;
    erx_engine_unload_model(models->config.engine, pool);
    erx_models_close_place(&models->places[pool]);
}

static erx_status_t load_bytes(erx_models_t *models, uint32_t pool, uint32_t manifest,
                               const erx_model_bytes_t *bytes, erx_error_t *error)
{
    erx_model_t *model;
    erx_manifest_t read;
    erx_models_place_t *place = &models->places[pool];
    uint64_t id = erx_accounts_entry(models->config.accounts, manifest)->world_id;
    erx_status_t status =
        erx_engine_load_model_bytes(models->config.engine, bytes, pool, 0, &model, error);
    if (status != ERX_OK)
        return status;
    /* The engine has checked all of it. */
    status = erx_manifest_parse(bytes->manifest, bytes->manifest_bytes, &read, error);
    if (status == ERX_OK)
        status = erx_models_describe(models, place, &read, id, model, error);
    erx_manifest_free(&read);
    place->facts.uploaded = true;
    if (status != ERX_OK)
        unload_upload(models, pool);
    return status;
}

static erx_status_t load_into(erx_models_t *models, uint32_t pool, uint32_t manifest,
                              const uint32_t *shards, uint32_t shard_count, erx_error_t *error)
{
    shards_t kept;
    upload_t upload;
    const erx_model_accounts_t accounts = accounts_of(models, manifest, shards, shard_count, &kept);
    erx_status_t status = gather(&accounts, &upload, error);
    if (status != ERX_OK)
        return status;
    const erx_model_bytes_t bytes = bytes_of(&upload);
    status = load_bytes(models, pool, manifest, &bytes, error);
    erx_free(upload.weights);
    return status;
}

static erx_status_t load_upload(void *context, uint32_t manifest, const uint32_t *shards,
                                uint32_t shard_count, uint32_t *pool_out, erx_error_t *error)
{
    shards_t kept;
    erx_models_t *models = context;
    const erx_model_accounts_t accounts = accounts_of(models, manifest, shards, shard_count, &kept);
    erx_status_t status = find_place(models, pool_out, error);
    if (status == ERX_OK)
        status = check_manifest(models, *pool_out, &accounts, error);
    if (status != ERX_OK)
        return status;
    return load_into(models, *pool_out, manifest, shards, shard_count, error);
}

/* The shards that an uploaded manifest names. The table need not be indexed. */
static erx_status_t find_shards(const erx_models_t *models, uint32_t manifest,
                                uint32_t shards_out[ERX_MANIFEST_SHARDS_MAX], uint32_t *count_out,
                                erx_error_t *error)
{
    const uint8_t *account = erx_accounts_data(models->config.accounts, manifest);
    *count_out = ERX_MIN(account[ERX_MANIFEST_AT_SHARDS], ERX_MANIFEST_SHARDS_MAX);
    for (uint32_t i = 0; i < *count_out; i++) {
        erx_key_t key;
        memcpy(key.bytes, account + ERX_MANIFEST_AT_SHARD_KEYS + (size_t)i * ERX_KEY_BYTES,
               ERX_KEY_BYTES);
        shards_out[i] = erx_accounts_scan(models->config.accounts, &key);
        if (shards_out[i] == ERX_ACCOUNT_NONE)
            return erx_error_set(error, ERX_ERR_NOT_FOUND,
                                 "shard %u of an uploaded model has no account", i);
    }
    return ERX_OK;
}

erx_status_t erx_models_load_manifest(erx_models_t *models, uint32_t manifest, uint32_t *pool_out,
                                      erx_error_t *error)
{
    uint32_t shards[ERX_MANIFEST_SHARDS_MAX], shard_count;
    erx_account_entry_t entry = *erx_accounts_entry(models->config.accounts, manifest);
    erx_status_t status = find_shards(models, manifest, shards, &shard_count, error);
    if (status == ERX_OK)
        status = load_upload(models, manifest, shards, shard_count, pool_out, error);
    if (status != ERX_OK)
        return status;
    entry.pool = *pool_out + 1;
    status = erx_accounts_update(models->config.accounts, manifest, &entry, error);
    if (status != ERX_OK)
        unload_upload(models, *pool_out);
    return status;
}

const erx_models_config_t *erx_models_config(const erx_models_t *models)
{
    return &models->config;
}

/* Whether an entry is the manifest of a model that was loaded from accounts. */
bool erx_models_is_uploaded(const erx_models_t *models, uint32_t index)
{
    if (!erx_accounts_is_used(models->config.accounts, index))
        return false;
    const erx_account_entry_t *entry = erx_accounts_entry(models->config.accounts, index);
    return entry->kind == ERX_ACCOUNT_PLAIN && entry->pool != 0 &&
           erx_key_equals(&entry->owner, &models->config.program) &&
           entry->data_length >= ERX_MANIFEST_AT_JSON &&
           memcmp(erx_accounts_data(models->config.accounts, index), erx_model_manifest_tag,
                  ERX_TAG_BYTES) == 0;
}

bool erx_models_holds(const erx_models_t *models, const erx_key_t *key)
{
    for (uint32_t i = 0; i < models->config.upload_models; i++) {
        const erx_world_model_t *model = &models->places[models->directory_count + i].facts;
        if (model->model == NULL)
            continue;
        uint32_t manifest = erx_accounts_find(models->config.accounts, &model->manifest);
        if (manifest == ERX_ACCOUNT_NONE)
            continue;
        const uint8_t *shards =
            erx_accounts_data(models->config.accounts, manifest) + ERX_MANIFEST_AT_SHARD_KEYS;
        bool is_part = erx_key_equals(key, &model->manifest);
        for (uint32_t shard = 0; shard < model->shard_count; shard++)
            is_part |= memcmp(shards + (size_t)shard * ERX_KEY_BYTES, key, ERX_KEY_BYTES) == 0;
        if (is_part)
            return true;
    }
    return false;
}

erx_status_t erx_models_bind_manifest(erx_models_t *models, uint32_t manifest, erx_error_t *error)
{
    uint32_t shards[ERX_MANIFEST_SHARDS_MAX], shard_count;
    uint32_t pool = erx_accounts_entry(models->config.accounts, manifest)->pool - 1;
    erx_status_t status = find_shards(models, manifest, shards, &shard_count, error);
    if (status != ERX_OK)
        return status;
    return load_into(models, pool, manifest, shards, shard_count, error);
}

erx_status_t erx_models_bind(erx_models_t *models, uint32_t pool, erx_error_t *error)
{
    uint32_t manifest = erx_accounts_scan_pool(models->config.accounts, pool);
    if (manifest == ERX_ACCOUNT_NONE || !erx_models_is_uploaded(models, manifest))
        return erx_error_set(error, ERX_ERR_NOT_FOUND,
                             "pool %u has frames, but no account holds its model", pool);
    return erx_models_bind_manifest(models, manifest, error);
}

erx_bank_models_t erx_models_interface(erx_models_t *models)
{
    return (erx_bank_models_t){
        .context = models,
        .check = check_upload,
        .load = load_upload,
        .unload = unload_upload,
        .read = erx_models_read_part,
    };
}
