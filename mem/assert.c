#include "mem/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void erx_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "erx: assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
