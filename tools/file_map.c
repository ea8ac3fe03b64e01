#include "tools/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static erx_status_t map_descriptor(erx_file_map_t *map_out, int file, const char *path,
                                   erx_error_t *error)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return erx_error_set(error, ERX_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return erx_error_set(error, ERX_ERR_FORMAT, "%s is not a file", path);
    if (status.st_size == 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "%s is empty", path);
    size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED)
        return erx_error_set(error, ERX_ERR_IO, "cannot map %s: %s", path, strerror(errno));
    *map_out = (erx_file_map_t){.bytes = bytes, .size = size};
    return ERX_OK;
}

erx_status_t erx_file_map_open(erx_file_map_t *map_out, const char *path, erx_error_t *error)
{
    *map_out = (erx_file_map_t){0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return erx_error_set(error, errno == ENOENT ? ERX_ERR_NOT_FOUND : ERX_ERR_IO,
                             "cannot open %s: %s", path, strerror(errno));
    erx_status_t status = map_descriptor(map_out, file, path, error);
    (void)close(file);
    return status;
}

void erx_file_map_close(erx_file_map_t *map)
{
    if (map->bytes != NULL)
        (void)munmap((void *)(uintptr_t)map->bytes, map->size);
    *map = (erx_file_map_t){0};
}
