#include "tools/parameters.h"

#include "tools/error_text.h"
#include "tools/file_map.h"
#include "tools/parameters_torch.h"
#include "tools/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64u

static bool has_room(erx_parameters_t *checkpoint)
{
    if (checkpoint->count < checkpoint->capacity)
        return true;
    uint32_t capacity = ERX_MAX(checkpoint->capacity * 2, CAPACITY_FIRST);
    erx_parameters_tensor_t *grown =
        reallocarray(checkpoint->tensors, capacity, sizeof *checkpoint->tensors);
    if (grown == NULL)
        return false;
    checkpoint->tensors = grown;
    checkpoint->capacity = capacity;
    return true;
}

/* Number of values, 0 where it is beyond every limit. */
static size_t count_values(const uint64_t *dimensions, uint32_t rank)
{
    size_t count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (dimensions[i] == 0 || dimensions[i] > ERX_PARAMETERS_VALUES_MAX / count)
            return 0;
        count *= (size_t)dimensions[i];
    }
    return count;
}

erx_status_t erx_parameters_add(erx_parameters_t *checkpoint, const char *name,
                                const uint64_t *dimensions, uint32_t rank, float **values_out,
                                erx_error_t *error)
{
    if (strlen(name) >= ERX_PARAMETERS_NAME_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "tensor %.40s...: its name is too long", name);
    for (const char *at = name; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return erx_error_set(error, ERX_ERR_FORMAT,
                                 "tensor %s: its name must be printable ASCII", name);
    if (rank > ERX_PARAMETERS_RANK)
        return erx_error_set(error, ERX_ERR_RANGE, "tensor %s has more than %u dimensions", name,
                             ERX_PARAMETERS_RANK);
    size_t count = count_values(dimensions, rank);
    if (count == 0)
        return erx_error_set(error, ERX_ERR_RANGE, "tensor %s is empty or too large", name);
    if (checkpoint->count >= ERX_PARAMETERS_COUNT_MAX ||
        count > ERX_PARAMETERS_VALUES_MAX - checkpoint->value_count)
        return erx_error_set(error, ERX_ERR_RANGE, "the checkpoint is too large at tensor %s",
                             name);
    float *values = has_room(checkpoint) ? calloc(count, sizeof *values) : NULL;
    if (values == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for tensor %s", name);
    erx_parameters_tensor_t *tensor = &checkpoint->tensors[checkpoint->count++];
    *tensor = (erx_parameters_tensor_t){.rank = rank, .count = count, .values = values};
    memcpy(tensor->name, name, strlen(name) + 1);
    for (uint32_t i = 0; i < rank; i++)
        tensor->dimensions[i] = (uint32_t)dimensions[i];
    checkpoint->value_count += count;
    *values_out = values;
    return ERX_OK;
}

static int compare_names(const void *left, const void *right)
{
    const erx_parameters_tensor_t *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static erx_status_t check_values(const erx_parameters_tensor_t *tensor, erx_error_t *error)
{
    for (size_t i = 0; i < tensor->count; i++)
        if (!isfinite(tensor->values[i]))
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor %s holds %s at value %zu; only finite numbers can be "
                                 "quantized",
                                 tensor->name, isnan(tensor->values[i]) ? "NaN" : "infinity", i);
    return ERX_OK;
}

erx_status_t erx_parameters_seal(erx_parameters_t *checkpoint, erx_error_t *error)
{
    if (checkpoint->count == 0)
        return erx_error_set(error, ERX_ERR_FORMAT, "there are no tensors in the checkpoint");
    qsort(checkpoint->tensors, checkpoint->count, sizeof *checkpoint->tensors, compare_names);
    for (uint32_t i = 0; i < checkpoint->count; i++) {
        const erx_parameters_tensor_t *tensor = &checkpoint->tensors[i];
        if (i > 0 && strcmp(tensor[-1].name, tensor->name) == 0)
            return erx_error_set(error, ERX_ERR_FORMAT, "tensor %s is there twice", tensor->name);
        erx_status_t status = check_values(tensor, error);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

const erx_parameters_tensor_t *erx_parameters_find(const erx_parameters_t *checkpoint,
                                                   const char *name)
{
    erx_parameters_tensor_t key = {0};
    if (strlen(name) >= sizeof key.name)
        return NULL;
    memcpy(key.name, name, strlen(name) + 1);
    return bsearch(&key, checkpoint->tensors, checkpoint->count, sizeof key, compare_names);
}

erx_status_t erx_parameters_check_rows(const erx_parameters_tensor_t *tensor, erx_error_t *error)
{
    size_t columns = tensor->count / tensor->dimensions[0];
    for (uint32_t row = 0; row < tensor->dimensions[0]; row++) {
        const float *values = tensor->values + row * columns;
        size_t i = 0;
        while (i < columns && values[i] == 0.0f)
            i++;
        if (i == columns)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "tensor %s: row %u is all zeros; a matrix of a trained model has "
                                 "none",
                                 tensor->name, row);
    }
    return ERX_OK;
}

erx_parameters_kind_t erx_parameters_kind(const erx_parameters_t *checkpoint)
{
    bool mamba = false, trunk = false, analog = false;
    for (uint32_t i = 0; i < checkpoint->count; i++) {
        const char *name = checkpoint->tensors[i].name;
        mamba |= strncmp(name, "layers.0.mamba.", strlen("layers.0.mamba.")) == 0;
        trunk |= strncmp(name, "trunk.", strlen("trunk.")) == 0;
        analog |= strstr(name, "analog_head") != NULL;
    }
    if (mamba)
        return ERX_PARAMETERS_MAMBA2;
    if (trunk)
        return analog ? ERX_PARAMETERS_POLICY : ERX_PARAMETERS_MLP;
    return ERX_PARAMETERS_UNKNOWN;
}

/* An object that the metadata holds as JSON text. */
static erx_status_t read_object(const erx_safetensors_t *file, const char *key, json_t **object_out,
                                erx_error_t *error)
{
    const char *text = erx_safetensors_metadata(file, key);
    if (text == NULL)
        return ERX_OK;
    json_error_t reason;
    *object_out = json_loads(text, JSON_REJECT_DUPLICATES, &reason);
    if (json_is_object(*object_out))
        return ERX_OK;
    return erx_error_set(error, ERX_ERR_FORMAT, "metadata %s: %s", key,
                         *object_out == NULL ? reason.text : "no JSON object");
}

static erx_status_t read_metadata(const erx_safetensors_t *file, erx_parameters_t *checkpoint,
                                  erx_error_t *error)
{
    erx_status_t status = read_object(file, "encoding_config", &checkpoint->encoding_config, error);
    if (status == ERX_OK)
        status = read_object(file, "arch", &checkpoint->arch, error);
    const char *text = erx_safetensors_metadata(file, "context_len");
    if (status != ERX_OK || text == NULL)
        return status;
    char *end;
    checkpoint->context_len = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || checkpoint->context_len < 1)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "metadata context_len is %.20s, must be a whole number above 0", text);
    return ERX_OK;
}

static erx_status_t copy_tensors(const erx_safetensors_t *file, erx_parameters_t *checkpoint,
                                 erx_error_t *error)
{
    for (uint32_t i = 0; i < file->count; i++) {
        const erx_safetensor_t *tensor = &file->tensors[i];
        float *values;
        if (!erx_number_is_float(tensor->number))
            return erx_error_set(error, ERX_ERR_UNSUPPORTED,
                                 "tensor %s: weights must be floating-point numbers, not %s",
                                 tensor->name, erx_number_name(tensor->number));
        erx_status_t status = erx_parameters_add(checkpoint, tensor->name, tensor->dimensions,
                                                 tensor->rank, &values, error);
        if (status != ERX_OK)
            return status;
        erx_number_to_float(tensor->number, tensor->bytes, (size_t)tensor->count, values);
    }
    return ERX_OK;
}

static erx_status_t read_safetensors(erx_parameters_t *checkpoint, const uint8_t *bytes,
                                     size_t size, erx_error_t *error)
{
    erx_safetensors_t file;
    erx_status_t status = erx_safetensors_read(bytes, size, &file, error);
    if (status != ERX_OK)
        return status;
    status = copy_tensors(&file, checkpoint, error);
    if (status == ERX_OK)
        status = read_metadata(&file, checkpoint, error);
    erx_safetensors_close(&file);
    return status;
}

erx_status_t erx_parameters_read(erx_parameters_t *checkpoint_out, const uint8_t *bytes,
                                 size_t size, erx_error_t *error)
{
    *checkpoint_out = (erx_parameters_t){0};
    erx_status_t status = erx_torch_is_file(bytes, size)
                              ? erx_torch_read(checkpoint_out, bytes, size, error)
                              : read_safetensors(checkpoint_out, bytes, size, error);
    if (status == ERX_OK)
        status = erx_parameters_seal(checkpoint_out, error);
    const erx_sha256_part_t whole = {bytes, size};
    if (status == ERX_OK)
        status = erx_sha256(&whole, 1, checkpoint_out->sha256, error);
    if (status == ERX_OK)
        return ERX_OK;
    erx_parameters_close(checkpoint_out);
    return erx_error_make_printable(error);
}

erx_status_t erx_parameters_open(erx_parameters_t *checkpoint_out, const char *path,
                                 erx_error_t *error)
{
    *checkpoint_out = (erx_parameters_t){0};
    erx_file_map_t map;
    erx_status_t status = erx_file_map_open(&map, path, error);
    if (status != ERX_OK)
        return status;
    status = erx_parameters_read(checkpoint_out, map.bytes, map.size, error);
    if (status != ERX_OK)
        status = erx_error_prefix(error, "%s", path);
    erx_file_map_close(&map);
    return status;
}

void erx_parameters_close(erx_parameters_t *checkpoint)
{
    for (uint32_t i = 0; i < checkpoint->count; i++)
        free(checkpoint->tensors[i].values);
    free(checkpoint->tensors);
    json_decref(checkpoint->encoding_config);
    json_decref(checkpoint->arch);
    *checkpoint = (erx_parameters_t){0};
}
