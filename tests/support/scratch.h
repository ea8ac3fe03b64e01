/* A directory of a test's own, gone when the test is. */
#ifndef ERX_TESTS_SUPPORT_SCRATCH_H
#define ERX_TESTS_SUPPORT_SCRATCH_H

#define ERX_SCRATCH_PATH_MAX 256u

/* Makes an empty directory and writes its path. */
void erx_scratch_make(char path_out[ERX_SCRATCH_PATH_MAX]);

/* Path of a file in it; valid until the next call. */
const char *erx_scratch_file(const char *directory, const char *name);

/* Entries of a directory besides itself and its parent; -1 where there is no
 * such directory. */
int erx_scratch_count(const char *directory);

/* Removes it and everything in it. */
void erx_scratch_remove(const char *directory);

#endif
