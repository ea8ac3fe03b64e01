/* Reader of safetensors files: 8 bytes of length, a JSON header that names
 * every tensor with its type, shape and place, then the tensors' bytes.
 *
 * Valid iff the header is one JSON object without duplicate keys, each tensor
 * has a known dtype, at most ERX_SAFETENSORS_RANK dimensions and exactly the
 * bytes that they imply, and the tensors cover the bytes after the header
 * without gap or overlap. */
#ifndef ERX_TOOLS_SAFETENSORS_H
#define ERX_TOOLS_SAFETENSORS_H

#include "mem/status.h"

#include <jansson.h>

#define ERX_SAFETENSORS_RANK       4u
#define ERX_SAFETENSORS_HEADER_MAX ((size_t)16 << 20)
#define ERX_SAFETENSORS_COUNT_MAX  16384u

typedef enum {
    ERX_NUMBER_F64,
    ERX_NUMBER_F32,
    ERX_NUMBER_F16,
    ERX_NUMBER_BF16,
    ERX_NUMBER_I64,
    ERX_NUMBER_I32,
    ERX_NUMBER_I16,
    ERX_NUMBER_I8,
    ERX_NUMBER_U8,
    ERX_NUMBER_BOOL,
    ERX_NUMBERS
} erx_number_t;

/* Bytes of one value. */
uint32_t erx_number_bytes(erx_number_t number);

/* "F32" and the like. */
const char *erx_number_name(erx_number_t number);

/* Whether values of this type can be read by erx_number_to_float. */
bool erx_number_is_float(erx_number_t number);

/* Converts count little-endian floating-point values at bytes (any alignment)
 * to float; F64 is rounded to nearest. */
void erx_number_to_float(erx_number_t number, const uint8_t *bytes, size_t count,
                         float *values_out);

typedef struct {
    const char *name; /* in the header */
    erx_number_t number;
    uint32_t rank;
    uint64_t dimensions[ERX_SAFETENSORS_RANK];
    uint64_t count;       /* values */
    const uint8_t *bytes; /* in the file; any alignment */
} erx_safetensor_t;

typedef struct {
    json_t *header;            /* owned */
    erx_safetensor_t *tensors; /* owned; in the order of their bytes */
    uint32_t count;
} erx_safetensors_t;

/* Reads bytes[0, size), which must outlive the result. Errors name the tensor:
 * ERX_ERR_FORMAT, ERX_ERR_RANGE, ERX_ERR_MEMORY. On success the caller closes
 * it; on failure it is all zero. */
erx_status_t erx_safetensors_read(const uint8_t *bytes, size_t size, erx_safetensors_t *tensors_out,
                                  erx_error_t *error);

/* An all-zero object is allowed. */
void erx_safetensors_close(erx_safetensors_t *tensors);

/* NULL where there is none. */
const erx_safetensor_t *erx_safetensors_find(const erx_safetensors_t *tensors, const char *name);

/* A string of __metadata__; NULL where there is none. */
const char *erx_safetensors_metadata(const erx_safetensors_t *tensors, const char *key);

#endif
