/* Keys and signatures as text. */
#ifndef ERX_NODE_KEY_TEXT_H
#define ERX_NODE_KEY_TEXT_H

#include "abi/erx.h"
#include "node/json_writer.h"

#include <jansson.h>

/* The key that a JSON value holds as base58; false for everything else. */
bool erx_key_read(const json_t *value, erx_pubkey_t *key_out);
bool erx_signature_read(const json_t *value, uint8_t signature_out[ERX_SIGNATURE_SIZE]);

/* Whether every character is one of base58. */
bool erx_is_base58(const char *text);

/* Writes bytes (at most 64) as a base58 string. */
void erx_json_base58(erx_json_writer_t *writer, const uint8_t *bytes, size_t count);
void erx_json_key_text(erx_json_writer_t *writer, const erx_pubkey_t *key);

/* Base58 of any number of bytes up to ERX_BASE58_LONG_MAX; for account data and
 * instructions. */
#define ERX_BASE58_LONG_MAX 1280u
void erx_json_base58_long(erx_json_writer_t *writer, const uint8_t *bytes, size_t count);

/* The other way, for transactions in base58; false where text is none or stands
 * for more than capacity bytes. */
bool erx_base58_long_read(const char *text, size_t length, uint8_t *bytes_out, size_t capacity,
                          size_t *count_out);

#endif
