/* A model directory's manifest.json and weights, checked (format erx_model_v1).
 *
 * Parsing and checking are separate from files so that the same code reads a
 * directory and, later, account bytes, and so that a fuzzer can drive it. */
#ifndef ERX_ENGINE_MANIFEST_H
#define ERX_ENGINE_MANIFEST_H

#include "engine/sha256.h"
#include "kernels/tensors.h"
#include "mem/status.h"

#define ERX_MODEL_NAME_MAX     32u
#define ERX_GLOBAL_TENSORS     (18u + ERX_CATEGORICALS)
#define ERX_LAYER_TENSORS      16u
#define ERX_TENSORS_MAX        (ERX_GLOBAL_TENSORS + ERX_LAYER_TENSORS * ERX_LAYERS_MAX)
#define ERX_TENSOR_NAME_MAX    32u
#define ERX_SHARDS_MAX         64u
#define ERX_SHARD_BYTES_MAX    ((10u << 20) - 82u)
#define ERX_MANIFEST_BYTES_MAX (1u << 20)
#define ERX_SHARD_ALIGN        4096u
#define ERX_TENSOR_ALIGN       64u
#define ERX_WEIGHT_BYTES_MAX   ((size_t)1 << 30)

typedef enum { ERX_DTYPE_I8, ERX_DTYPE_I16, ERX_DTYPE_I32, ERX_DTYPE_I64 } erx_dtype_t;

/* Where one tensor lies in weights_int8.bin. */
typedef struct {
    char name[ERX_TENSOR_NAME_MAX];
    erx_dtype_t dtype;
    uint32_t dimension_count; /* 1 or 2 */
    uint32_t dimensions[2];
    uint64_t offset;
    uint64_t bytes;
} erx_tensor_entry_t;

typedef struct {
    uint64_t offset;
    uint64_t bytes;
    uint8_t sha256[ERX_SHA256_BYTES];
} erx_shard_t;

typedef struct {
    char name[ERX_MODEL_NAME_MAX + 1];
    erx_shape_t shape;
    uint64_t weight_bytes;
    uint8_t weight_sha256[ERX_SHA256_BYTES];
    uint32_t shard_count;
    erx_shard_t shards[ERX_SHARDS_MAX];
    uint32_t tensor_count;
    erx_tensor_entry_t *tensors; /* owned, sorted by offset */
    char *provenance;            /* owned; JSON text of the free-form part, NULL where absent */
    char *fidelity;              /* owned; the same */
} erx_manifest_t;

/* Whether a profile can run this shape: every size in its range and a
 * multiple of its step, d_inner = 2 d_model = head_count * head_dim. The error
 * names the key ("architecture.d_model: ..."). */
erx_status_t erx_shape_check(const erx_shape_t *shape, erx_error_t *error);

/* Reads text[0, bytes) as a manifest and checks everything that can be checked
 * without the weights: keys, types, ranges, architecture, heads, tensor set,
 * dtypes, shapes, alignment, overlap, shard map, tables' hash. The error names
 * the key ("tensors.layers.3.Win.offset: ...").
 *
 * Every key of MODEL.md is required, provenance and fidelity apart. Unknown
 * keys are allowed at the top level only, where later tools may add sections
 * that do not concern execution; inside the known objects they are refused.
 * The bound on the text's size also bounds the memory that reading it takes.
 *
 * On success the caller owns manifest_out's memory and frees it with
 * erx_manifest_free; on failure manifest_out is all zero. Errors:
 * ERX_ERR_FORMAT, ERX_ERR_RANGE, ERX_ERR_UNSUPPORTED (another format, profile
 * or set of tables), ERX_ERR_MEMORY. Any thread. */
erx_status_t erx_manifest_parse(const char *text, size_t bytes, erx_manifest_t *manifest_out,
                                erx_error_t *error);

/* Checks weights[0, bytes) against the manifest (size, SHA-256 of the file and
 * of every shard) and fills tensors_out with pointers into weights, which must
 * be 64-byte aligned and outlive them. Errors: ERX_ERR_ARGUMENT (alignment),
 * ERX_ERR_FORMAT (size), ERX_ERR_HASH, ERX_ERR_MEMORY. Any thread. */
erx_status_t erx_manifest_bind(const erx_manifest_t *manifest, const uint8_t *weights, size_t bytes,
                               erx_tensors_t *tensors_out, erx_error_t *error);

/* Checks every value rule of the profile on bound tensors: ranges of shifts
 * and multipliers, excluded operands (-128, -32768), bounds that keep every
 * accumulator and requantization inside its integer (NUMERICS 5 and 8), the
 * terms that are added to it afterwards included, so that kernels may add in
 * 32 bits. The error names the tensor, the row where there is one, and the
 * rule: ERX_ERR_RANGE. Any thread. */
erx_status_t erx_tensors_check(const erx_tensors_t *tensors, erx_error_t *error);

/* Frees what parse allocated; an all-zero manifest is allowed. */
void erx_manifest_free(erx_manifest_t *manifest);

/* Learned numbers: every weight, gain and table value, but no multiplier, shift
 * or bias of the integer arithmetic; as the 8- and 16-bit tensors. */
uint64_t erx_manifest_parameters(const erx_manifest_t *manifest);

/* Tensor entry by name, NULL where there is none. */
const erx_tensor_entry_t *erx_manifest_find(const erx_manifest_t *manifest, const char *name);

/* The complete, ordered list of tensors that a shape implies: name, dtype and
 * dimensions; offsets as the writer lays them out (Win and Wo of every layer
 * first, each at the next multiple of 64). shape has passed erx_shape_check;
 * entries holds ERX_TENSORS_MAX. Returns the number of entries; bytes_out
 * receives the file's size, also a multiple of 64. */
uint32_t erx_manifest_plan(const erx_shape_t *shape, erx_tensor_entry_t *entries,
                           uint64_t *bytes_out);

#endif
