/* A model being made: its tensors in memory, laid out as the file will be, for
 * whoever fills them (random numbers, the quantizer). */
#ifndef ERX_TOOLS_MODEL_DRAFT_H
#define ERX_TOOLS_MODEL_DRAFT_H

#include "engine/manifest.h"

typedef struct {
    erx_manifest_t manifest; /* complete once sealed, but for the free-form parts */
    uint8_t *weights;        /* manifest.weight_bytes bytes, 64-byte aligned */
    erx_tensors_t tensors;   /* into weights; valid once sealed */
} erx_model_draft_t;

/* Plans the tensors of shape, all zero. name is cut to ERX_MODEL_NAME_MAX.
 * Errors: those of erx_shape_check, ERX_ERR_MEMORY. On success the caller
 * closes the draft. */
erx_status_t erx_model_draft_open(erx_model_draft_t *draft_out, const erx_shape_t *shape,
                                  const char *name, erx_error_t *error);

/* Frees; an all-zero draft is allowed. */
void erx_model_draft_close(erx_model_draft_t *draft);

/* Values of a global tensor, to be written. The name must exist. */
void *erx_model_draft_global(erx_model_draft_t *draft, const char *name);

/* Values of a layer's tensor ("Win", not "layers.0.Win"). */
void *erx_model_draft_layer(erx_model_draft_t *draft, uint32_t layer, const char *name);

/* Computes hashes and shards of what the tensors now hold, binds
 * draft->tensors and checks every rule of the profile. Call it anew after
 * changes. Errors: those of erx_tensors_check, ERX_ERR_MEMORY. */
erx_status_t erx_model_draft_seal(erx_model_draft_t *draft, erx_error_t *error);

#endif
