/* A trained checkpoint in memory, whatever file it came from: named tensors as
 * floats and what describes them. */
#ifndef ERX_TOOLS_PARAMETERS_H
#define ERX_TOOLS_PARAMETERS_H

#include "engine/sha256.h"
#include "mem/status.h"

#include <jansson.h>

#define ERX_PARAMETERS_RANK       4u
#define ERX_PARAMETERS_NAME_MAX   128u
#define ERX_PARAMETERS_COUNT_MAX  16384u
#define ERX_PARAMETERS_VALUES_MAX ((size_t)1 << 29) /* of all tensors */

typedef struct {
    char name[ERX_PARAMETERS_NAME_MAX];
    uint32_t rank;
    uint32_t dimensions[ERX_PARAMETERS_RANK];
    size_t count;
    float *values; /* owned, row-major */
} erx_parameters_tensor_t;

/* What a checkpoint is, by its keys, as the published pipeline tells them
 * apart. */
typedef enum {
    ERX_PARAMETERS_MAMBA2,
    ERX_PARAMETERS_MLP,
    ERX_PARAMETERS_POLICY,
    ERX_PARAMETERS_UNKNOWN
} erx_parameters_kind_t;

typedef struct {
    erx_parameters_tensor_t *tensors; /* owned; in byte order of their names once sealed */
    uint32_t count;
    uint32_t capacity;
    size_t value_count;
    json_t *encoding_config;          /* owned; an object, or NULL */
    json_t *arch;                     /* owned; an object, or NULL */
    int64_t context_len;              /* 0 where the file does not say */
    uint8_t sha256[ERX_SHA256_BYTES]; /* of the file */
} erx_parameters_t;

/* Reads a .safetensors file or a PyTorch .pt file (told apart by content).
 * Every value is finite afterwards. Errors name the file and the tensor. On
 * success the caller closes it; on failure it is all zero. */
erx_status_t erx_parameters_open(erx_parameters_t *checkpoint_out, const char *path,
                                 erx_error_t *error);

/* The same from bytes in memory. */
erx_status_t erx_parameters_read(erx_parameters_t *checkpoint_out, const uint8_t *bytes,
                                 size_t size, erx_error_t *error);

/* An all-zero checkpoint is allowed. */
void erx_parameters_close(erx_parameters_t *checkpoint);

/* NULL where there is none. The checkpoint is sealed. */
const erx_parameters_tensor_t *erx_parameters_find(const erx_parameters_t *checkpoint,
                                                   const char *name);

/* Refuses a matrix with a row of zeros, which has no scale: a unit that was never
 * trained, or pruned. Errors: ERX_ERR_RANGE. */
erx_status_t erx_parameters_check_rows(const erx_parameters_tensor_t *tensor, erx_error_t *error);

erx_parameters_kind_t erx_parameters_kind(const erx_parameters_t *checkpoint);

/* ---- for those who read files into checkpoints ---- */

/* Adds a tensor of zeros; dimensions as 64-bit numbers so that nobody cuts
 * them. The error names it. */
erx_status_t erx_parameters_add(erx_parameters_t *checkpoint, const char *name,
                                const uint64_t *dimensions, uint32_t rank, float **values_out,
                                erx_error_t *error);

/* Sorts the tensors and checks names and values. */
erx_status_t erx_parameters_seal(erx_parameters_t *checkpoint, erx_error_t *error);

#endif
