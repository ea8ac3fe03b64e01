#include "tests/support/shared.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_set(const char *value)
{
    return value != NULL && *value != '\0';
}

bool erx_shared_path(const char *relative, char path_out[ERX_SHARED_PATH_MAX])
{
    const char *root = getenv("ERX_SHARED");
    if (!is_set(root))
        root = ERX_SOURCE_SHARED;
    int length = snprintf(path_out, ERX_SHARED_PATH_MAX, "%s/%s", root, relative);
    ck_assert_int_lt(length, (int)ERX_SHARED_PATH_MAX);
    if (access(path_out, F_OK) == 0)
        return true;
    ck_assert_msg(!is_set(getenv("CI")), "%s is absent: set ERX_SHARED", path_out);
    (void)fprintf(stderr, "skipped: %s is absent; set ERX_SHARED to the directory that has %s\n",
                  path_out, relative);
    return false;
}

bool erx_shared_map(const char *relative, erx_shared_file_t *file_out)
{
    char path[ERX_SHARED_PATH_MAX];
    if (!erx_shared_path(relative, path))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_msg(status.st_size > 0, "%s is empty", path);
    size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert_msg(bytes != MAP_FAILED, "%s: %s", path, strerror(errno));
    (void)close(fd);
    *file_out = (erx_shared_file_t){.bytes = bytes, .size = size};
    return true;
}

void erx_shared_unmap(erx_shared_file_t *file)
{
    (void)munmap((void *)(uintptr_t)file->bytes, file->size);
    *file = (erx_shared_file_t){0};
}
