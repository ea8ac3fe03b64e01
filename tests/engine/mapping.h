/* What the system says about a mapping of this process. */
#ifndef ERX_TESTS_ENGINE_MAPPING_H
#define ERX_TESTS_ENGINE_MAPPING_H

#include "mem/base.h"

typedef struct {
    uint64_t inode; /* of the mapped file: the same file is the same pages */
    uint64_t rss_kib;
    uint64_t pss_kib; /* each page counted by 1 / number of processes that map it */
    bool writable;
} mapping_t;

/* The mapping that address is in; false where there is none or the system does
 * not say. Works in a child process. */
bool mapping_find(const void *address, mapping_t *mapping_out);

/* How many mappings the process has of files whose name holds part. */
uint32_t mapping_count(const char *part);

/* Open files of this process. */
uint32_t mapping_open_files(void);

#endif
