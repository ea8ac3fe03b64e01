#include "abi/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ERX_STATIC_ASSERT((int)ERX_STATUS_OK == ERX_OK && (int)ERX_STATUS_ARGUMENT == ERX_ERR_ARGUMENT &&
                      (int)ERX_STATUS_RANGE == ERX_ERR_RANGE &&
                      (int)ERX_STATUS_STATE == ERX_ERR_STATE &&
                      (int)ERX_STATUS_NOT_FOUND == ERX_ERR_NOT_FOUND &&
                      (int)ERX_STATUS_FULL == ERX_ERR_FULL && (int)ERX_STATUS_IO == ERX_ERR_IO &&
                      (int)ERX_STATUS_MEMORY == ERX_ERR_MEMORY &&
                      (int)ERX_STATUS_PERMISSION == ERX_ERR_PERMISSION &&
                      (int)ERX_STATUS_UNSUPPORTED == ERX_ERR_UNSUPPORTED &&
                      (int)ERX_STATUS_FORMAT == ERX_ERR_FORMAT &&
                      (int)ERX_STATUS_HASH == ERX_ERR_HASH &&
                      (int)ERX_STATUS_DIFFERS == ERX_ERR_DIFFERS,
                  "public codes are the engine's");

static _Thread_local char last_text[ERX_ERROR_TEXT_MAX];

int32_t erx_result_keep(const erx_error_t *error)
{
    memcpy(last_text, error->text, sizeof last_text);
    return error->status;
}

int32_t erx_result_refuse(int32_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(last_text, sizeof last_text, format, arguments);
    va_end(arguments);
    return status;
}

int32_t erx_result_dead(const char *what)
{
    return erx_result_refuse(ERX_STATUS_ARGUMENT, "%s: not a live handle of its kind", what);
}

int32_t erx_result_missing(const char *argument)
{
    return erx_result_refuse(ERX_STATUS_ARGUMENT, "%s: must not be NULL", argument);
}

static int32_t callers_size(const void *callers, size_t smallest, uint32_t *size_out)
{
    memcpy(size_out, callers, sizeof *size_out);
    if (*size_out >= smallest)
        return ERX_STATUS_OK;
    return erx_result_refuse(ERX_STATUS_ARGUMENT,
                             "struct_size: %u is less than %zu; set it to sizeof the struct",
                             *size_out, smallest);
}

int32_t erx_result_fits(const void *callers, size_t smallest)
{
    uint32_t size;
    return callers_size(callers, smallest, &size);
}

int32_t erx_result_give(void *callers, const void *own, size_t own_size, size_t smallest)
{
    uint32_t size;
    int32_t result = callers_size(callers, smallest, &size);
    if (result != ERX_STATUS_OK)
        return result;
    size_t common = ERX_MIN(size, own_size);
    memcpy((uint8_t *)callers + sizeof size, (const uint8_t *)own + sizeof size,
           common - sizeof size);
    memset((uint8_t *)callers + common, 0, size - common);
    return ERX_STATUS_OK;
}

int32_t erx_result_take(void *own, size_t own_size, const void *callers, size_t smallest)
{
    uint32_t size;
    int32_t result = callers_size(callers, smallest, &size);
    if (result != ERX_STATUS_OK)
        return result;
    for (size_t i = own_size; i < size; i++)
        if (((const uint8_t *)callers)[i] != 0)
            return erx_result_refuse(ERX_STATUS_UNSUPPORTED,
                                     "struct_size: %u is a newer library's, and its later members "
                                     "are set",
                                     size);
    memcpy(own, callers, ERX_MIN(size, own_size));
    return ERX_STATUS_OK;
}

const char *erx_strerror(int32_t status)
{
    return erx_status_text(status);
}

const char *erx_last_error(void)
{
    return last_text;
}

#define TEXT_OF(x)      #x
#define TEXT(x)         TEXT_OF(x)
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *erx_version(void)
{
    return DOTTED(ERX_VERSION_MAJOR, ERX_VERSION_MINOR, ERX_VERSION_PATCH);
}
