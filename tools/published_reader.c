/* Reads published directories as checkpoints. */
#include "tools/published.h"

#include "tools/error_text.h"
#include "tools/file_map.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MANIFEST_BYTES_MAX ((size_t)64 << 20)

typedef struct {
    const erx_file_map_t *weights;
    erx_parameters_t *checkpoint;
    erx_error_t *error;
} reader_t;

static erx_status_t refuse(const reader_t *reader, const char *name, const char *reason)
{
    return erx_error_set(reader->error, ERX_ERR_FORMAT, "manifest.json: weight %.100s: %s", name,
                         reason);
}

/* Scale of row i: one for all, or a list. */
static bool scale_of(const json_t *entry, uint32_t rank, size_t row, float *scale_out)
{
    const json_t *value = rank == 1 ? json_object_get(entry, "scale")
                                    : json_array_get(json_object_get(entry, "scales"), row);
    *scale_out = (float)json_number_value(value);
    return json_is_number(value) && isfinite(*scale_out) && *scale_out > 0.0f;
}

static erx_status_t read_steps(reader_t *reader, const char *name, const json_t *entry,
                               const erx_parameters_tensor_t *tensor)
{
    const json_t *place = json_object_get(entry, "offset");
    const json_t *size = json_object_get(entry, "size");
    json_int_t offset = json_integer_value(place);
    if (!json_is_integer(place) || !json_is_integer(size) || offset < 0 ||
        json_integer_value(size) != (json_int_t)tensor->count ||
        (uint64_t)offset > reader->weights->size ||
        tensor->count > reader->weights->size - (size_t)offset)
        return refuse(reader, name, "offset and size do not fit its shape and weights_int8.bin");
    size_t rows = tensor->rank == 1 ? 1 : tensor->dimensions[0];
    size_t width = tensor->count / rows;
    const int8_t *steps = (const int8_t *)reader->weights->bytes + offset;
    if (tensor->rank > 1 && json_array_size(json_object_get(entry, "scales")) != rows)
        return refuse(reader, name, "scales must have one number a row");
    for (size_t row = 0; row < rows; row++) {
        float scale;
        if (!scale_of(entry, tensor->rank, row, &scale))
            return refuse(reader, name, "a scale is missing, or not a number above 0");
        for (size_t i = row * width; i < (row + 1) * width; i++)
            tensor->values[i] = (float)steps[i] * scale;
    }
    return ERX_OK;
}

static erx_status_t read_weight(reader_t *reader, const char *name, const json_t *entry)
{
    const json_t *shape = json_object_get(entry, "shape");
    uint64_t dimensions[ERX_PARAMETERS_RANK];
    size_t rank = json_array_size(shape);
    if (rank < 1 || rank > 3)
        return refuse(reader, name, "shape must be a list of 1 to 3 sizes");
    for (size_t i = 0; i < rank; i++) {
        json_int_t size = json_integer_value(json_array_get(shape, i));
        if (size < 1)
            return refuse(reader, name, "shape must be a list of 1 to 3 sizes");
        dimensions[i] = (uint64_t)size;
    }
    float *values;
    erx_status_t status = erx_parameters_add(reader->checkpoint, name, dimensions, (uint32_t)rank,
                                             &values, reader->error);
    if (status != ERX_OK)
        return status;
    return read_steps(reader, name, entry,
                      &reader->checkpoint->tensors[reader->checkpoint->count - 1]);
}

static erx_status_t read_weights(reader_t *reader, json_t *manifest)
{
    const char *group, *name;
    json_t *weights, *entry;
    json_object_foreach(json_object_get(manifest, "weights"), group, weights)
    {
        json_object_foreach(weights, name, entry)
        {
            erx_status_t status = read_weight(reader, name, entry);
            if (status != ERX_OK)
                return status;
        }
    }
    return ERX_OK;
}

static erx_status_t read_manifest(reader_t *reader, const json_t *manifest)
{
    const char *format = json_string_value(json_object_get(manifest, "format"));
    static const char *const formats[] = {"mamba2_int8_v1", "mlp_int8_v1", "policy_int8_v1"};
    size_t known = 0;
    while (known < ERX_COUNT(formats) && format != NULL && strcmp(format, formats[known]) != 0)
        known++;
    if (format == NULL || known == ERX_COUNT(formats))
        return erx_error_set(reader->error, ERX_ERR_UNSUPPORTED,
                             "manifest.json: format is %.40s; only mamba2_int8_v1, mlp_int8_v1 and "
                             "policy_int8_v1 can be the source of a model",
                             format == NULL ? "missing" : format);
    const json_t *total = json_object_get(manifest, "total_weight_bytes");
    if (json_integer_value(total) != (json_int_t)reader->weights->size)
        return erx_error_set(reader->error, ERX_ERR_FORMAT,
                             "manifest.json: total_weight_bytes is not the size of "
                             "weights_int8.bin, %zu; the file may be cut short",
                             reader->weights->size);
    json_t *encoding = json_object_get(manifest, "encoding_config");
    if (json_is_object(encoding))
        reader->checkpoint->encoding_config = json_incref(encoding);
    const json_t *context = json_object_get(manifest, "context_len");
    if (json_is_integer(context) && json_integer_value(context) > 0)
        reader->checkpoint->context_len = json_integer_value(context);
    return ERX_OK;
}

static erx_status_t read_text(reader_t *reader, const erx_file_map_t *text)
{
    json_error_t reason;
    if (text->size > MANIFEST_BYTES_MAX)
        return erx_error_set(reader->error, ERX_ERR_RANGE, "manifest.json is too long");
    json_t *manifest =
        json_loadb((const char *)text->bytes, text->size, JSON_REJECT_DUPLICATES, &reason);
    if (manifest == NULL)
        return erx_error_set(reader->error, ERX_ERR_FORMAT, "manifest.json line %d: %s",
                             reason.line, reason.text);
    erx_status_t status = read_manifest(reader, manifest);
    if (status == ERX_OK)
        status = read_weights(reader, manifest);
    json_decref(manifest);
    if (status == ERX_OK)
        status = erx_parameters_seal(reader->checkpoint, reader->error);
    const erx_sha256_part_t parts[] = {{text->bytes, text->size},
                                       {reader->weights->bytes, reader->weights->size}};
    if (status == ERX_OK)
        status = erx_sha256(parts, ERX_COUNT(parts), reader->checkpoint->sha256, reader->error);
    return status;
}

static erx_status_t open_file(const char *directory, const char *name, erx_file_map_t *map_out,
                              erx_error_t *error)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return erx_error_set(error, ERX_ERR_RANGE, "the path of the directory is too long");
    return erx_file_map_open(map_out, path, error);
}

erx_status_t erx_published_read(erx_parameters_t *checkpoint_out, const char *directory,
                                erx_error_t *error)
{
    *checkpoint_out = (erx_parameters_t){0};
    erx_file_map_t text = {0}, weights = {0};
    reader_t reader = {.weights = &weights, .checkpoint = checkpoint_out, .error = error};
    erx_status_t status = open_file(directory, "manifest.json", &text, error);
    if (status == ERX_OK)
        status = open_file(directory, "weights_int8.bin", &weights, error);
    if (status == ERX_OK) {
        status = read_text(&reader, &text);
        if (status != ERX_OK) {
            (void)erx_error_make_printable(error);
            status = erx_error_prefix(error, "%s", directory);
        }
    }
    erx_file_map_close(&text);
    erx_file_map_close(&weights);
    if (status != ERX_OK)
        erx_parameters_close(checkpoint_out);
    return status;
}
