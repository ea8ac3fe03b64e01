#include "tests/support/scratch.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 8 /* directories that are open at a time */

erx_scratch_t erx_scratch_open(const char *parent)
{
    erx_scratch_t scratch;
    int length = snprintf(scratch.path, sizeof scratch.path, "%s/erx-test-XXXXXX", parent);
    ck_assert_int_lt(length, (int)sizeof scratch.path);
    ck_assert_ptr_nonnull(mkdtemp(scratch.path));
    return scratch;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void erx_scratch_close(const erx_scratch_t *scratch)
{
    (void)nftw(scratch->path, remove_entry, DEPTH_MAX, FTW_DEPTH | FTW_PHYS);
}
