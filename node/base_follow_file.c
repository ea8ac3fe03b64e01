/* The keys of followed accounts in a file, one a line: their clones outlive the
 * process, and must be followed again. */
#include "node/base_follow_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX 128u
#define TEMPORARY      ".new"

bool erx_follow_load(erx_follow_t *follow, erx_failure_t *failure)
{
    FILE *file = fopen(follow->path, "re");
    char line[LINE_BYTES_MAX];
    if (file == NULL)
        return errno == ENOENT ||
               erx_failure_set(failure, "%.300s: %s", follow->path, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        erx_pubkey_t key;
        line[strcspn(line, "\n")] = '\0';
        if (erx_base58_to_bytes(line, key.bytes, sizeof key.bytes) != ERX_STATUS_OK) {
            (void)fclose(file);
            return erx_failure_set(failure,
                                   "%.300s: '%.100s' is no key; stop the validator and remove the "
                                   "line",
                                   follow->path, line);
        }
        erx_followed_t *entry = erx_follow_add(follow, &key);
        if (entry != NULL)
            entry->is_followed = true;
    }
    (void)fclose(file);
    return true;
}

static void write_keys(erx_follow_t *follow, FILE *file)
{
    char text[ERX_BASE58_SIZE];
    (void)pthread_mutex_lock(&follow->lock);
    for (uint32_t i = 0; i < follow->used; i++) {
        const erx_followed_t *entry = &follow->entries[i];
        if (entry->is_used && entry->is_followed &&
            erx_base58_from_bytes(entry->key.bytes, sizeof entry->key.bytes, text) == ERX_STATUS_OK)
            (void)fprintf(file, "%s\n", text);
    }
    follow->is_unsaved = false;
    (void)pthread_mutex_unlock(&follow->lock);
}

bool erx_follow_save(erx_follow_t *follow, erx_failure_t *failure)
{
    char *temporary = NULL;
    (void)pthread_mutex_lock(&follow->lock);
    bool is_unsaved = follow->is_unsaved;
    (void)pthread_mutex_unlock(&follow->lock);
    if (!is_unsaved)
        return true;
    if (asprintf(&temporary, "%s%s", follow->path, TEMPORARY) < 0)
        return erx_failure_set(failure, "no memory to save followed accounts");
    FILE *file = fopen(temporary, "we");
    bool is_saved = file != NULL;
    if (is_saved) {
        write_keys(follow, file);
        is_saved = fflush(file) == 0 && fdatasync(fileno(file)) == 0;
        is_saved = fclose(file) == 0 && is_saved && rename(temporary, follow->path) == 0;
    }
    if (!is_saved)
        (void)erx_failure_set(failure, "%.300s: %s", temporary, strerror(errno));
    free(temporary);
    return is_saved;
}
