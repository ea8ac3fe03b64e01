#include "tests/support/scratch.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void erx_scratch_make(char path_out[ERX_SCRATCH_PATH_MAX])
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(path_out, ERX_SCRATCH_PATH_MAX, "%s/erx-test-XXXXXX",
                          parent == NULL ? "/tmp" : parent);
    ck_assert_int_lt(length, (int)ERX_SCRATCH_PATH_MAX);
    ck_assert_ptr_nonnull(mkdtemp(path_out));
}

const char *erx_scratch_file(const char *directory, const char *name)
{
    static char path[2 * ERX_SCRATCH_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int erx_scratch_count(const char *directory)
{
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return -1;
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += !is_self_or_parent(entry->d_name);
    (void)closedir(listing);
    return count;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

void erx_scratch_remove(const char *directory)
{
    ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
