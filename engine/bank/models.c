#include "engine/bank/models_parts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/transaction/address.h"
#include "mem/alloc.h"
#include "mem/assert.h"

erx_status_t erx_models_open(const erx_models_config_t *config, erx_models_t **models_out,
                             erx_error_t *error)
{
    erx_models_t *models = erx_alloc(1, sizeof *models);
    if (models == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the models' table");
    models->config = *config;
    *models_out = models;
    return ERX_OK;
}

static void close_file(erx_models_file_t *file)
{
    if (file->bytes != NULL)
        (void)munmap((void *)(uintptr_t)file->bytes, file->size);
    *file = (erx_models_file_t){0};
}

void erx_models_close_place(erx_models_place_t *place)
{
    close_file(&place->json);
    close_file(&place->weights);
    erx_free(place->shards);
    memset(place, 0, sizeof *place);
}

void erx_models_close(erx_models_t *models)
{
    if (models == NULL)
        return;
    for (uint32_t i = 0; i < ERX_MODELS_MAX; i++) {
        erx_models_close_place(&models->places[i]);
        erx_free(models->directories[i]);
    }
    erx_free(models);
}

/* ------------------------------------------------- models of directories */

static erx_status_t map_file(const char *directory, const char *name, erx_models_file_t *file_out,
                             erx_error_t *error)
{
    char path[PATH_MAX];
    struct stat facts;
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (descriptor >= 0 && fstat(descriptor, &facts) == 0)
        bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (descriptor >= 0)
        (void)close(descriptor);
    if (bytes == MAP_FAILED)
        return erx_error_set(error, ERX_ERR_IO, "%.300s: cannot be read any more", path);
    *file_out = (erx_models_file_t){.bytes = bytes, .size = (size_t)facts.st_size};
    return ERX_OK;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = erx_alloc(1, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

/* What a manifest says of a model that the engine has. */
erx_status_t erx_models_describe(const erx_models_t *models, erx_models_place_t *place,
                                 const erx_manifest_t *manifest, uint64_t model_id,
                                 erx_model_t *model, erx_error_t *error)
{
    erx_compute_units_t units = erx_compute_units_frame(&models->config.compute, &model->shape);
    place->facts = (erx_world_model_t){
        .model_id = model_id,
        .model = model,
        .parameters = erx_manifest_parameters(manifest),
        .weight_bytes = manifest->weight_bytes,
        .shard_count = manifest->shard_count,
        .frame_units = erx_compute_units_total(&units),
    };
    return erx_address_manifest(&models->config.program, model_id, &place->facts.manifest, NULL,
                                error);
}

/* Keeps what the accounts say of a model whose files are mapped. */
static erx_status_t keep_accounts(erx_models_t *models, erx_models_place_t *place,
                                  const erx_manifest_t *manifest, const uint8_t *luts,
                                  uint64_t model_id, erx_error_t *error)
{
    const erx_manifest_facts_t facts = {
        .program = &models->config.program,
        .authority = &models->config.authority,
        .model_id = model_id,
        .manifest = manifest,
        .luts = luts,
        .json_bytes = (uint32_t)place->json.size,
    };
    place->shards = erx_alloc(manifest->shard_count, sizeof *place->shards);
    if (place->shards == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of shards");
    memcpy(place->shards, manifest->shards, manifest->shard_count * sizeof *place->shards);
    return erx_manifest_account_write(&facts, place->manifest_head, error);
}

/* Keeps where the accounts of a directory's model read, and what they say. The
 * engine has checked the files. */
static erx_status_t keep_files(erx_models_t *models, erx_models_place_t *place,
                               const char *directory, uint64_t model_id, erx_model_t *model,
                               erx_error_t *error)
{
    erx_manifest_t manifest = {0};
    erx_models_file_t luts = {0};
    erx_error_t ignored; /* the tables are optional */
    erx_status_t status = map_file(directory, "manifest.json", &place->json, error);
    if (status == ERX_OK)
        status = map_file(directory, "weights_int8.bin", &place->weights, error);
    if (status == ERX_OK)
        status =
            erx_manifest_parse((const char *)place->json.bytes, place->json.size, &manifest, error);
    if (status == ERX_OK)
        status = erx_models_describe(models, place, &manifest, model_id, model, error);
    bool has_luts =
        map_file(directory, "luts.bin", &luts, &ignored) == ERX_OK && luts.size == ERX_LUTS_BYTES;
    if (status == ERX_OK)
        status =
            keep_accounts(models, place, &manifest, has_luts ? luts.bytes : NULL, model_id, error);
    close_file(&luts);
    erx_manifest_free(&manifest);
    return status;
}

erx_status_t erx_models_load(erx_models_t *models, const char *directory, uint64_t model_id,
                             uint32_t session_capacity, erx_error_t *error)
{
    if (erx_models_find_id(models, model_id) != NULL)
        return erx_error_set(error, ERX_ERR_STATE, "model id %" PRIu64 " is in use", model_id);
    erx_model_t *model;
    uint32_t pool = models->directory_count;
    char *name = copy_text(directory);
    if (name == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a path");
    erx_status_t status =
        erx_engine_load_model(models->config.engine, directory, session_capacity, &model, error);
    if (status == ERX_OK)
        status = keep_files(models, &models->places[pool], directory, model_id, model, error);
    if (status != ERX_OK) {
        erx_models_close_place(&models->places[pool]);
        erx_free(name);
        return status;
    }
    models->directories[models->directory_count++] = name;
    return ERX_OK;
}

/* ------------------------------------------------------ their accounts */

/* Entry of part (0: manifest, 1 + i: shard i) of a directory's model. */
static erx_status_t part_entry(const erx_models_t *models, uint32_t pool, uint32_t part,
                               erx_account_entry_t *entry_out, erx_error_t *error)
{
    const erx_models_place_t *place = &models->places[pool];
    *entry_out = (erx_account_entry_t){
        .owner = models->config.program,
        .kind = ERX_ACCOUNT_MODEL_PART,
        .pool = pool + 1,
        .slot = part,
        .world_id = place->facts.model_id,
    };
    if (part == 0) {
        entry_out->key = place->facts.manifest;
        entry_out->data_length = ERX_MANIFEST_AT_JSON + (uint32_t)place->json.size;
        return ERX_OK;
    }
    entry_out->data_length = ERX_WEIGHTS_AT_DATA + (uint32_t)place->shards[part - 1].bytes;
    return erx_address_weights(&models->config.program, place->facts.model_id, (uint8_t)(part - 1),
                               &entry_out->key, NULL, error);
}

static erx_status_t make_part(erx_models_t *models, uint32_t pool, uint32_t part,
                              erx_error_t *error)
{
    erx_account_entry_t entry;
    uint32_t index;
    erx_status_t status = part_entry(models, pool, part, &entry, error);
    if (status != ERX_OK ||
        erx_accounts_find(models->config.accounts, &entry.key) != ERX_ACCOUNT_NONE)
        return status;
    erx_accounts_begin(models->config.accounts);
    status = erx_accounts_create(models->config.accounts, &entry, &index, error);
    if (status == ERX_OK)
        erx_accounts_commit(models->config.accounts);
    else
        erx_accounts_rollback(models->config.accounts);
    return status;
}

/* Whether an entry is what the models that are loaded now have at that place. */
static bool is_current(const erx_models_t *models, const erx_account_entry_t *entry)
{
    erx_account_entry_t expected;
    erx_error_t error;
    uint32_t pool = entry->pool - 1;
    return pool < models->directory_count &&
           entry->slot <= models->places[pool].facts.shard_count &&
           part_entry(models, pool, entry->slot, &expected, &error) == ERX_OK &&
           erx_key_equals(&expected.key, &entry->key) && expected.data_length == entry->data_length;
}

static erx_status_t remove_stale(erx_models_t *models, erx_error_t *error)
{
    erx_accounts_t *accounts = models->config.accounts;
    for (uint32_t i = 0; i < erx_accounts_capacity(accounts); i++) {
        if (!erx_accounts_is_used(accounts, i) ||
            erx_accounts_entry(accounts, i)->kind != ERX_ACCOUNT_MODEL_PART ||
            is_current(models, erx_accounts_entry(accounts, i)))
            continue;
        erx_accounts_begin(accounts);
        erx_status_t status = erx_accounts_remove(accounts, i, error);
        if (status != ERX_OK) {
            erx_accounts_rollback(accounts);
            return status;
        }
        erx_accounts_commit(accounts);
    }
    return ERX_OK;
}

static void read_from(const uint8_t *head, uint32_t head_bytes, const uint8_t *body,
                      uint32_t offset, uint8_t *out, uint32_t size)
{
    if (offset < head_bytes) {
        uint32_t count = ERX_MIN(size, head_bytes - offset);
        memcpy(out, head + offset, count);
        out += count;
        offset += count;
        size -= count;
    }
    memcpy(out, body + (offset - head_bytes), size);
}

void erx_models_read_part(void *context, const erx_account_entry_t *entry, uint32_t offset,
                          void *out, uint32_t size)
{
    const erx_models_t *models = context;
    const erx_models_place_t *place = &models->places[entry->pool - 1];
    ERX_ASSERT(offset <= entry->data_length && size <= entry->data_length - offset);
    if (size == 0)
        return;
    if (entry->slot == 0) {
        read_from(place->manifest_head, ERX_MANIFEST_AT_JSON, place->json.bytes, offset, out, size);
        return;
    }
    uint8_t head[ERX_WEIGHTS_AT_DATA];
    const erx_shard_t *shard = &place->shards[entry->slot - 1];
    erx_weights_account_write((uint8_t)(entry->slot - 1), shard, &models->config.authority, head);
    read_from(head, ERX_WEIGHTS_AT_DATA, place->weights.bytes + shard->offset, offset, out, size);
}

erx_status_t erx_models_settle(erx_models_t *models, erx_error_t *error)
{
    erx_status_t status = remove_stale(models, error);
    for (uint32_t pool = 0; pool < models->directory_count; pool++)
        for (uint32_t part = 0; status == ERX_OK && part <= models->places[pool].facts.shard_count;
             part++)
            status = make_part(models, pool, part, error);
    for (uint32_t i = 0; status == ERX_OK && i < erx_accounts_capacity(models->config.accounts);
         i++) {
        if (!erx_models_is_uploaded(models, i))
            continue;
        uint32_t pool = erx_accounts_entry(models->config.accounts, i)->pool - 1;
        if (pool < ERX_MODELS_MAX && models->places[pool].facts.model == NULL)
            status = erx_models_bind_manifest(models, i, error);
    }
    return status;
}

/* ----------------------------------------------------------------- reading */

uint32_t erx_models_count(const erx_models_t *models)
{
    return models->directory_count + models->config.upload_models;
}

const erx_world_model_t *erx_models_get(const erx_models_t *models, uint32_t pool)
{
    ERX_ASSERT(pool < erx_models_count(models));
    return &models->places[pool].facts;
}

const erx_world_model_t *erx_models_find_id(const erx_models_t *models, uint64_t model_id)
{
    for (uint32_t i = 0; i < erx_models_count(models); i++) {
        const erx_world_model_t *model = &models->places[i].facts;
        if (model->model != NULL && model->model_id == model_id)
            return model;
    }
    return NULL;
}

uint32_t erx_models_pool(const erx_models_t *models, const erx_world_model_t *model)
{
    uint32_t pool = 0;
    while (&models->places[pool].facts != model)
        pool++;
    return pool;
}

const char *const *erx_models_directories(const erx_models_t *models, uint32_t *count_out)
{
    *count_out = models->directory_count;
    return (const char *const *)models->directories;
}
