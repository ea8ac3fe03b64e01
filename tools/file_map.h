/* A file's bytes, read-only. */
#ifndef ERX_TOOLS_FILE_MAP_H
#define ERX_TOOLS_FILE_MAP_H

#include "mem/status.h"

typedef struct {
    const uint8_t *bytes;
    size_t size;
} erx_file_map_t;

/* Maps a regular file that is not empty. Errors name the path:
 * ERX_ERR_NOT_FOUND, ERX_ERR_IO, ERX_ERR_FORMAT (empty, not a file). */
erx_status_t erx_file_map_open(erx_file_map_t *map_out, const char *path, erx_error_t *error);

/* An all-zero map is allowed. */
void erx_file_map_close(erx_file_map_t *map);

#endif
