#include "engine/model_file.h"

#include "mem/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_NAME "manifest.json"
#define WEIGHTS_NAME  "weights_int8.bin"
#define LUTS_NAME     "luts.bin"

/* Records why a call on a file failed, in the words of errno. */
static erx_status_t refuse_errno(const char *doing, erx_error_t *error)
{
    int reason = errno;
    erx_status_t status = reason == ENOENT || reason == ENOTDIR ? ERX_ERR_NOT_FOUND
                          : reason == EACCES                    ? ERX_ERR_PERMISSION
                                                                : ERX_ERR_IO;
    return erx_error_set(error, status, "%s: %s", doing, strerror(reason));
}

/* Opens a regular file of the directory for reading; its size is the caller's
 * to judge. */
static erx_status_t file_open(const char *directory, const char *name, int *descriptor_out,
                              size_t *bytes_out, erx_error_t *error)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return erx_error_set(error, ERX_ERR_ARGUMENT, "the path is too long");
    /* Without O_NONBLOCK a FIFO of that name would hang the caller. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return refuse_errno("cannot open", error);
    struct stat facts;
    erx_status_t status = ERX_OK;
    if (fstat(descriptor, &facts) != 0)
        status = refuse_errno("cannot stat", error);
    else if (!S_ISREG(facts.st_mode))
        status = erx_error_set(error, ERX_ERR_FORMAT, "is not a regular file");
    if (status != ERX_OK) {
        (void)close(descriptor);
        return status;
    }
    *descriptor_out = descriptor;
    *bytes_out = (size_t)facts.st_size;
    return ERX_OK;
}

static erx_status_t read_exactly(int descriptor, void *buffer, size_t bytes, erx_error_t *error)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t count = read(descriptor, (uint8_t *)buffer + done, bytes - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return refuse_errno("cannot read", error);
        if (count == 0)
            return erx_error_set(error, ERX_ERR_IO, "became shorter while it was read");
        done += (size_t)count;
    }
    return ERX_OK;
}

/* Reads the whole text into memory that the caller frees with erx_free. */
static erx_status_t manifest_load(const char *directory, char **text_out, size_t *bytes_out,
                                  erx_error_t *error)
{
    int descriptor = -1;
    size_t bytes = 0;
    erx_status_t status = file_open(directory, MANIFEST_NAME, &descriptor, &bytes, error);
    if (status != ERX_OK)
        return status;
    char *text = NULL;
    if (bytes > ERX_MANIFEST_BYTES_MAX)
        status = erx_error_set(error, ERX_ERR_RANGE, "is %zu bytes long, must be at most %u", bytes,
                               ERX_MANIFEST_BYTES_MAX);
    else if ((text = erx_alloc(bytes + 1, 1)) == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for %zu bytes", bytes);
    else
        status = read_exactly(descriptor, text, bytes, error);
    (void)close(descriptor);
    if (status != ERX_OK) {
        erx_free(text);
        return status;
    }
    *text_out = text;
    *bytes_out = bytes;
    return ERX_OK;
}

/* Checks the manifest; leaves the hash of its bytes and the weights' in
 * model_hash. */
static erx_status_t manifest_read(const char *text, size_t bytes, erx_model_file_t *file,
                                  erx_error_t *error)
{
    erx_status_t status = erx_manifest_parse(text, bytes, &file->manifest, error);
    if (status != ERX_OK)
        return status;
    const erx_sha256_part_t parts[] = {{text, bytes},
                                       {file->manifest.weight_sha256, ERX_SHA256_BYTES}};
    return erx_sha256(parts, ERX_COUNT(parts), file->model_hash, error);
}

static erx_status_t manifest_open(const char *directory, erx_model_file_t *file, erx_error_t *error)
{
    char *text = NULL;
    size_t bytes = 0;
    erx_status_t status = manifest_load(directory, &text, &bytes, error);
    if (status != ERX_OK)
        return status;
    status = manifest_read(text, bytes, file, error);
    erx_free(text);
    return status;
}

static erx_status_t weights_map(const char *directory, erx_model_file_t *file, erx_error_t *error)
{
    int descriptor = -1;
    size_t bytes = 0;
    erx_status_t status = file_open(directory, WEIGHTS_NAME, &descriptor, &bytes, error);
    if (status != ERX_OK)
        return status;
    if (bytes != file->manifest.weight_bytes) {
        status = erx_error_set(error, ERX_ERR_FORMAT,
                               "is %zu bytes long, the manifest's total_weight_bytes is %" PRIu64,
                               bytes, file->manifest.weight_bytes);
    } else {
        void *mapping = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
        if (mapping == MAP_FAILED)
            status = refuse_errno("cannot map", error);
        else
            file->weights = mapping;
        file->is_mapped = file->weights != NULL;
    }
    (void)close(descriptor);
    return status;
}

/* Checks file->weights, bytes long. */
static erx_status_t weights_read(erx_model_file_t *file, size_t bytes, erx_error_t *error)
{
    erx_status_t status =
        erx_manifest_bind(&file->manifest, file->weights, bytes, &file->tensors, error);
    return status == ERX_OK ? erx_tensors_check(&file->tensors, error) : status;
}

static erx_status_t weights_open(const char *directory, erx_model_file_t *file, erx_error_t *error)
{
    erx_status_t status = weights_map(directory, file, error);
    return status == ERX_OK ? weights_read(file, file->manifest.weight_bytes, error) : status;
}

/* The tables are optional: only bytecode programs look things up in them. */
static erx_status_t luts_open(const char *directory, erx_model_file_t *file, erx_error_t *error)
{
    int descriptor = -1;
    size_t bytes = 0;
    erx_status_t status = file_open(directory, LUTS_NAME, &descriptor, &bytes, error);
    if (status == ERX_ERR_NOT_FOUND)
        return ERX_OK;
    if (status != ERX_OK)
        return status;
    if (bytes != ERX_LUTS_BYTES)
        status = erx_error_set(error, ERX_ERR_FORMAT,
                               "is %zu bytes long, must be %u; `erx luts` writes it", bytes,
                               ERX_LUTS_BYTES);
    else
        status = read_exactly(descriptor, file->luts, ERX_LUTS_BYTES, error);
    (void)close(descriptor);
    file->has_luts = status == ERX_OK;
    return status;
}

erx_status_t erx_model_file_open(const char *directory, erx_model_file_t *out, erx_error_t *error)
{
    typedef erx_status_t (*open_fn)(const char *directory, erx_model_file_t *file,
                                    erx_error_t *error);
    static const struct {
        const char *name;
        open_fn open;
    } files[] = {
        {MANIFEST_NAME, manifest_open}, {WEIGHTS_NAME, weights_open}, {LUTS_NAME, luts_open}};
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ERX_COUNT(files); i++) {
        if (files[i].open(directory, out, error) != ERX_OK) {
            erx_model_file_close(out);
            /* A directory so long that the reason would be cut is shown in part. */
            return erx_error_prefix(error, "%.200s/%s", directory, files[i].name);
        }
    }
    return ERX_OK;
}

erx_status_t erx_model_file_read(const erx_model_bytes_t *bytes, erx_model_file_t *out,
                                 erx_error_t *error)
{
    memset(out, 0, sizeof *out);
    if (bytes->manifest_bytes > ERX_MANIFEST_BYTES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             MANIFEST_NAME ": is %zu bytes long, must be at most %u",
                             bytes->manifest_bytes, ERX_MANIFEST_BYTES_MAX);
    const char *name = MANIFEST_NAME;
    erx_status_t status = manifest_read(bytes->manifest, bytes->manifest_bytes, out, error);
    if (status == ERX_OK) {
        name = WEIGHTS_NAME;
        out->weights = bytes->weights;
        status = weights_read(out, bytes->weight_bytes, error);
    }
    if (status != ERX_OK) {
        erx_model_file_close(out);
        return erx_error_prefix(error, "%s", name);
    }
    out->has_luts = bytes->luts != NULL;
    if (out->has_luts)
        memcpy(out->luts, bytes->luts, sizeof out->luts);
    return ERX_OK;
}

void erx_model_file_close(erx_model_file_t *file)
{
    if (file->is_mapped)
        (void)munmap((void *)(uintptr_t)file->weights, file->manifest.weight_bytes);
    erx_manifest_free(&file->manifest);
    memset(file, 0, sizeof *file);
}
