/* A model, read and checked: manifest.json, weights_int8.bin and, where there is
 * one, luts.bin (MODEL.md), from a directory or from memory. */
#ifndef ERX_ENGINE_MODEL_FILE_H
#define ERX_ENGINE_MODEL_FILE_H

#include "engine/manifest.h"

#define ERX_LUTS_BYTES 1024u /* four activation tables of 256 entries, for bytecode programs */

typedef struct {
    erx_manifest_t manifest;
    erx_tensors_t tensors;  /* into weights */
    const uint8_t *weights; /* manifest.weight_bytes bytes */
    bool is_mapped;         /* by erx_model_file_open */
    bool has_luts;
    uint8_t luts[ERX_LUTS_BYTES];
    /* SHA-256 over the bytes of manifest.json and then the 32 bytes of the
     * weights' SHA-256: names everything that decides what the model computes. */
    uint8_t model_hash[ERX_SHA256_BYTES];
} erx_model_file_t;

/* Opens, maps and checks everything: manifest, hashes, every value rule. The
 * error names the file and then the key or tensor. On success the caller
 * closes it; on failure *out is all zero. The files must not be written to
 * while they are open. Any thread. */
erx_status_t erx_model_file_open(const char *directory, erx_model_file_t *out, erx_error_t *error);

/* The files of a model in memory. */
typedef struct {
    const char *manifest;
    size_t manifest_bytes;
    const uint8_t *weights; /* 64-byte aligned */
    size_t weight_bytes;
    const uint8_t *luts; /* [ERX_LUTS_BYTES]; NULL: there are none */
} erx_model_bytes_t;

/* The same checks on files in memory, whose weights outlive out. */
erx_status_t erx_model_file_read(const erx_model_bytes_t *bytes, erx_model_file_t *out,
                                 erx_error_t *error);

/* Unmaps and frees; everything that points into the model ends here. An
 * all-zero file is allowed. */
void erx_model_file_close(erx_model_file_t *file);

#endif
