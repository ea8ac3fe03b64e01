/* A trained checkpoint in memory, whatever file it came from: named tensors as
 * floats and what describes them. */
#ifndef ERX_TOOLS_CHECKPOINT_H
#define ERX_TOOLS_CHECKPOINT_H

#include "engine/sha256.h"
#include "mem/status.h"

#include <jansson.h>

#define ERX_CHECKPOINT_RANK       4u
#define ERX_CHECKPOINT_NAME_MAX   128u
#define ERX_CHECKPOINT_COUNT_MAX  16384u
#define ERX_CHECKPOINT_VALUES_MAX ((size_t)1 << 29) /* of all tensors */

typedef struct {
    char name[ERX_CHECKPOINT_NAME_MAX];
    uint32_t rank;
    uint32_t dimensions[ERX_CHECKPOINT_RANK];
    size_t count;
    float *values; /* owned, row-major */
} erx_checkpoint_tensor_t;

/* What a checkpoint is, by its keys, as the published pipeline tells them
 * apart. */
typedef enum {
    ERX_CHECKPOINT_MAMBA2,
    ERX_CHECKPOINT_MLP,
    ERX_CHECKPOINT_POLICY,
    ERX_CHECKPOINT_UNKNOWN
} erx_checkpoint_kind_t;

typedef struct {
    erx_checkpoint_tensor_t *tensors; /* owned; in byte order of their names once sealed */
    uint32_t count;
    uint32_t capacity;
    size_t value_count;
    json_t *encoding_config;          /* owned; an object, or NULL */
    json_t *arch;                     /* owned; an object, or NULL */
    int64_t context_len;              /* 0 where the file does not say */
    uint8_t sha256[ERX_SHA256_BYTES]; /* of the file */
} erx_checkpoint_t;

/* Reads a .safetensors file or a PyTorch .pt file (told apart by content).
 * Every value is finite afterwards. Errors name the file and the tensor. On
 * success the caller closes it; on failure it is all zero. */
erx_status_t erx_checkpoint_open(erx_checkpoint_t *checkpoint_out, const char *path,
                                 erx_error_t *error);

/* The same from bytes in memory. */
erx_status_t erx_checkpoint_read(erx_checkpoint_t *checkpoint_out, const uint8_t *bytes,
                                 size_t size, erx_error_t *error);

/* An all-zero checkpoint is allowed. */
void erx_checkpoint_close(erx_checkpoint_t *checkpoint);

/* NULL where there is none. The checkpoint is sealed. */
const erx_checkpoint_tensor_t *erx_checkpoint_find(const erx_checkpoint_t *checkpoint,
                                                   const char *name);

erx_checkpoint_kind_t erx_checkpoint_kind(const erx_checkpoint_t *checkpoint);

/* ---- for those who read files into checkpoints ---- */

/* Adds a tensor of zeros; dimensions as 64-bit numbers so that nobody cuts
 * them. The error names it. */
erx_status_t erx_checkpoint_add(erx_checkpoint_t *checkpoint, const char *name,
                                const uint64_t *dimensions, uint32_t rank, float **values_out,
                                erx_error_t *error);

/* Sorts the tensors and checks names and values. */
erx_status_t erx_checkpoint_seal(erx_checkpoint_t *checkpoint, erx_error_t *error);

#endif
