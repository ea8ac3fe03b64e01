/* Real data and golden results that live beside the source tree and are too
 * large to be part of it: the directory ERX_SHARED, or ../shared next to the
 * source. Where they are absent a test says so and passes, unless CI is set in
 * the environment: there absence is a failure, or tests could rot unseen. */
#ifndef ERX_TESTS_SUPPORT_SHARED_H
#define ERX_TESTS_SUPPORT_SHARED_H

#include "mem/base.h"

#define ERX_SHARED_PATH_MAX 4096u

/* Writes the path of "golden/x" or the like. False, with a message on stderr,
 * when there is no such file or directory: the test then returns. */
bool erx_shared_path(const char *relative, char path_out[ERX_SHARED_PATH_MAX]);

typedef struct {
    const uint8_t *bytes; /* read-only */
    size_t size;
} erx_shared_file_t;

/* Maps a whole file; false as above. An empty or unreadable one is a failure. */
bool erx_shared_map(const char *relative, erx_shared_file_t *file_out);

void erx_shared_unmap(erx_shared_file_t *file);

#endif
