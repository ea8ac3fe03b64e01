/* Reads JSON with every unsigned 64-bit number exact.
 *
 * jansson holds numbers as int64 and refuses greater ones, but rentEpoch is
 * 2^64 - 1 in every account. A text with such numbers is therefore read with
 * them as marked strings; the functions here take both. */
#ifndef ERX_NODE_JSON_READER_H
#define ERX_NODE_JSON_READER_H

#include "node/failure.h"
#include "node/json_writer.h"

#include <jansson.h>

/* Reads a whole text; NULL with a reason where it is not JSON. The caller owns
 * the reference. */
json_t *erx_json_read(const char *bytes, size_t count, erx_failure_t *failure);

/* A whole number of at least 0. False for everything else. */
bool erx_json_to_unsigned(const json_t *value, uint64_t *number_out);

/* Writes a request's id as it came: a string, a number, null. */
void erx_json_echo(erx_json_writer_t *writer, const json_t *id);

/* A member of an object; NULL where object is none or lacks it, or has null. */
json_t *erx_json_member(const json_t *object, const char *name);

/* The text of a member that is a string; NULL otherwise. */
const char *erx_json_member_text(const json_t *object, const char *name);

#endif
