/* A policy directory, read and checked: manifest.json (format erx_policy_v1)
 * and weights_int8.bin.
 *
 * Keys of the manifest: format, profile (i8mlp-1, which kernels/POLICY.md is),
 * name, architecture (model_type, context_len, hidden_dim, trunk_dim,
 * embed_widths), total_weight_bytes, sha256 of the weights, tables_sha256 as a
 * model's, and what is free in form: provenance, fidelity. Unknown keys are
 * allowed at the top level only.
 *
 * The weights are the tensors of erx_policy_plan in its order, each at the next
 * multiple of 64; the architecture alone decides their shapes. */
#ifndef ERX_ENGINE_POLICY_FILE_H
#define ERX_ENGINE_POLICY_FILE_H

#include "engine/json_fields.h"
#include "engine/manifest.h"
#include "kernels/policy_net.h"

#define ERX_POLICY_FORMAT   "erx_policy_v1"
#define ERX_POLICY_PROFILE  "i8mlp-1"
#define ERX_POLICY_TENSORS  (13u + ERX_POLICY_EMBEDS)
#define ERX_POLICY_MANIFEST "manifest.json"
#define ERX_POLICY_WEIGHTS  "weights_int8.bin"

typedef struct {
    char name[ERX_MODEL_NAME_MAX + 1];
    erx_policy_shape_t shape;
    uint64_t weight_bytes;
    uint8_t weight_sha256[ERX_SHA256_BYTES];
    char *provenance; /* owned; JSON text, NULL where absent */
    char *fidelity;   /* owned; the same */
} erx_policy_manifest_t;

typedef struct {
    erx_policy_manifest_t manifest;
    erx_policy_tensors_t tensors; /* into weights */
    uint8_t *weights;             /* owned, 64-byte aligned */
} erx_policy_file_t;

/* Whether a directory's manifest names this format: told from the text alone,
 * without checking more. */
bool erx_policy_file_applies(const char *directory);

/* Reads text[0, bytes) and checks all that can be checked without the weights.
 * The error names the key. On success the caller frees manifest_out; on failure
 * it is all zero. Errors: ERX_ERR_FORMAT, ERX_ERR_RANGE, ERX_ERR_UNSUPPORTED
 * (another format, profile or set of tables), ERX_ERR_MEMORY. Any thread. */
erx_status_t erx_policy_manifest_parse(const char *text, size_t bytes,
                                       erx_policy_manifest_t *manifest_out, erx_error_t *error);

/* An all-zero manifest is allowed. */
void erx_policy_manifest_free(erx_policy_manifest_t *manifest);

/* The tensors that a shape implies, in the order of the file, with offsets;
 * entries holds ERX_POLICY_TENSORS. shape has passed erx_policy_shape_check.
 * bytes_out receives the file's size. */
void erx_policy_plan(const erx_policy_shape_t *shape, erx_tensor_entry_t *entries,
                     uint64_t *bytes_out);

/* Points tensors_out into weights, laid out by erx_policy_plan, 64-byte
 * aligned. */
void erx_policy_bind(const erx_policy_shape_t *shape, const uint8_t *weights,
                     erx_policy_tensors_t *tensors_out);

/* The same where the tensors lie at the offsets of entries, in the order of
 * erx_policy_plan. */
void erx_policy_bind_at(const erx_policy_shape_t *shape, const erx_tensor_entry_t *entries,
                        const uint8_t *weights, erx_policy_tensors_t *tensors_out);

/* Sizes of an architecture, the keys of a policy directory: reads and checks them. The caller has
 * checked model_type and is_world. */
erx_status_t erx_policy_read_shape(const erx_fields_t *architecture, erx_policy_shape_t *shape);

/* Every value rule of profile i8mlp-1 (POLICY.md 8): what passes cannot
 * overflow. The error names the tensor, the row and the rule: ERX_ERR_RANGE.
 * Any thread. */
erx_status_t erx_policy_tensors_check(const erx_policy_tensors_t *tensors, erx_error_t *error);

/* Opens a directory and checks everything. The error names the file, then key
 * or tensor. On success the caller closes it; on failure it is all zero. Any
 * thread. */
erx_status_t erx_policy_file_open(const char *directory, erx_policy_file_t *out,
                                  erx_error_t *error);

/* An all-zero file is allowed. */
void erx_policy_file_close(erx_policy_file_t *file);

#endif
