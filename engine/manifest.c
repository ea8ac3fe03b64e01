#include "engine/manifest.h"

#include "engine/manifest_sections.h"
#include "engine/tensor_plan.h"
#include "mem/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREE_FORM_DIGITS 15 /* of a fraction: what a person wrote, not its nearest double */

/* Checks that the entry's dtype and shape are what the plan says. */
static erx_status_t check_kind(const erx_fields_t *fields, const erx_tensor_entry_t *entry)
{
    const char *dtype = NULL;
    erx_status_t status = erx_fields_string(fields, "dtype", &dtype);
    if (status != ERX_OK)
        return status;
    if (strcmp(dtype, erx_dtype_name(entry->dtype)) != 0)
        return erx_fields_refuse(fields, "dtype", ERX_ERR_FORMAT, "must be \"%s\"",
                                 erx_dtype_name(entry->dtype));
    json_t *shape = NULL;
    size_t count = entry->dimension_count;
    status = erx_fields_array(fields, "shape", count, count, &shape);
    if (status != ERX_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const json_t *dimension = json_array_get(shape, i);
        if (!json_is_integer(dimension) ||
            json_integer_value(dimension) != (json_int_t)entry->dimensions[i])
            return erx_fields_refuse(fields, "shape", ERX_ERR_RANGE,
                                     "dimension %zu must be %u for this architecture", i,
                                     entry->dimensions[i]);
    }
    return ERX_OK;
}

/* Reads where one tensor lies; entry holds the rest from the plan. */
static erx_status_t read_tensor(const erx_fields_t *tensors, uint64_t weight_bytes,
                                erx_tensor_entry_t *entry)
{
    static const char *const keys[] = {"dtype", "shape", "offset", "size"};
    erx_fields_t fields;
    erx_status_t status = erx_fields_object(tensors, entry->name, &fields);
    if (status != ERX_OK)
        return status;
    status = check_kind(&fields, entry);
    if (status != ERX_OK)
        return status;
    int64_t value = 0;
    int64_t bytes = (int64_t)entry->bytes;
    status = erx_fields_integer(&fields, "size", bytes, bytes, &value);
    if (status != ERX_OK)
        return status;
    if (entry->bytes > weight_bytes)
        return erx_fields_refuse(&fields, "size", ERX_ERR_RANGE,
                                 "%" PRIu64 " is more than total_weight_bytes", entry->bytes);
    status =
        erx_fields_integer(&fields, "offset", 0, (int64_t)(weight_bytes - entry->bytes), &value);
    if (status != ERX_OK)
        return status;
    if (value % ERX_TENSOR_ALIGN != 0)
        return erx_fields_refuse(&fields, "offset", ERX_ERR_RANGE,
                                 "%" PRId64 " is not a multiple of %u", value, ERX_TENSOR_ALIGN);
    entry->offset = (uint64_t)value;
    return erx_fields_only(&fields, keys, ERX_COUNT(keys));
}

/* By offset; where two claim the same, by name, so that the error is always
 * the same. */
static int compare_entries(const void *left, const void *right)
{
    const erx_tensor_entry_t *a = left;
    const erx_tensor_entry_t *b = right;
    if (a->offset != b->offset)
        return a->offset > b->offset ? 1 : -1;
    return strcmp(a->name, b->name);
}

/* The plan says which tensors there must be; the text says where they lie. */
static erx_status_t read_tensors(const erx_fields_t *root, erx_manifest_t *manifest)
{
    erx_fields_t tensors;
    erx_status_t status = erx_fields_object(root, "tensors", &tensors);
    if (status != ERX_OK)
        return status;
    manifest->tensors = erx_alloc(ERX_TENSORS_MAX, sizeof *manifest->tensors);
    if (manifest->tensors == NULL)
        return erx_fields_refuse(root, "tensors", ERX_ERR_MEMORY, "no memory for the entries");
    uint64_t planned_bytes = 0;
    manifest->tensor_count = erx_manifest_plan(&manifest->shape, manifest->tensors, &planned_bytes);
    for (uint32_t i = 0; i < manifest->tensor_count; i++) {
        status = read_tensor(&tensors, manifest->weight_bytes, &manifest->tensors[i]);
        if (status != ERX_OK)
            return status;
    }
    if (json_object_size(tensors.object) != manifest->tensor_count) {
        const char *name = NULL;
        json_t *value = NULL;
        json_object_foreach(tensors.object, name, value)
        {
            if (erx_manifest_find(manifest, name) == NULL)
                return erx_fields_refuse(&tensors, name, ERX_ERR_FORMAT, "unknown tensor");
        }
    }
    qsort(manifest->tensors, manifest->tensor_count, sizeof *manifest->tensors, compare_entries);
    for (uint32_t i = 1; i < manifest->tensor_count; i++) {
        const erx_tensor_entry_t *before = &manifest->tensors[i - 1];
        if (before->offset + before->bytes > manifest->tensors[i].offset)
            return erx_fields_refuse(&tensors, manifest->tensors[i].name, ERX_ERR_RANGE,
                                     "overlaps %s", before->name);
    }
    return ERX_OK;
}

/* Copies a free-form member as JSON text; NULL where it is absent. */
static erx_status_t read_free_form(const erx_fields_t *root, const char *key, char **text_out)
{
    const json_t *value = json_object_get(root->object, key);
    if (value == NULL)
        return ERX_OK;
    char *text =
        json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(FREE_FORM_DIGITS));
    if (text != NULL) {
        size_t bytes = strlen(text) + 1;
        *text_out = erx_alloc(bytes, 1);
        if (*text_out != NULL)
            memcpy(*text_out, text, bytes);
        free(text);
    }
    return *text_out != NULL ? ERX_OK
                             : erx_fields_refuse(root, key, ERX_ERR_MEMORY, "no memory for it");
}

static erx_status_t read_all(const erx_fields_t *root, erx_manifest_t *manifest)
{
    erx_status_t status = erx_manifest_read_sections(root, manifest);
    if (status == ERX_OK)
        status = read_tensors(root, manifest);
    if (status == ERX_OK)
        status = read_free_form(root, "provenance", &manifest->provenance);
    if (status == ERX_OK)
        status = read_free_form(root, "fidelity", &manifest->fidelity);
    return status;
}

erx_status_t erx_manifest_parse(const char *text, size_t bytes, erx_manifest_t *manifest_out,
                                erx_error_t *error)
{
    memset(manifest_out, 0, sizeof *manifest_out);
    if (bytes > ERX_MANIFEST_BYTES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "is %zu bytes long, must be at most %u", bytes,
                             ERX_MANIFEST_BYTES_MAX);
    erx_fields_t root;
    erx_status_t status = erx_fields_load(text, bytes, &root, error);
    if (status != ERX_OK)
        return status;
    status = read_all(&root, manifest_out);
    json_decref(root.object);
    if (status != ERX_OK)
        erx_manifest_free(manifest_out);
    return status;
}

void erx_manifest_free(erx_manifest_t *manifest)
{
    erx_free(manifest->tensors);
    erx_free(manifest->provenance);
    erx_free(manifest->fidelity);
    memset(manifest, 0, sizeof *manifest);
}

const erx_tensor_entry_t *erx_manifest_find(const erx_manifest_t *manifest, const char *name)
{
    for (uint32_t i = 0; i < manifest->tensor_count; i++) {
        if (strcmp(manifest->tensors[i].name, name) == 0)
            return &manifest->tensors[i];
    }
    return NULL;
}

/* Compares the SHA-256 of data[0, bytes) with what the manifest promised. */
static erx_status_t check_digest(const char *what, const uint8_t *data, uint64_t bytes,
                                 const uint8_t promised[ERX_SHA256_BYTES], erx_error_t *error)
{
    uint8_t digest[ERX_SHA256_BYTES];
    erx_sha256_part_t part = {data, bytes};
    erx_status_t status = erx_sha256(&part, 1, digest, error);
    if (status != ERX_OK)
        return status;
    if (memcmp(digest, promised, sizeof digest) == 0)
        return ERX_OK;
    char found[ERX_SHA256_TEXT_MAX];
    char wanted[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(digest, found);
    erx_sha256_text(promised, wanted);
    return erx_error_set(error, ERX_ERR_HASH,
                         "%s: the weights hash to %s, the manifest says %s; fetch both files again",
                         what, found, wanted);
}

erx_status_t erx_manifest_bind(const erx_manifest_t *manifest, const uint8_t *weights, size_t bytes,
                               erx_tensors_t *tensors_out, erx_error_t *error)
{
    if ((uintptr_t)weights % ERX_TENSOR_ALIGN != 0)
        return erx_error_set(error, ERX_ERR_ARGUMENT, "weights: address is not a multiple of %u",
                             ERX_TENSOR_ALIGN);
    if (bytes != manifest->weight_bytes)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "total_weight_bytes: is %" PRIu64 ", the weights are %zu bytes",
                             manifest->weight_bytes, bytes);
    for (uint32_t i = 0; i < manifest->shard_count; i++) {
        const erx_shard_t *shard = &manifest->shards[i];
        char what[sizeof "shard_map.shards.4294967295.sha256"];
        (void)snprintf(what, sizeof what, "shard_map.shards.%u.sha256", i);
        erx_status_t status =
            check_digest(what, weights + shard->offset, shard->bytes, shard->sha256, error);
        if (status != ERX_OK)
            return status;
    }
    erx_status_t status = check_digest("sha256", weights, bytes, manifest->weight_sha256, error);
    if (status == ERX_OK)
        erx_tensor_plan_bind(manifest, weights, tensors_out);
    return status;
}

uint64_t erx_manifest_parameters(const erx_manifest_t *manifest)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < manifest->tensor_count; i++) {
        const erx_tensor_entry_t *entry = &manifest->tensors[i];
        if (entry->dtype == ERX_DTYPE_I8)
            count += entry->bytes;
        else if (entry->dtype == ERX_DTYPE_I16)
            count += entry->bytes / sizeof(int16_t);
    }
    return count;
}
