#include "engine/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/data_parts.h"
#include "mem/alloc.h"

#define RECORDS_NAME "records"

struct erx_archive {
    int descriptor;
    uint64_t bytes;
    uint64_t sequence;
    atomic_bool failed;
    erx_error_t error; /* published by failed */
    char path[ERX_DATA_PATH_MAX];
};

/* Reads exactly size bytes; false at the end of the file and on errors. */
static bool read_at(int descriptor, uint64_t offset, void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t count = pread(descriptor, (uint8_t *)bytes + at, size - at, (off_t)(offset + at));
        if (count <= 0)
            return false;
        at += (size_t)count;
    }
    return true;
}

static erx_status_t open_records(const char *path, int flags, int *descriptor_out,
                                 erx_error_t *error)
{
    char name[ERX_DATA_PATH_MAX + ERX_DATA_NAME_MAX];
    (void)snprintf(name, sizeof name, "%.4000s/" RECORDS_NAME, path);
    *descriptor_out = open(name, flags | O_CLOEXEC, 0644);
    if (*descriptor_out >= 0)
        return ERX_OK;
    return erx_error_set(error, errno == ENOENT ? ERX_ERR_NOT_FOUND : ERX_ERR_IO, "%.300s: %s",
                         name, strerror(errno));
}

erx_status_t erx_archive_read_open(erx_archive_reader_t *reader, const char *path,
                                   const uint8_t file_id[ERX_FILE_ID_BYTES], erx_error_t *error)
{
    *reader = (erx_archive_reader_t){.path = path, .buffer_bytes = ERX_JOURNAL_ALIGNMENT};
    memcpy(reader->file_id, file_id, sizeof reader->file_id);
    erx_status_t status = open_records(path, O_RDONLY, &reader->descriptor, error);
    if (status != ERX_OK)
        return status;
    reader->buffer = erx_alloc(1, reader->buffer_bytes);
    if (reader->buffer != NULL)
        return ERX_OK;
    (void)close(reader->descriptor);
    return erx_error_set(error, ERX_ERR_MEMORY, "no memory to read %.300s", path);
}

void erx_archive_read_close(erx_archive_reader_t *reader)
{
    if (reader->buffer != NULL)
        (void)close(reader->descriptor);
    erx_free(reader->buffer);
    reader->buffer = NULL;
}

/* Reads the whole record at the reader's offset; false where there is none. */
static bool read_record(erx_archive_reader_t *reader)
{
    if (!read_at(reader->descriptor, reader->offset, reader->buffer, sizeof *reader->buffer))
        return false;
    uint64_t length = reader->buffer->length;
    if (length < ERX_JOURNAL_ALIGNMENT || length > ERX_JOURNAL_LENGTH_MAX)
        return false;
    if (length > reader->buffer_bytes) {
        erx_free(reader->buffer);
        reader->buffer = erx_alloc(1, length);
        reader->buffer_bytes = length;
        if (reader->buffer == NULL)
            return false;
    }
    return read_at(reader->descriptor, reader->offset, reader->buffer, length) &&
           erx_record_is_valid((const uint8_t *)reader->buffer, length, reader->file_id,
                               reader->buffer->offset) &&
           reader->buffer->sequence == reader->sequence + 1 &&
           erx_digest_equal(&reader->buffer->previous, &reader->previous);
}

erx_status_t erx_archive_read_next(erx_archive_reader_t *reader, const erx_record_t **record_out,
                                   erx_error_t *error)
{
    uint8_t byte;
    *record_out = NULL;
    if (!read_at(reader->descriptor, reader->offset, &byte, 1))
        return ERX_OK;
    if (!read_record(reader))
        return erx_error_set(error, ERX_ERR_HASH,
                             "%.300s: record %" PRIu64 " is damaged (at byte %" PRIu64 ")",
                             reader->path, reader->sequence + 1, reader->offset);
    reader->sequence++;
    reader->previous = reader->buffer->hash;
    reader->offset += reader->buffer->length;
    *record_out = reader->buffer;
    return ERX_OK;
}

/* Finds the end of the whole records, and cuts the rest off. */
static erx_status_t find_end(erx_archive_t *archive, const erx_data_directory_t *data,
                             erx_error_t *error)
{
    erx_archive_reader_t reader;
    erx_status_t status = erx_archive_read_open(&reader, archive->path, data->file_id, error);
    const erx_record_t *record = NULL;
    erx_error_t damage;
    if (status != ERX_OK)
        return status;
    do {
        archive->bytes = reader.offset;
        archive->sequence = reader.sequence;
    } while (erx_archive_read_next(&reader, &record, &damage) == ERX_OK && record != NULL);
    erx_archive_read_close(&reader);
    if (ftruncate(archive->descriptor, (off_t)archive->bytes) != 0)
        return erx_error_set(error, ERX_ERR_IO, "%.300s: %s", archive->path, strerror(errno));
    return ERX_OK;
}

/* Puts the description and the models there, or checks that they are. */
static erx_status_t describe(const char *path, const erx_data_directory_t *data, erx_error_t *error)
{
    static erx_data_directory_t found; /* large; start-up is on one thread */
    memset(&found, 0, sizeof found);
    (void)snprintf(found.path, sizeof found.path, "%s", path);
    erx_status_t status = erx_data_read_description(&found, error);
    if (status == ERX_OK && memcmp(found.file_id, data->file_id, sizeof found.file_id) != 0)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%.300s is the archive of another data directory; name another one",
                             path);
    if (status != ERX_ERR_NOT_FOUND)
        return status;
    found = *data;
    (void)snprintf(found.path, sizeof found.path, "%s", path);
    found.copy_path[0] = '\0';
    status = ERX_OK;
    for (uint32_t i = 0; status == ERX_OK && i < data->pool_count; i++) {
        char folder[ERX_DATA_PATH_MAX + ERX_DATA_NAME_MAX];
        if (data->pools[i].kind != ERX_DATA_MODEL)
            continue;
        (void)snprintf(folder, sizeof folder, "%.3900s/%s", data->path, data->pools[i].folder);
        status = erx_data_copy_model(&found, i, folder, error);
    }
    return status == ERX_OK ? erx_data_write_description(&found, error) : status;
}

erx_status_t erx_archive_open(erx_archive_t **archive_out, const char *path,
                              const erx_data_directory_t *data, erx_error_t *error)
{
    erx_archive_t *archive = erx_alloc(1, sizeof *archive);
    if (archive == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for an archive");
    (void)snprintf(archive->path, sizeof archive->path, "%s", path);
    archive->descriptor = -1;
    erx_status_t status = erx_data_directory_prepare(path, error);
    if (status == ERX_OK)
        status = describe(path, data, error);
    if (status == ERX_OK)
        status = open_records(path, O_RDWR | O_CREAT, &archive->descriptor, error);
    if (status == ERX_OK)
        status = find_end(archive, data, error);
    if (status != ERX_OK) {
        erx_archive_close(archive);
        return status;
    }
    *archive_out = archive;
    return ERX_OK;
}

static void stop(erx_archive_t *archive, const char *reason)
{
    (void)erx_error_set(&archive->error, ERX_ERR_IO,
                        "%.200s: the archive ends at record %" PRIu64 " (%s); nothing else stops",
                        archive->path, archive->sequence, reason);
    /* Release: the error comes with it. */
    atomic_store_explicit(&archive->failed, true, memory_order_release);
}

void erx_archive_append(erx_archive_t *archive, const erx_record_t *record)
{
    if (atomic_load_explicit(&archive->failed, memory_order_relaxed) ||
        record->sequence <= archive->sequence)
        return;
    if (record->sequence != archive->sequence + 1) {
        stop(archive, "the journal has lost the next one");
        return;
    }
    for (uint64_t at = 0; at < record->length;) {
        ssize_t count = pwrite(archive->descriptor, (const uint8_t *)record + at,
                               record->length - at, (off_t)(archive->bytes + at));
        if (count <= 0) {
            stop(archive, strerror(errno));
            return;
        }
        at += (uint64_t)count;
    }
    archive->bytes += record->length;
    archive->sequence = record->sequence;
}

erx_status_t erx_archive_health(const erx_archive_t *archive, erx_error_t *error)
{
    if (!atomic_load_explicit(&archive->failed, memory_order_acquire))
        return ERX_OK;
    *error = archive->error;
    return error->status;
}

void erx_archive_close(erx_archive_t *archive)
{
    if (archive == NULL)
        return;
    if (archive->descriptor >= 0)
        (void)close(archive->descriptor);
    erx_free(archive);
}
