/* Writes a model directory (MODEL.md): manifest.json, weights_int8.bin,
 * luts.bin. */
#ifndef ERX_TOOLS_MODEL_WRITER_H
#define ERX_TOOLS_MODEL_WRITER_H

#include "tools/model_draft.h"

#include <jansson.h>

/* Whether directory can become a model: it does not exist, or is an empty
 * directory. To be asked before long work; write asks again. */
erx_status_t erx_model_writer_check(const char *directory, erx_error_t *error);

/* Writes a sealed draft. provenance and fidelity are the free-form parts; NULL
 * leaves one out; no reference is taken. The directory appears whole or not at
 * all: it is written beside its place and renamed. Errors: ERX_ERR_STATE (the
 * target holds something), ERX_ERR_IO, ERX_ERR_RANGE (path too long),
 * ERX_ERR_MEMORY. */
erx_status_t erx_model_write(const erx_model_draft_t *draft, const char *directory,
                             json_t *provenance, json_t *fidelity, erx_error_t *error);

/* Name of the arithmetic that runs models of this shape. */
const char *erx_model_writer_profile(const erx_shape_t *shape);

/* The manifest of a sealed draft as JSON, for erx_model_write and for what
 * shows a manifest. The caller drops the reference; NULL when out of memory. */
json_t *erx_model_writer_manifest(const erx_manifest_t *manifest);

#endif
