#include "engine/policy_file.h"

#include "engine/json_fields.h"
#include "kernels/tables.h"
#include "mem/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL_TYPE       "policy"
#define FREE_FORM_DIGITS 15 /* of a fraction: what a person wrote, not its nearest double */

/* ---- the manifest ---- */

static erx_status_t read_word(const erx_fields_t *fields, const char *key, const char *wanted,
                              const char *advice)
{
    const char *text = NULL;
    erx_status_t status = erx_fields_string(fields, key, &text);
    if (status == ERX_OK && strcmp(text, wanted) != 0)
        status =
            erx_fields_refuse(fields, key, ERX_ERR_UNSUPPORTED, "must be \"%s\"%s", wanted, advice);
    return status;
}

/* A name goes to logs: a short, printable label. */
static erx_status_t read_name(const erx_fields_t *root, erx_policy_manifest_t *manifest)
{
    const char *name = NULL;
    erx_status_t status = erx_fields_string(root, "name", &name);
    if (status != ERX_OK)
        return status;
    size_t length = strlen(name);
    if (length == 0 || length > ERX_MODEL_NAME_MAX)
        return erx_fields_refuse(root, "name", ERX_ERR_RANGE, "is %zu bytes long, must be 1 to %u",
                                 length, ERX_MODEL_NAME_MAX);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == '\x7f')
            return erx_fields_refuse(root, "name", ERX_ERR_FORMAT,
                                     "must not hold control characters");
    memcpy(manifest->name, name, length + 1);
    return ERX_OK;
}

static erx_status_t read_size(const erx_fields_t *architecture, const char *key, uint32_t most,
                              uint32_t *size_out)
{
    int64_t size = 0;
    erx_status_t status = erx_fields_integer(architecture, key, 1, most, &size);
    *size_out = (uint32_t)size;
    return status;
}

static erx_status_t read_widths(const erx_fields_t *architecture, erx_policy_shape_t *shape)
{
    json_t *widths = NULL;
    erx_status_t status = erx_fields_array(architecture, "embed_widths", ERX_POLICY_EMBEDS,
                                           ERX_POLICY_EMBEDS, &widths);
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS && status == ERX_OK; i++) {
        const json_t *width = json_array_get(widths, i);
        json_int_t value = json_integer_value(width);
        if (!json_is_integer(width) || value < 1 || value > ERX_POLICY_EMBED_MAX)
            return erx_fields_refuse(architecture, "embed_widths", ERX_ERR_RANGE,
                                     "must hold whole numbers from 1 to %u", ERX_POLICY_EMBED_MAX);
        shape->embed_widths[i] = (uint32_t)value;
    }
    return status;
}

erx_status_t erx_policy_read_shape(const erx_fields_t *architecture, erx_policy_shape_t *shape)
{
    static const char *const keys[] = {"model_type", "context_len", "hidden_dim", "trunk_dim",
                                       "embed_widths"};
    erx_status_t status =
        read_size(architecture, "context_len", ERX_POLICY_CONTEXT_MAX, &shape->context);
    if (status == ERX_OK)
        status = read_size(architecture, "hidden_dim", ERX_POLICY_WIDTH_MAX, &shape->hidden);
    if (status == ERX_OK)
        status = read_size(architecture, "trunk_dim", ERX_POLICY_WIDTH_MAX, &shape->trunk);
    if (status == ERX_OK)
        status = read_widths(architecture, shape);
    if (status == ERX_OK)
        status = erx_fields_only(architecture, keys, ERX_COUNT(keys));
    return status == ERX_OK ? erx_policy_shape_check(shape, architecture->error) : status;
}

static erx_status_t read_architecture(const erx_fields_t *root, erx_policy_manifest_t *manifest)
{
    erx_fields_t architecture;
    erx_status_t status = erx_fields_object(root, "architecture", &architecture);
    if (status == ERX_OK)
        status = read_word(&architecture, "model_type", MODEL_TYPE, "");
    return status == ERX_OK ? erx_policy_read_shape(&architecture, &manifest->shape) : status;
}

/* Size and hashes; the size must be what the architecture implies. */
static erx_status_t read_hashes(const erx_fields_t *root, erx_policy_manifest_t *manifest)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint8_t tables[ERX_SHA256_BYTES];
    int64_t bytes = 0;
    erx_policy_plan(&manifest->shape, entries, &manifest->weight_bytes);
    erx_status_t status =
        erx_fields_integer(root, "total_weight_bytes", (int64_t)manifest->weight_bytes,
                           (int64_t)manifest->weight_bytes, &bytes);
    if (status == ERX_OK)
        status = erx_fields_digest(root, "sha256", manifest->weight_sha256);
    if (status == ERX_OK)
        status = erx_fields_digest(root, "tables_sha256", tables);
    if (status == ERX_OK && memcmp(tables, erx_tables_sha256, sizeof tables) != 0)
        status = erx_fields_refuse(root, "tables_sha256", ERX_ERR_UNSUPPORTED,
                                   "the policy was made for other tables than this engine's; "
                                   "quantize it again");
    return status;
}

/* Copies a free-form member as JSON text; NULL where it is absent. */
static erx_status_t read_free_form(const erx_fields_t *root, const char *key, char **text_out)
{
    const size_t style = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(FREE_FORM_DIGITS);
    const json_t *value = json_object_get(root->object, key);
    if (value == NULL)
        return ERX_OK;
    size_t bytes = json_dumpb(value, NULL, 0, style);
    *text_out = erx_alloc(bytes + 1, 1);
    if (*text_out == NULL)
        return erx_fields_refuse(root, key, ERX_ERR_MEMORY, "no memory for it");
    (void)json_dumpb(value, *text_out, bytes, style);
    return ERX_OK;
}

erx_status_t erx_policy_manifest_parse(const char *text, size_t bytes,
                                       erx_policy_manifest_t *manifest_out, erx_error_t *error)
{
    erx_fields_t root;
    memset(manifest_out, 0, sizeof *manifest_out);
    if (bytes > ERX_MANIFEST_BYTES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "is %zu bytes long, must be at most %u", bytes,
                             ERX_MANIFEST_BYTES_MAX);
    erx_status_t status = erx_fields_load(text, bytes, &root, error);
    if (status != ERX_OK)
        return status;
    status = read_word(&root, "format", ERX_POLICY_FORMAT, "; `erx quantize` writes it");
    if (status == ERX_OK)
        status = read_word(&root, "profile", ERX_POLICY_PROFILE, ", the arithmetic of this engine");
    if (status == ERX_OK)
        status = read_name(&root, manifest_out);
    if (status == ERX_OK)
        status = read_architecture(&root, manifest_out);
    if (status == ERX_OK)
        status = read_hashes(&root, manifest_out);
    if (status == ERX_OK)
        status = read_free_form(&root, "provenance", &manifest_out->provenance);
    if (status == ERX_OK)
        status = read_free_form(&root, "fidelity", &manifest_out->fidelity);
    json_decref(root.object);
    if (status != ERX_OK)
        erx_policy_manifest_free(manifest_out);
    return status;
}

void erx_policy_manifest_free(erx_policy_manifest_t *manifest)
{
    erx_free(manifest->provenance);
    erx_free(manifest->fidelity);
    memset(manifest, 0, sizeof *manifest);
}

/* ---- files ---- */

static erx_status_t refuse_errno(const char *doing, erx_error_t *error)
{
    int reason = errno;
    erx_status_t status = reason == ENOENT || reason == ENOTDIR ? ERX_ERR_NOT_FOUND
                          : reason == EACCES                    ? ERX_ERR_PERMISSION
                                                                : ERX_ERR_IO;
    return erx_error_set(error, status, "%s: %s", doing, strerror(reason));
}

/* Reads an open file of this size to its end. */
static erx_status_t read_all(int file, uint8_t *bytes, size_t size, erx_error_t *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(file, bytes + done, size - done);
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

/* Reads a regular file of at most `most` bytes into memory that the caller
 * frees with erx_free. */
static erx_status_t load(const char *directory, const char *name, size_t most, uint8_t **bytes_out,
                         size_t *size_out, erx_error_t *error)
{
    char path[PATH_MAX];
    struct stat facts;
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return erx_error_set(error, ERX_ERR_ARGUMENT, "the path is too long");
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang it */
    if (file < 0)
        return refuse_errno("cannot open", error);
    erx_status_t status = ERX_OK;
    uint8_t *bytes = NULL;
    if (fstat(file, &facts) != 0)
        status = refuse_errno("cannot stat", error);
    else if (!S_ISREG(facts.st_mode))
        status = erx_error_set(error, ERX_ERR_FORMAT, "is not a regular file");
    else if ((uint64_t)facts.st_size > most)
        status = erx_error_set(error, ERX_ERR_RANGE, "is %jd bytes long, must be at most %zu",
                               (intmax_t)facts.st_size, most);
    else if ((bytes = erx_alloc((size_t)facts.st_size + 1, 1)) == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for it");
    else
        status = read_all(file, bytes, (size_t)facts.st_size, error);
    (void)close(file);
    if (status != ERX_OK) {
        erx_free(bytes);
        return status;
    }
    *bytes_out = bytes;
    *size_out = (size_t)facts.st_size;
    return ERX_OK;
}

static erx_status_t open_manifest(const char *directory, erx_policy_file_t *file,
                                  erx_error_t *error)
{
    uint8_t *text = NULL;
    size_t bytes = 0;
    erx_status_t status =
        load(directory, ERX_POLICY_MANIFEST, ERX_MANIFEST_BYTES_MAX, &text, &bytes, error);
    if (status != ERX_OK)
        return status;
    status = erx_policy_manifest_parse((const char *)text, bytes, &file->manifest, error);
    erx_free(text);
    return status;
}

static erx_status_t check_weights(const erx_policy_file_t *file, size_t bytes, erx_error_t *error)
{
    const erx_sha256_part_t part = {file->weights, bytes};
    uint8_t digest[ERX_SHA256_BYTES];
    if (bytes != file->manifest.weight_bytes)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "is %zu bytes long, the manifest's total_weight_bytes is %" PRIu64,
                             bytes, file->manifest.weight_bytes);
    erx_status_t status = erx_sha256(&part, 1, digest, error);
    if (status == ERX_OK && memcmp(digest, file->manifest.weight_sha256, sizeof digest) != 0)
        status = erx_error_set(error, ERX_ERR_HASH,
                               "its SHA-256 is not the manifest's; fetch both files again");
    return status == ERX_OK ? erx_policy_tensors_check(&file->tensors, error) : status;
}

static erx_status_t open_weights(const char *directory, erx_policy_file_t *file, erx_error_t *error)
{
    size_t bytes = 0;
    /* One byte more than there may be is enough to see that it is too long. */
    erx_status_t status = load(directory, ERX_POLICY_WEIGHTS, file->manifest.weight_bytes + 1,
                               &file->weights, &bytes, error);
    if (status != ERX_OK)
        return status;
    if (bytes == file->manifest.weight_bytes)
        erx_policy_bind(&file->manifest.shape, file->weights, &file->tensors);
    return check_weights(file, bytes, error);
}

bool erx_policy_file_applies(const char *directory)
{
    uint8_t *text = NULL;
    size_t bytes = 0;
    erx_error_t ignored;
    erx_fields_t root;
    const char *format = NULL;
    if (load(directory, ERX_POLICY_MANIFEST, ERX_MANIFEST_BYTES_MAX, &text, &bytes, &ignored) !=
        ERX_OK)
        return false;
    bool applies = false;
    if (erx_fields_load((const char *)text, bytes, &root, &ignored) == ERX_OK) {
        applies = erx_fields_string(&root, "format", &format) == ERX_OK &&
                  strcmp(format, ERX_POLICY_FORMAT) == 0;
        json_decref(root.object);
    }
    erx_free(text);
    return applies;
}

erx_status_t erx_policy_file_open(const char *directory, erx_policy_file_t *out, erx_error_t *error)
{
    memset(out, 0, sizeof *out);
    const char *name = ERX_POLICY_MANIFEST;
    erx_status_t status = open_manifest(directory, out, error);
    if (status == ERX_OK) {
        name = ERX_POLICY_WEIGHTS;
        status = open_weights(directory, out, error);
    }
    if (status == ERX_OK)
        return ERX_OK;
    erx_policy_file_close(out);
    return erx_error_prefix(error, "%.200s/%s", directory, name);
}

void erx_policy_file_close(erx_policy_file_t *file)
{
    erx_free(file->weights);
    erx_policy_manifest_free(&file->manifest);
    memset(file, 0, sizeof *file);
}
