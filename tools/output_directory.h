/* Output directories that appear whole or not at all. */
#ifndef ERX_TOOLS_OUTPUT_DIRECTORY_H
#define ERX_TOOLS_OUTPUT_DIRECTORY_H

#include "mem/status.h"

#include <limits.h>

/* A directory being filled under a temporary name beside the final one. */
typedef struct {
    char path[PATH_MAX];
    char temporary[PATH_MAX];
} erx_output_directory_t;

/* Whether path can become an output directory: it does not exist, or is an
 * empty directory. To be asked before long work; open asks again. */
erx_status_t erx_output_directory_check(const char *path, erx_error_t *error);

/* Makes the temporary directory. The final one must not exist, or be empty. */
erx_status_t erx_output_directory_open(erx_output_directory_t *directory_out, const char *path,
                                       erx_error_t *error);

/* Path of a file to be written into it. */
erx_status_t erx_output_directory_file(const erx_output_directory_t *directory, const char *name,
                                       char path_out[PATH_MAX], erx_error_t *error);

/* Gives the directory its name; on failure it is gone with its files. */
erx_status_t erx_output_directory_commit(const erx_output_directory_t *directory,
                                         erx_error_t *error);

/* Removes the directory and its files. */
void erx_output_directory_abandon(const erx_output_directory_t *directory);

#endif
