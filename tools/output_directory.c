#include "tools/output_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static erx_status_t too_long(erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_RANGE, "the path of the output directory is too long");
}

static bool is_empty(DIR *directory)
{
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

erx_status_t erx_output_directory_check(const char *directory, erx_error_t *error)
{
    DIR *existing = opendir(directory);
    if (existing == NULL && errno == ENOENT)
        return ERX_OK;
    if (existing == NULL)
        return erx_error_set(error, ERX_ERR_IO, "cannot use %s as an output directory: %s",
                             directory, strerror(errno));
    bool empty = is_empty(existing);
    (void)closedir(existing);
    if (!empty)
        return erx_error_set(error, ERX_ERR_STATE,
                             "%s exists and is not empty; name another directory or remove it",
                             directory);
    return ERX_OK;
}

erx_status_t erx_output_directory_open(erx_output_directory_t *directory_out, const char *path,
                                       erx_error_t *error)
{
    erx_status_t status = erx_output_directory_check(path, error);
    if (status != ERX_OK)
        return status;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    int written = snprintf(directory_out->path, PATH_MAX, "%.*s", (int)length, path);
    int named = snprintf(directory_out->temporary, PATH_MAX, "%.*s.XXXXXX", (int)length, path);
    if (written < 0 || named < 0 || named >= PATH_MAX)
        return too_long(error);
    if (mkdtemp(directory_out->temporary) == NULL)
        return erx_error_set(error, ERX_ERR_IO, "cannot make a directory beside %s: %s", path,
                             strerror(errno));
    return ERX_OK;
}

erx_status_t erx_output_directory_file(const erx_output_directory_t *directory, const char *name,
                                       char path_out[PATH_MAX], erx_error_t *error)
{
    int length = snprintf(path_out, PATH_MAX, "%s/%s", directory->temporary, name);
    return length < 0 || length >= PATH_MAX ? too_long(error) : ERX_OK;
}

erx_status_t erx_output_directory_commit(const erx_output_directory_t *directory,
                                         erx_error_t *error)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    /* rename replaces an empty directory and refuses any other. */
    if (chmod(directory->temporary, 0777 & ~mask) == 0 &&
        rename(directory->temporary, directory->path) == 0)
        return ERX_OK;
    (void)erx_error_set(error, ERX_ERR_IO, "cannot make %s: %s", directory->path, strerror(errno));
    erx_output_directory_abandon(directory);
    return error->status;
}

void erx_output_directory_abandon(const erx_output_directory_t *directory)
{
    DIR *listing = opendir(directory->temporary);
    if (listing == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        (void)unlinkat(dirfd(listing), entry->d_name, 0);
    (void)closedir(listing);
    (void)rmdir(directory->temporary);
}
