/* Typed access to the members of a JSON object, with errors that name the
 * whole path of the member. Every getter refuses a member that is missing, of
 * another type or out of range; integers are JSON integers (1.0 is refused). */
#ifndef ERX_ENGINE_JSON_FIELDS_H
#define ERX_ENGINE_JSON_FIELDS_H

#include "engine/sha256.h"

#include <jansson.h>

#define ERX_JSON_PATH_MAX 80u

/* An object and where it was found. Borrows everything it points to. */
typedef struct {
    json_t *object;
    char path[ERX_JSON_PATH_MAX]; /* "" at the top */
    erx_error_t *error;
} erx_fields_t;

/* Reads text[0, bytes), which must be one JSON object without duplicate keys.
 * The caller bounds bytes (memory grows with it) and frees root_out->object
 * with json_decref. Errors name line and column. */
erx_status_t erx_fields_load(const char *text, size_t bytes, erx_fields_t *root_out,
                             erx_error_t *error);

/* Records "path.key: reason" and returns status. key may be untrusted text:
 * what is not printable is replaced, what is long is cut; NULL stands for the
 * object itself. */
erx_status_t erx_fields_refuse(const erx_fields_t *fields, const char *key, erx_status_t status,
                               const char *format, ...) ERX_PRINTF(4, 5);

/* The value itself, which must be there. */
erx_status_t erx_fields_get(const erx_fields_t *fields, const char *key, json_t **value_out);

erx_status_t erx_fields_object(const erx_fields_t *fields, const char *key, erx_fields_t *out);

/* Element index of the array member key, which must be an object. */
erx_status_t erx_fields_element(const erx_fields_t *fields, const char *key, size_t index,
                                erx_fields_t *out);

/* An array of at least count_min and at most count_max elements. */
erx_status_t erx_fields_array(const erx_fields_t *fields, const char *key, size_t count_min,
                              size_t count_max, json_t **array_out);

erx_status_t erx_fields_string(const erx_fields_t *fields, const char *key, const char **out);

/* An integer in [minimum, maximum]. */
erx_status_t erx_fields_integer(const erx_fields_t *fields, const char *key, int64_t minimum,
                                int64_t maximum, int64_t *out);

/* A SHA-256 as 64 lower-case hexadecimal digits. */
erx_status_t erx_fields_digest(const erx_fields_t *fields, const char *key,
                               uint8_t digest_out[ERX_SHA256_BYTES]);

/* Refuses the object where it has members besides the count ones of keys. */
erx_status_t erx_fields_only(const erx_fields_t *fields, const char *const *keys, size_t count);

#endif
