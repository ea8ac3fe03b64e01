/* Writes JSON straight into a text buffer, with commas where they belong.
 * Nothing is allocated but the buffer. Numbers are whole and never in
 * exponent form: some clients read them as big integers. */
#ifndef ERX_NODE_JSON_WRITER_H
#define ERX_NODE_JSON_WRITER_H

#include "node/text_buffer.h"

#define ERX_JSON_DEPTH_MAX 32u /* deepest reply: an instruction's error in a notification, 9 */

typedef struct {
    erx_text_t *text;
    uint32_t has_member; /* bit d: something was written at depth d */
    uint8_t depth;
    bool after_key;
} erx_json_writer_t;

erx_json_writer_t erx_json_writer(erx_text_t *text);

void erx_json_object_begin(erx_json_writer_t *writer);
void erx_json_object_end(erx_json_writer_t *writer);
void erx_json_array_begin(erx_json_writer_t *writer);
void erx_json_array_end(erx_json_writer_t *writer);

/* A member's name: a literal that needs no escapes. */
void erx_json_key(erx_json_writer_t *writer, const char *name);

/* A string, escaped; bytes that are no UTF-8 become U+FFFD. */
void erx_json_string(erx_json_writer_t *writer, const char *bytes, size_t count);
void erx_json_text(erx_json_writer_t *writer, const char *terminated);
void erx_json_unsigned(erx_json_writer_t *writer, uint64_t value);
void erx_json_signed(erx_json_writer_t *writer, int64_t value);
void erx_json_bool(erx_json_writer_t *writer, bool value);
void erx_json_null(erx_json_writer_t *writer);

/* A value that is JSON already. */
void erx_json_raw(erx_json_writer_t *writer, const char *bytes, size_t count);

/* Bytes as a base64 string. */
void erx_json_base64(erx_json_writer_t *writer, const uint8_t *bytes, size_t count);

/* Name and value at once. */
void erx_json_put_text(erx_json_writer_t *writer, const char *name, const char *terminated);
void erx_json_put_unsigned(erx_json_writer_t *writer, const char *name, uint64_t value);
void erx_json_put_signed(erx_json_writer_t *writer, const char *name, int64_t value);
void erx_json_put_bool(erx_json_writer_t *writer, const char *name, bool value);
void erx_json_put_null(erx_json_writer_t *writer, const char *name);

#endif
