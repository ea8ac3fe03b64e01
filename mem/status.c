#include "mem/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *erx_status_text(erx_status_t status)
{
    switch (status) {
    case ERX_OK:
        return "ok";
    case ERX_ERR_ARGUMENT:
        return "invalid argument";
    case ERX_ERR_RANGE:
        return "value out of range";
    case ERX_ERR_STATE:
        return "not possible in this state";
    case ERX_ERR_NOT_FOUND:
        return "not found";
    case ERX_ERR_FULL:
        return "limit reached";
    case ERX_ERR_IO:
        return "input or output failed";
    case ERX_ERR_MEMORY:
        return "out of memory";
    case ERX_ERR_PERMISSION:
        return "permission denied";
    case ERX_ERR_UNSUPPORTED:
        return "not supported here";
    case ERX_ERR_FORMAT:
        return "malformed data";
    case ERX_ERR_HASH:
        return "hash mismatch";
    case ERX_ERR_DIFFERS:
        return "results differ";
    default:
        return "unknown status";
    }
}

erx_status_t erx_error_set(erx_error_t *error, erx_status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

erx_status_t erx_error_prefix(erx_error_t *error, const char *format, ...)
{
    char text[2 * ERX_ERROR_TEXT_MAX + sizeof ": "];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, ERX_ERROR_TEXT_MAX, format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    (void)snprintf(text + length, sizeof text - length, ": %s", error->text);
    text[ERX_ERROR_TEXT_MAX - 1] = '\0';
    memcpy(error->text, text, ERX_ERROR_TEXT_MAX);
    return error->status;
}
