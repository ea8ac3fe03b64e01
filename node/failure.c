#include "node/failure.h"

#include <stdarg.h>
#include <stdio.h>

bool erx_failure_set(erx_failure_t *failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return false;
}
