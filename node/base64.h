/* Base64 with padding, as JSON-RPC carries bytes. */
#ifndef ERX_NODE_BASE64_H
#define ERX_NODE_BASE64_H

#include "node/common.h"

/* Characters of the encoding of count bytes, without a terminator. */
size_t erx_base64_length(size_t count);

/* Encodes; text_out takes erx_base64_length(count) + 1 characters, the last one
 * a terminator. */
void erx_base64_encode(const uint8_t *bytes, size_t count, char *text_out);

/* Decodes all of text. False where it is not base64 of at most capacity bytes:
 * the padding must be there, and nothing else than the alphabet. */
bool erx_base64_decode(const char *text, size_t length, uint8_t *bytes_out, size_t capacity,
                       size_t *count_out);

#endif
