/* SHA-256, the hash of everything that a manifest names. */
#ifndef ERX_ENGINE_SHA256_H
#define ERX_ENGINE_SHA256_H

#include "mem/status.h"

#define ERX_SHA256_BYTES    32u
#define ERX_SHA256_TEXT_MAX (2 * ERX_SHA256_BYTES + 1)

/* A run of bytes to hash. */
typedef struct {
    const void *data;
    size_t bytes;
} erx_sha256_part_t;

/* Digest of the parts, one after the other. Fails only where the library
 * finds no memory or no SHA-256 (ERX_ERR_MEMORY). Any thread. */
erx_status_t erx_sha256(const erx_sha256_part_t *parts, size_t part_count,
                        uint8_t digest_out[ERX_SHA256_BYTES], erx_error_t *error);

/* Lower-case hexadecimal of a digest, terminated. */
void erx_sha256_text(const uint8_t digest[ERX_SHA256_BYTES], char text_out[ERX_SHA256_TEXT_MAX]);

/* Reads the same text; false where it is anything but 64 lower-case digits. */
bool erx_sha256_parse(const char *text, uint8_t digest_out[ERX_SHA256_BYTES]);

#endif
