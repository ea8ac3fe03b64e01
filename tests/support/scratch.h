/* A directory of a test's own, on a real file system. */
#ifndef ERX_TESTS_SUPPORT_SCRATCH_H
#define ERX_TESTS_SUPPORT_SCRATCH_H

#define ERX_SCRATCH_PATH_MAX 64

typedef struct {
    char path[ERX_SCRATCH_PATH_MAX];
} erx_scratch_t;

/* Makes an empty one below parent ("/tmp"). Fails the test when it cannot. */
erx_scratch_t erx_scratch_open(const char *parent);

/* Removes it with all that is in it. */
void erx_scratch_close(const erx_scratch_t *scratch);

#endif
