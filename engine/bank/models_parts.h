/* The registry's inside, shared by models*.c alone. */
#ifndef ERX_ENGINE_BANK_MODELS_PARTS_H
#define ERX_ENGINE_BANK_MODELS_PARTS_H

#include "engine/bank/models.h"

/* A file of a model, whole and read-only. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
} erx_models_file_t;

/* One place: what is known of its model, and where its accounts' bytes are. */
typedef struct {
    erx_world_model_t facts;
    erx_models_file_t json;
    erx_models_file_t weights;
    erx_shard_t *shards; /* [facts.shard_count] */
    uint8_t manifest_head[ERX_MANIFEST_AT_JSON];
} erx_models_place_t;

struct erx_models {
    erx_models_config_t config;
    uint32_t directory_count;
    char *directories[ERX_MODELS_MAX];
    erx_models_place_t places[ERX_MODELS_MAX];
};

/* Gives back what a place holds. */
void erx_models_close_place(erx_models_place_t *place);

/* Notes what a manifest says of a model that the engine has. */
erx_status_t erx_models_describe(const erx_models_t *models, erx_models_place_t *place,
                                 const erx_manifest_t *manifest, uint64_t model_id,
                                 erx_model_t *model, erx_error_t *error);

/* Whether an entry is the manifest of a model that was loaded from accounts. */
bool erx_models_is_uploaded(const erx_models_t *models, uint32_t index);

/* Loads the model of such a manifest into the place that its entry names. */
erx_status_t erx_models_bind_manifest(erx_models_t *models, uint32_t manifest, erx_error_t *error);

/* Copies bytes of an account of a directory's model: erx_bank_models_t.read. */
void erx_models_read_part(void *context, const erx_account_entry_t *entry, uint32_t offset,
                          void *out, uint32_t size);

#endif
