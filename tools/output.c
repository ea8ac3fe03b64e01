#include "tools/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON_STYLE (JSON_INDENT(1) | JSON_REAL_PRECISION(9))

static void release(erx_output_t *output)
{
    free(output->path);
    free(output->temporary);
    *output = (erx_output_t){0};
}

static erx_status_t failed(const char *path, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

/* mkstemp makes files private; give it what a plain open would have given. */
static void open_permissions(int file)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(file, 0666 & ~mask);
}

erx_status_t erx_output_open(erx_output_t *output_out, const char *path, erx_error_t *error)
{
    *output_out = (erx_output_t){0};
    if (strcmp(path, "-") == 0) {
        output_out->stream = stdout;
        return ERX_OK;
    }
    output_out->path = strdup(path);
    if (output_out->path == NULL || asprintf(&output_out->temporary, "%s.XXXXXX", path) < 0) {
        output_out->temporary = NULL;
        release(output_out);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the name of %s", path);
    }
    int file = mkstemp(output_out->temporary);
    if (file < 0) {
        (void)failed(path, error);
        release(output_out);
        return error->status;
    }
    open_permissions(file);
    output_out->stream = fdopen(file, "wb");
    if (output_out->stream == NULL) {
        (void)failed(path, error);
        (void)close(file);
        (void)unlink(output_out->temporary);
        release(output_out);
        return error->status;
    }
    return ERX_OK;
}

erx_status_t erx_output_commit(erx_output_t *output, erx_error_t *error)
{
    FILE *stream = output->stream;
    bool written = fflush(stream) == 0 && ferror(stream) == 0;
    if (output->path == NULL) {
        *output = (erx_output_t){0};
        return written ? ERX_OK : failed("the standard output", error);
    }
    written = written && fsync(fileno(stream)) == 0;
    erx_status_t status = written ? ERX_OK : failed(output->path, error);
    if (fclose(stream) != 0 && status == ERX_OK)
        status = failed(output->path, error);
    if (status == ERX_OK && rename(output->temporary, output->path) != 0)
        status = failed(output->path, error);
    if (status != ERX_OK)
        (void)unlink(output->temporary);
    release(output);
    return status;
}

void erx_output_abandon(erx_output_t *output)
{
    if (output->path != NULL) {
        (void)fclose(output->stream);
        (void)unlink(output->temporary);
    }
    release(output);
}

erx_status_t erx_output_check(const char *path, erx_error_t *error)
{
    erx_output_t output;
    if (path == NULL)
        return ERX_OK;
    erx_status_t status = erx_output_open(&output, path, error);
    if (status == ERX_OK)
        erx_output_abandon(&output);
    return status;
}

erx_status_t erx_output_write(const char *path, const void *bytes, size_t size, erx_error_t *error)
{
    erx_output_t output;
    erx_status_t status = erx_output_open(&output, path, error);
    if (status != ERX_OK)
        return status;
    (void)fwrite(bytes, 1, size, output.stream); /* commit sees the stream's error */
    return erx_output_commit(&output, error);
}

erx_status_t erx_output_json(const char *path, const json_t *value, erx_error_t *error)
{
    char *text = json_dumps(value, JSON_STYLE);
    if (text == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the JSON text of %s", path);
    erx_output_t output;
    erx_status_t status = erx_output_open(&output, path, error);
    if (status == ERX_OK) {
        fprintf(output.stream, "%s\n", text);
        status = erx_output_commit(&output, error);
    }
    free(text);
    return status;
}
