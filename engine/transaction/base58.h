/* Base58 with the alphabet that Solana writes keys, signatures and hashes in:
 * digits and letters without 0, O, I and l; each leading zero byte is a '1'.
 *
 * Decoding is strict: no other character, no white space, no missing or extra
 * byte where a size is asked for. The work grows with the square of the size,
 * so sizes are limited. All functions: any thread, no allocation. */
#ifndef ERX_ENGINE_TRANSACTION_BASE58_H
#define ERX_ENGINE_TRANSACTION_BASE58_H

#include "mem/status.h"

/* The largest value that is written so: a whole transaction packet. */
#define ERX_BASE58_BYTES_MAX 1232u

/* Characters that so many bytes take at most: log(256) / log(58) is a little
 * under 1.366. */
#define ERX_BASE58_LENGTH_MAX(bytes) ((bytes)*1366 / 1000 + 1)

/* Writes the text of data, terminated. Returns its length. text_capacity holds
 * ERX_BASE58_LENGTH_MAX(bytes) characters and the terminator; bytes is at most
 * ERX_BASE58_BYTES_MAX (both asserted). */
size_t erx_base58_encode(const void *data, size_t bytes, char *text_out, size_t text_capacity);

/* Reads text[0, length) into data_out and its size into bytes_out. Returns false,
 * with nothing written, where a character is not of the alphabet or the value has
 * more than capacity bytes; capacity is at most ERX_BASE58_BYTES_MAX. */
bool erx_base58_decode(const char *text, size_t length, void *data_out, size_t capacity,
                       size_t *bytes_out);

/* The same for a value of exactly so many bytes. */
bool erx_base58_decode_exact(const char *text, size_t length, void *data_out, size_t bytes);

#endif
