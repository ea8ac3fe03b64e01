#include "tests/support/file.h"

#include <stdio.h>
#include <stdlib.h>

void erx_file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    size_t written = file == NULL ? 0 : fwrite(bytes, 1, size, file);
    if (file == NULL || fclose(file) != 0 || written != size) {
        perror(path);
        abort();
    }
}
