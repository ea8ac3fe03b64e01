#include "engine/json_fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEY_SHOWN_MAX 48u

/* Copies untrusted text, cut to size, for a person to read on one line. */
static void show(const char *untrusted, char *text, size_t size)
{
    size_t length = 0;
    for (; untrusted[length] != '\0' && length + 1 < size; length++) {
        char character = untrusted[length];
        text[length] = character >= ' ' && character <= '~' ? character : '?';
    }
    text[length] = '\0';
}

erx_status_t erx_fields_load(const char *text, size_t bytes, erx_fields_t *root_out,
                             erx_error_t *error)
{
    json_error_t reason;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &reason);
    if (root == NULL) {
        char shown[JSON_ERROR_TEXT_LENGTH];
        show(reason.text, shown, sizeof shown);
        return erx_error_set(error, ERX_ERR_FORMAT, "line %d column %d: %s", reason.line,
                             reason.column, shown);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return erx_error_set(error, ERX_ERR_FORMAT, "must be a JSON object");
    }
    *root_out = (erx_fields_t){.object = root, .error = error};
    return ERX_OK;
}

erx_status_t erx_fields_refuse(const erx_fields_t *fields, const char *key, erx_status_t status,
                               const char *format, ...)
{
    char reason[ERX_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    char shown[KEY_SHOWN_MAX + 1] = "";
    if (key != NULL)
        show(key, shown, sizeof shown);
    const char *dot = fields->path[0] != '\0' && key != NULL ? "." : "";
    return erx_error_set(fields->error, status, "%s%s%s: %s", fields->path, dot, shown, reason);
}

erx_status_t erx_fields_get(const erx_fields_t *fields, const char *key, json_t **value_out)
{
    *value_out = json_object_get(fields->object, key);
    if (*value_out == NULL)
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "missing");
    return ERX_OK;
}

erx_status_t erx_fields_object(const erx_fields_t *fields, const char *key, erx_fields_t *out)
{
    json_t *value = NULL;
    erx_status_t status = erx_fields_get(fields, key, &value);
    if (status != ERX_OK)
        return status;
    if (!json_is_object(value))
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "must be an object");
    const char *dot = fields->path[0] != '\0' ? "." : "";
    out->object = value;
    out->error = fields->error;
    (void)snprintf(out->path, sizeof out->path, "%.40s%s%.36s", fields->path, dot, key);
    return ERX_OK;
}

erx_status_t erx_fields_element(const erx_fields_t *fields, const char *key, size_t index,
                                erx_fields_t *out)
{
    json_t *value = json_array_get(json_object_get(fields->object, key), index);
    out->object = value;
    out->error = fields->error;
    (void)snprintf(out->path, sizeof out->path, "%.20s.%.20s.%zu", fields->path, key, index);
    if (!json_is_object(value))
        return erx_fields_refuse(out, NULL, ERX_ERR_FORMAT, "must be an object");
    return ERX_OK;
}

erx_status_t erx_fields_array(const erx_fields_t *fields, const char *key, size_t count_min,
                              size_t count_max, json_t **array_out)
{
    erx_status_t status = erx_fields_get(fields, key, array_out);
    if (status != ERX_OK)
        return status;
    if (!json_is_array(*array_out))
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "must be an array");
    size_t count = json_array_size(*array_out);
    if (count < count_min || count > count_max)
        return erx_fields_refuse(fields, key, ERX_ERR_RANGE,
                                 "has %zu elements, must have %zu to %zu", count, count_min,
                                 count_max);
    return ERX_OK;
}

erx_status_t erx_fields_string(const erx_fields_t *fields, const char *key, const char **out)
{
    json_t *value = NULL;
    erx_status_t status = erx_fields_get(fields, key, &value);
    if (status != ERX_OK)
        return status;
    if (!json_is_string(value))
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "must be a string");
    *out = json_string_value(value);
    return ERX_OK;
}

erx_status_t erx_fields_integer(const erx_fields_t *fields, const char *key, int64_t minimum,
                                int64_t maximum, int64_t *out)
{
    json_t *value = NULL;
    erx_status_t status = erx_fields_get(fields, key, &value);
    if (status != ERX_OK)
        return status;
    if (!json_is_integer(value))
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "must be an integer");
    *out = json_integer_value(value);
    if (minimum == maximum && *out != minimum)
        return erx_fields_refuse(fields, key, ERX_ERR_RANGE, "is %" PRId64 ", must be %" PRId64,
                                 *out, minimum);
    if (*out < minimum || *out > maximum)
        return erx_fields_refuse(fields, key, ERX_ERR_RANGE,
                                 "%" PRId64 " is outside [%" PRId64 ", %" PRId64 "]", *out, minimum,
                                 maximum);
    return ERX_OK;
}

erx_status_t erx_fields_digest(const erx_fields_t *fields, const char *key,
                               uint8_t digest_out[ERX_SHA256_BYTES])
{
    const char *text = NULL;
    erx_status_t status = erx_fields_string(fields, key, &text);
    if (status != ERX_OK)
        return status;
    if (!erx_sha256_parse(text, digest_out))
        return erx_fields_refuse(fields, key, ERX_ERR_FORMAT,
                                 "must be 64 lower-case hexadecimal digits");
    return ERX_OK;
}

erx_status_t erx_fields_only(const erx_fields_t *fields, const char *const *keys, size_t count)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(fields->object, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(key, keys[i]) != 0)
            i++;
        if (i == count)
            return erx_fields_refuse(fields, key, ERX_ERR_FORMAT, "unknown key");
    }
    return ERX_OK;
}
