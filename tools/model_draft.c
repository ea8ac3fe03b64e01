#include "tools/model_draft.h"

#include "mem/alloc.h"
#include "mem/assert.h"

#include <stdio.h>
#include <string.h>

#define SHARD_BYTES (ERX_SHARD_BYTES_MAX / ERX_SHARD_ALIGN * ERX_SHARD_ALIGN)

erx_status_t erx_model_draft_open(erx_model_draft_t *draft_out, const erx_shape_t *shape,
                                  const char *name, erx_error_t *error)
{
    *draft_out = (erx_model_draft_t){0};
    erx_status_t status = erx_shape_check(shape, error);
    if (status != ERX_OK)
        return status;
    erx_manifest_t *manifest = &draft_out->manifest;
    manifest->shape = *shape;
    (void)snprintf(manifest->name, sizeof manifest->name, "%s", name);
    manifest->tensors = erx_alloc(ERX_TENSORS_MAX, sizeof *manifest->tensors);
    if (manifest->tensors != NULL) {
        manifest->tensor_count =
            erx_manifest_plan(shape, manifest->tensors, &manifest->weight_bytes);
        draft_out->weights = erx_alloc(manifest->weight_bytes, 1);
    }
    if (draft_out->weights == NULL) {
        erx_model_draft_close(draft_out);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a model of this shape");
    }
    return ERX_OK;
}

void erx_model_draft_close(erx_model_draft_t *draft)
{
    erx_manifest_free(&draft->manifest);
    erx_free(draft->weights);
    *draft = (erx_model_draft_t){0};
}

void *erx_model_draft_global(erx_model_draft_t *draft, const char *name)
{
    const erx_tensor_entry_t *entry = erx_manifest_find(&draft->manifest, name);
    ERX_ASSERT(entry != NULL);
    return draft->weights + entry->offset;
}

void *erx_model_draft_layer(erx_model_draft_t *draft, uint32_t layer, const char *name)
{
    char full[ERX_TENSOR_NAME_MAX];
    (void)snprintf(full, sizeof full, "layers.%u.%s", layer, name);
    return erx_model_draft_global(draft, full);
}

static erx_status_t hash_shards(erx_model_draft_t *draft, erx_error_t *error)
{
    erx_manifest_t *manifest = &draft->manifest;
    manifest->shard_count = 0;
    for (uint64_t offset = 0; offset < manifest->weight_bytes; offset += SHARD_BYTES) {
        ERX_ASSERT(manifest->shard_count < ERX_SHARDS_MAX);
        erx_shard_t *shard = &manifest->shards[manifest->shard_count++];
        shard->offset = offset;
        shard->bytes = ERX_MIN(manifest->weight_bytes - offset, (uint64_t)SHARD_BYTES);
        const erx_sha256_part_t part = {draft->weights + offset, shard->bytes};
        erx_status_t status = erx_sha256(&part, 1, shard->sha256, error);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

erx_status_t erx_model_draft_seal(erx_model_draft_t *draft, erx_error_t *error)
{
    erx_manifest_t *manifest = &draft->manifest;
    const erx_sha256_part_t whole = {draft->weights, manifest->weight_bytes};
    erx_status_t status = erx_sha256(&whole, 1, manifest->weight_sha256, error);
    if (status == ERX_OK)
        status = hash_shards(draft, error);
    if (status == ERX_OK)
        status = erx_manifest_bind(manifest, draft->weights, manifest->weight_bytes,
                                   &draft->tensors, error);
    if (status == ERX_OK)
        status = erx_tensors_check(&draft->tensors, error);
    return status;
}
