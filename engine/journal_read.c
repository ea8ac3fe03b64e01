#include "engine/journal_read.h"

#include <inttypes.h>
#include <string.h>

#define READ_BYTES (1u << 20) /* at once */

/* Reads a stretch of both copies. What one copy cannot give is zeros, which no
 * record is; what neither can give may have been a record. */
static erx_status_t read_stretch(erx_io_t *io, const char *name, uint8_t *const *copies,
                                 uint64_t offset, uint32_t count, erx_error_t *error)
{
    int32_t results[ERX_JOURNAL_COPIES];
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++) {
        results[copy] = erx_io_read(io, copy, offset, copies[copy] + offset, count);
        if (results[copy] != 0)
            memset(copies[copy] + offset, 0, count);
    }
    if (results[0] == 0 || results[1] == 0)
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_IO,
                         "%s: neither copy of the journal can be read at offset %" PRIu64
                         " (%s): check the disk, then start again",
                         name, offset, strerror(-results[0]));
}

/* Both copies while they are read, in pieces; what each reader failed with first. */
typedef struct {
    erx_io_t *io;
    const char *name;
    uint8_t *const *copies;
    uint64_t bytes;
    erx_error_t errors[ERX_IO_READERS_MAX];
} reading_t;

/* Reads a piece of both copies at once, and once more in small stretches where
 * that does not do. */
static void read_piece(void *context, uint32_t i, uint32_t reader)
{
    reading_t *reading = context;
    erx_error_t *error = &reading->errors[reader];
    uint64_t offset = (uint64_t)i * READ_BYTES;
    uint32_t count = (uint32_t)ERX_MIN(reading->bytes - offset, READ_BYTES);
    bool whole = true;
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
        whole &= erx_io_read(reading->io, copy, offset, reading->copies[copy] + offset, count) == 0;
    for (uint32_t at = 0; !whole && error->status == ERX_OK && at < count; at += ERX_IO_ALIGNMENT)
        (void)read_stretch(reading->io, reading->name, reading->copies, offset + at,
                           ERX_IO_ALIGNMENT, error);
}

static erx_status_t read_copies(erx_io_t *io, const char *name, uint8_t *const *copies,
                                uint64_t bytes, erx_error_t *error)
{
    reading_t reading = {.io = io, .name = name, .copies = copies, .bytes = bytes};
    erx_io_read_many(io, (uint32_t)ERX_CEIL_DIV(bytes, READ_BYTES), read_piece, &reading);
    for (uint32_t i = 0; i < ERX_IO_READERS_MAX; i++) {
        if (reading.errors[i].status == ERX_OK)
            continue;
        *error = reading.errors[i];
        return error->status;
    }
    return ERX_OK;
}

erx_status_t erx_journal_read(erx_journal_files_t *files, erx_io_t *io,
                              const erx_recover_input_t *input, erx_error_t *error)
{
    erx_recover_input_t whole = *input;
    uint8_t *copies[ERX_JOURNAL_COPIES];
    memset(files, 0, sizeof *files);
    erx_status_t status =
        erx_region_open_empty(&files->region, ERX_JOURNAL_COPIES * input->bytes, error);
    if (status != ERX_OK)
        return erx_error_prefix(error, "reading the journal");
    for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++)
        whole.copies[copy] = copies[copy] =
            erx_region_take(&files->region, input->bytes, ERX_IO_ALIGNMENT);
    status = read_copies(io, input->name, copies, input->bytes, error);
    if (status == ERX_OK)
        status = erx_recover_chain(&whole, &files->chain, error);
    if (status != ERX_OK)
        erx_journal_read_close(files);
    return status;
}

void erx_journal_read_close(erx_journal_files_t *files)
{
    erx_chain_free(&files->chain);
    erx_region_close(&files->region);
}
