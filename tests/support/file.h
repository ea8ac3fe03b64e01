/* Whole files, for fixtures and seeds: what fails ends the process. */
#ifndef ERX_TESTS_SUPPORT_FILE_H
#define ERX_TESTS_SUPPORT_FILE_H

#include "mem/base.h"

/* Makes path a file of these bytes; an earlier one is gone. */
void erx_file_write(const char *path, const void *bytes, size_t size);

#endif
