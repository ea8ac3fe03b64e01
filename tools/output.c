#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
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

static void remove_temporary(const erx_output_t *output)
{
    if (output->temporary != NULL)
        (void)unlink(output->temporary);
}

/* mkstemp makes files private; give it what a plain open would have given. */
static void open_permissions(int file)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(file, 0666 & ~mask);
}

/* What is no regular file (a device, a pipe, a link) keeps its name: it is written
 * straight into. A directory is refused. */
static erx_status_t look_at(const char *path, bool *is_straight_out, erx_error_t *error)
{
    struct stat facts;
    *is_straight_out = lstat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
    if (!*is_straight_out)
        return ERX_OK;
    if (stat(path, &facts) != 0)
        return failed(path, error);
    errno = EISDIR;
    return S_ISDIR(facts.st_mode) ? failed(path, error) : ERX_OK;
}

/* The file that is written: path itself, or a new one beside it. */
static int open_file(erx_output_t *output, bool is_straight)
{
    if (is_straight)
        return open(output->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    int file = mkstemp(output->temporary);
    if (file >= 0)
        open_permissions(file);
    return file;
}

erx_status_t erx_output_open(erx_output_t *output_out, const char *path, erx_error_t *error)
{
    *output_out = (erx_output_t){0};
    if (strcmp(path, "-") == 0) {
        output_out->stream = stdout;
        return ERX_OK;
    }
    bool is_straight;
    if (look_at(path, &is_straight, error) != ERX_OK)
        return error->status;
    output_out->path = strdup(path);
    if (!is_straight && asprintf(&output_out->temporary, "%s.XXXXXX", path) < 0)
        output_out->temporary = NULL;
    if (output_out->path == NULL || (!is_straight && output_out->temporary == NULL)) {
        release(output_out);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the name of %s", path);
    }
    int file = open_file(output_out, is_straight);
    output_out->stream = file < 0 ? NULL : fdopen(file, "wb");
    if (output_out->stream != NULL)
        return ERX_OK;
    (void)failed(path, error);
    if (file >= 0) {
        (void)close(file);
        remove_temporary(output_out);
    }
    release(output_out);
    return error->status;
}

erx_status_t erx_output_commit(erx_output_t *output, erx_error_t *error)
{
    const char *name = output->path == NULL ? "the standard output" : output->path;
    bool is_whole = output->temporary != NULL; /* else nothing to sync, no name to give */
    bool written = fflush(output->stream) == 0 && ferror(output->stream) == 0;
    written = written && (!is_whole || fsync(fileno(output->stream)) == 0);
    erx_status_t status = written ? ERX_OK : failed(name, error);
    if (output->path != NULL && fclose(output->stream) != 0 && status == ERX_OK)
        status = failed(name, error);
    if (is_whole && status == ERX_OK && rename(output->temporary, output->path) != 0)
        status = failed(name, error);
    if (status != ERX_OK)
        remove_temporary(output);
    release(output);
    return status;
}

void erx_output_abandon(erx_output_t *output)
{
    if (output->path != NULL)
        (void)fclose(output->stream);
    remove_temporary(output);
    release(output);
}

erx_status_t erx_output_check(const char *path, erx_error_t *error)
{
    erx_output_t output;
    bool is_straight;
    if (path == NULL || strcmp(path, "-") == 0)
        return ERX_OK;
    erx_status_t status = look_at(path, &is_straight, error);
    /* Opening would empty what a link names, or wait for a pipe's reader. */
    if (status == ERX_OK && is_straight)
        return access(path, W_OK) == 0 ? ERX_OK : failed(path, error);
    if (status == ERX_OK)
        status = erx_output_open(&output, path, error);
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
