/* Output files that appear whole or not at all. Only what is no regular file (a
 * device, a pipe, a link) is written straight into, so that it stays what it is. */
#ifndef ERX_TOOLS_OUTPUT_H
#define ERX_TOOLS_OUTPUT_H

#include "mem/status.h"

#include <jansson.h>
#include <stdio.h>

/* A file being written: under a temporary name beside the final one until
 * commit. The path "-" is the standard output. */
typedef struct {
    FILE *stream;
    char *path;      /* owned; NULL for the standard output */
    char *temporary; /* owned; NULL where path is written straight into */
} erx_output_t;

/* Opens path for writing through output_out->stream. An existing file of that
 * name stays as it is until commit replaces it. Refuses a directory. */
erx_status_t erx_output_open(erx_output_t *output_out, const char *path, erx_error_t *error);

/* Makes what was written durable and gives it its name; reports earlier write
 * errors too. Frees the output in every case; on failure the temporary file is
 * gone. */
erx_status_t erx_output_commit(erx_output_t *output, erx_error_t *error);

/* Drops what was written. */
void erx_output_abandon(erx_output_t *output);

/* Fails now, before long work, if path cannot be written later. Leaves nothing
 * behind; NULL is allowed. */
erx_status_t erx_output_check(const char *path, erx_error_t *error);

/* Writes bytes[0, size) as one such file. */
erx_status_t erx_output_write(const char *path, const void *bytes, size_t size, erx_error_t *error);

/* Writes value as indented JSON with a final newline, keys in insertion order;
 * takes no reference. */
erx_status_t erx_output_json(const char *path, const json_t *value, erx_error_t *error);

#endif
