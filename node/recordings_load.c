/* What an earlier process recorded. */
#include "node/log.h"
#include "node/recordings_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    erx_pubkey_t session;
    int64_t changed_ns;
    bool is_older;
} found_t;

typedef struct {
    found_t *files;
    size_t count, capacity;
} finds_t;

/* The session and kind that a file's name stands for; false for other files. */
static bool parse_name(const char *name, found_t *found_out)
{
    char key[ERX_BASE58_SIZE];
    const char *dot = strchr(name, '.');
    if (dot == NULL || (size_t)(dot - name) >= sizeof key)
        return false;
    memcpy(key, name, (size_t)(dot - name));
    key[dot - name] = '\0';
    found_out->is_older = strcmp(dot + 1, ERX_RECORDING_OLDER) == 0;
    return (found_out->is_older || strcmp(dot + 1, ERX_RECORDING_CURRENT) == 0) &&
           erx_base58_to_bytes(key, found_out->session.bytes, sizeof found_out->session.bytes) ==
               ERX_STATUS_OK;
}

static bool keep(finds_t *finds, const found_t *found)
{
    if (finds->count == finds->capacity) {
        size_t capacity = finds->capacity > 0 ? finds->capacity * 2 : 64;
        found_t *files = realloc(finds->files, capacity * sizeof *files);
        if (files == NULL)
            return false;
        finds->files = files;
        finds->capacity = capacity;
    }
    finds->files[finds->count++] = *found;
    return true;
}

static bool list(const erx_recordings_t *recordings, finds_t *finds, erx_failure_t *failure)
{
    DIR *directory = opendir(recordings->directory);
    if (directory == NULL)
        return erx_failure_set(failure, "%.300s: %s", recordings->directory, strerror(errno));
    bool is_well = true;
    const struct dirent *entry;
    while (is_well && (entry = readdir(directory)) != NULL) {
        found_t found;
        struct stat facts;
        if (!parse_name(entry->d_name, &found) ||
            fstatat(dirfd(directory), entry->d_name, &facts, 0) != 0)
            continue;
        found.changed_ns =
            (int64_t)facts.st_mtim.tv_sec * (int64_t)ERX_SECOND_NS + facts.st_mtim.tv_nsec;
        is_well = keep(finds, &found);
    }
    (void)closedir(directory);
    return is_well ||
           erx_failure_set(failure, "%.300s: no memory to list it", recordings->directory);
}

/* The order in which they ended; a session's older file is before its current. */
static int compare(const void *left, const void *right)
{
    const found_t *a = left, *b = right;
    if (a->changed_ns != b->changed_ns)
        return a->changed_ns < b->changed_ns ? -1 : 1;
    return (int)b->is_older - (int)a->is_older;
}

/* Takes a file in; false where there is no memory. The current file of a recording
 * says where it goes on, whichever is found first. */
static bool take(erx_recordings_t *recordings, const found_t *found)
{
    char path[ERX_RECORDING_PATH_MAX];
    erx_recording_header_t header;
    uint32_t count, newest;
    (void)erx_recording_path(recordings, &found->session,
                             found->is_older ? ERX_RECORDING_OLDER : ERX_RECORDING_CURRENT, path);
    erx_recording_t *recording = erx_recordings_find(recordings, &found->session);
    bool is_one = erx_recording_file_check(path, &header, &count, &newest);
    if (is_one && recording != NULL)
        is_one = header.created_at == recording->header.created_at && newest != recording->newest &&
                 (newest < recording->newest) == found->is_older;
    if (!is_one) {
        erx_log(ERX_LOG_WARNING, "recording-removed",
                "file=\"%s\" text=\"it has no frames of use\"", path);
        (void)unlink(path);
        return true;
    }
    if (recording == NULL)
        recording = erx_recordings_make(recordings, &found->session);
    if (recording == NULL)
        return false;
    *(found->is_older ? &recording->older : &recording->current) = count;
    recording->header = header;
    if (newest > recording->newest)
        recording->newest = newest;
    recordings->bytes += erx_recording_file_bytes(count);
    return true;
}

static bool load(erx_recordings_t *recordings, erx_failure_t *failure)
{
    finds_t finds = {0};
    bool is_well = list(recordings, &finds, failure);
    if (is_well && finds.count > 0)
        qsort(finds.files, finds.count, sizeof *finds.files, compare);
    for (size_t i = 0; is_well && i < finds.count; i++)
        is_well = take(recordings, &finds.files[i]) ||
                  erx_failure_set(failure, "no memory for %zu recordings", finds.count);
    free(finds.files);
    return is_well;
}

erx_recordings_t *erx_recordings_open(const erx_recordings_config_t *config, erx_failure_t *failure)
{
    erx_recordings_t *recordings = calloc(1, sizeof *recordings);
    if (recordings == NULL) {
        (void)erx_failure_set(failure, "no memory for recordings");
        return NULL;
    }
    (void)snprintf(recordings->directory, sizeof recordings->directory, "%s", config->directory);
    recordings->program = config->program;
    recordings->frames_max = config->frames_max;
    recordings->bytes_max = config->bytes_max;
    recordings->telemetry = config->telemetry;
    bool is_well = mkdir(recordings->directory, 0755) == 0 || errno == EEXIST ||
                   erx_failure_set(failure, "%.300s: %s", config->directory, strerror(errno));
    if (!is_well || !load(recordings, failure)) {
        erx_recordings_close(recordings);
        return NULL;
    }
    erx_recordings_bound(recordings);
    erx_recordings_tell(recordings);
    return recordings;
}
