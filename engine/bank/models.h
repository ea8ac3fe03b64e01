/* The models of a rollup and their accounts: those of directories, whose
 * manifests and shards are accounts that read from the model's files; and those
 * that arrive in accounts, by transactions or from an embedder.
 *
 * An account of a directory's model is an entry of kind ERX_ACCOUNT_MODEL_PART,
 * whose slot is 0 for the manifest and 1 + i for shard i, and whose pool is the
 * model's index + 1. The manifest of an uploaded model is a plain account; its
 * entry's pool is 0 until the model is loaded, and the index + 1 from then on,
 * which is how it is found again after a restart.
 *
 * Thread rule: the control thread; reading (get, find, read) as bank.h. */
#ifndef ERX_ENGINE_BANK_MODELS_H
#define ERX_ENGINE_BANK_MODELS_H

#include "engine/bank/bank.h"
#include "engine/bank/model_account.h"

typedef struct {
    uint64_t model_id;
    erx_key_t manifest; /* address of its ModelManifest */
    erx_model_t *model; /* the engine's; NULL: a place that no model has taken yet */
    uint64_t parameters;
    uint64_t weight_bytes;
    uint32_t shard_count;
    uint64_t frame_units; /* compute units of a frame */
    bool uploaded;
} erx_world_model_t;

typedef struct erx_models erx_models_t;

typedef struct {
    erx_engine_t *engine;
    erx_accounts_t *accounts;
    erx_key_t program;
    erx_key_t authority; /* of directories' models: the validator's identity */
    erx_compute_table_t compute;
    uint32_t upload_models; /* places for models that arrive later, and of each ... */
    uint32_t upload_sessions;
    uint32_t upload_session_bytes; /* an arena */
} erx_models_config_t;

/* Errors: ERX_ERR_MEMORY. */
erx_status_t erx_models_open(const erx_models_config_t *config, erx_models_t **models_out,
                             erx_error_t *error);

/* NULL is allowed. Before the engine closes. */
void erx_models_close(erx_models_t *models);

/* Loads a directory into the engine. Errors: those of erx_engine_load_model,
 * ERX_ERR_STATE (the id is in use). */
erx_status_t erx_models_load(erx_models_t *models, const char *directory, uint64_t model_id,
                             uint32_t session_capacity, erx_error_t *error);

/* After the last directory: takes the places for models that arrive later.
 * Errors: those of erx_engine_add_place. */
erx_status_t erx_models_add_places(erx_models_t *models, erx_error_t *error);

/* After recovery: makes the table's entries of directories' models agree with
 * those that are loaded, and loads the uploaded models that the table holds.
 * Errors: ERX_ERR_FULL, ERX_ERR_FORMAT, ERX_ERR_MEMORY. */
erx_status_t erx_models_settle(erx_models_t *models, erx_error_t *error);

/* A model in whole accounts: a ModelManifest and its WeightShards. */
typedef struct {
    uint64_t model_id;
    const uint8_t *manifest;
    size_t manifest_bytes;
    uint32_t shard_count;
    const uint8_t *const *shards;
    const size_t *shard_bytes;
} erx_model_accounts_t;

/* Checks them, puts them into the table, and loads the model: what a series of
 * upload transactions does. Frames that the begun block asked for are executed
 * where the journal's records have no room for all of it at once. Errors:
 * ERX_ERR_FORMAT, ERX_ERR_HASH, ERX_ERR_STATE (the id is in use), ERX_ERR_FULL,
 * ERX_ERR_IO. On failure neither the model nor accounts that were made for it are
 * there; a crash on the way leaves some, which the next import fills again. */
erx_status_t erx_models_import(erx_models_t *models, erx_bank_t *bank,
                               const erx_model_accounts_t *import, erx_error_t *error);

/* Whether the accounts are those of a model that could be loaded now. The lengths
 * of their heads were checked. Errors: those of import. */
erx_status_t erx_models_check(const erx_models_t *models, const erx_model_accounts_t *accounts,
                              erx_error_t *error);

/* Whether the key is the account of a model that was loaded from accounts: such
 * ones stay as they are, since a restart loads the model from them. */
bool erx_models_holds(const erx_models_t *models, const erx_key_t *key);

/* Loads the model of an uploaded manifest (a plain account whose shards are in
 * the table), and notes the pool in its entry. Between erx_accounts_begin and
 * commit. */
erx_status_t erx_models_load_manifest(erx_models_t *models, uint32_t manifest, uint32_t *pool_out,
                                      erx_error_t *error);

/* The program and authority of the registry. */
const erx_models_config_t *erx_models_config(const erx_models_t *models);

/* Loads the uploaded model of a pool during replay, which meets its first
 * frame. Errors: ERX_ERR_NOT_FOUND, those of loading. */
erx_status_t erx_models_bind(erx_models_t *models, uint32_t pool, erx_error_t *error);

/* Number of places, and the model in one: a place is the engine's index of the
 * model's pool. */
uint32_t erx_models_count(const erx_models_t *models);
const erx_world_model_t *erx_models_get(const erx_models_t *models, uint32_t pool);

/* NULL where no model has the id. */
const erx_world_model_t *erx_models_find_id(const erx_models_t *models, uint64_t model_id);

/* The place of a model that get or find_id gave. */
uint32_t erx_models_pool(const erx_models_t *models, const erx_world_model_t *model);

/* Directories that were loaded, in order: for the data directory. */
const char *const *erx_models_directories(const erx_models_t *models, uint32_t *count_out);

/* What the bank asks for. */
erx_bank_models_t erx_models_interface(erx_models_t *models);

#endif
