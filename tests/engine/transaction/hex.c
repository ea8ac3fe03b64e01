#include "tests/engine/transaction/hex.h"

#include "mem/assert.h"

#include <stdio.h>
#include <string.h>

size_t erx_hex_read(const char *text, uint8_t *bytes_out, size_t capacity)
{
    size_t size = strlen(text) / 2;
    ERX_ASSERT(size <= capacity);
    for (size_t i = 0; i < size; i++)
        ERX_ASSERT(sscanf(text + 2 * i, "%2hhx", &bytes_out[i]) == 1);
    return size;
}
