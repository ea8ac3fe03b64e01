/* The archive: every record of a journal, from the first on, one after the
 * other in one file, beside the description and the models of the data
 * directory. It is what somebody outside re-executes; it is no part of
 * durability: it is written without flushes, and a failure stops it and
 * nothing else. What a crash cut off is added again from the journal's ring,
 * as long as the ring still has it. */
#ifndef ERX_ENGINE_ARCHIVE_H
#define ERX_ENGINE_ARCHIVE_H

#include "engine/data_directory.h"

typedef struct erx_archive erx_archive_t;

/* Opens the archive of a data directory, or makes it; cuts off a record that
 * was not written whole. Errors: ERX_ERR_DIFFERS where it is another data
 * directory's, ERX_ERR_IO. */
erx_status_t erx_archive_open(erx_archive_t **archive_out, const char *path,
                              const erx_data_directory_t *data, erx_error_t *error);

/* Appends the next record; one that is there already is left out. One thread
 * at a time. */
void erx_archive_append(erx_archive_t *archive, const erx_record_t *record);

/* ERX_OK, or why it has stopped. */
erx_status_t erx_archive_health(const erx_archive_t *archive, erx_error_t *error);

/* NULL is allowed. */
void erx_archive_close(erx_archive_t *archive);

/* Reading one, for verification. */
typedef struct {
    int descriptor;
    uint64_t offset;
    uint8_t file_id[ERX_FILE_ID_BYTES];
    erx_record_t *buffer;
    uint64_t buffer_bytes;
    const char *path;
    erx_digest_t previous;
    uint64_t sequence;
} erx_archive_reader_t;

erx_status_t erx_archive_read_open(erx_archive_reader_t *reader_out, const char *path,
                                   const uint8_t file_id[ERX_FILE_ID_BYTES], erx_error_t *error);

/* The next record, checked against the one before; *record_out is NULL at the
 * end. Errors: ERX_ERR_HASH. */
erx_status_t erx_archive_read_next(erx_archive_reader_t *reader, const erx_record_t **record_out,
                                   erx_error_t *error);
void erx_archive_read_close(erx_archive_reader_t *reader);

#endif
