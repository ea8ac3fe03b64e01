#include "tests/engine/mapping.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 512

/* Reads the lines about one mapping, up to the next one's. */
static void read_sizes(FILE *smaps, mapping_t *mapping)
{
    char line[LINE_MAX_BYTES];
    bool has_rss = false, has_pss = false;
    while (!(has_rss && has_pss) && fgets(line, sizeof line, smaps) != NULL) {
        has_rss |= sscanf(line, "Rss: %" SCNu64, &mapping->rss_kib) == 1;
        has_pss |= sscanf(line, "Pss: %" SCNu64, &mapping->pss_kib) == 1;
    }
}

bool mapping_find(const void *address, mapping_t *mapping_out)
{
    char line[LINE_MAX_BYTES];
    bool found = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    if (smaps == NULL)
        return false;
    while (!found && fgets(line, sizeof line, smaps) != NULL) {
        uintptr_t begin, end;
        char rights[8];
        mapping_t mapping = {0};
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %" SCNu64, &begin, &end, rights,
                   &mapping.inode) != 4 ||
            (uintptr_t)address < begin || (uintptr_t)address >= end)
            continue;
        found = true;
        mapping.writable = rights[1] == 'w';
        read_sizes(smaps, &mapping);
        *mapping_out = mapping;
    }
    (void)fclose(smaps);
    return found;
}

uint32_t mapping_count(const char *part)
{
    char line[LINE_MAX_BYTES];
    uint32_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, part) != NULL;
    if (maps != NULL)
        (void)fclose(maps);
    return count;
}

uint32_t mapping_open_files(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL)
        (void)closedir(directory);
    return count;
}
