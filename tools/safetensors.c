#include "tools/safetensors.h"

#include "tools/error_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8u
#define METADATA     "__metadata__"

static const struct {
    const char *name;
    uint32_t bytes;
} numbers[ERX_NUMBERS] = {
    [ERX_NUMBER_F64] = {"F64", 8},   [ERX_NUMBER_F32] = {"F32", 4}, [ERX_NUMBER_F16] = {"F16", 2},
    [ERX_NUMBER_BF16] = {"BF16", 2}, [ERX_NUMBER_I64] = {"I64", 8}, [ERX_NUMBER_I32] = {"I32", 4},
    [ERX_NUMBER_I16] = {"I16", 2},   [ERX_NUMBER_I8] = {"I8", 1},   [ERX_NUMBER_U8] = {"U8", 1},
    [ERX_NUMBER_BOOL] = {"BOOL", 1},
};

uint32_t erx_number_bytes(erx_number_t number)
{
    return numbers[number].bytes;
}

const char *erx_number_name(erx_number_t number)
{
    return numbers[number].name;
}

bool erx_number_is_float(erx_number_t number)
{
    return number <= ERX_NUMBER_BF16;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE half: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = (half >> 10) & 31u;
    uint32_t fraction = half & 1023u;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) {
        float value = (float)fraction / (float)(1 << 24); /* subnormal: exact */
        return sign != 0 ? -value : value;
    }
    return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

void erx_number_to_float(erx_number_t number, const uint8_t *bytes, size_t count, float *values_out)
{
    if (number == ERX_NUMBER_F32) {
        memcpy(values_out, bytes, count * sizeof *values_out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        double wide;
        if (number == ERX_NUMBER_F64) {
            memcpy(&wide, bytes + i * sizeof wide, sizeof wide);
            values_out[i] = (float)wide;
            continue;
        }
        memcpy(&half, bytes + i * sizeof half, sizeof half);
        values_out[i] =
            number == ERX_NUMBER_F16 ? from_half(half) : from_bits((uint32_t)half << 16);
    }
}

static erx_status_t read_dtype(const json_t *value, erx_safetensor_t *tensor, erx_error_t *error)
{
    const char *name = json_string_value(json_object_get(value, "dtype"));
    if (name == NULL)
        return erx_error_set(error, ERX_ERR_FORMAT, "tensor %s: dtype is missing", tensor->name);
    for (uint32_t i = 0; i < ERX_NUMBERS; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            tensor->number = (erx_number_t)i;
            return ERX_OK;
        }
    }
    return erx_error_set(error, ERX_ERR_UNSUPPORTED, "tensor %s: dtype %.16s is not supported",
                         tensor->name, name);
}

static erx_status_t read_shape(const json_t *value, erx_safetensor_t *tensor, size_t data_bytes,
                               erx_error_t *error)
{
    const json_t *shape = json_object_get(value, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > ERX_SAFETENSORS_RANK)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s: shape must be a list of at most %u dimensions",
                             tensor->name, ERX_SAFETENSORS_RANK);
    tensor->rank = (uint32_t)json_array_size(shape);
    tensor->count = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        const json_t *dimension = json_array_get(shape, i);
        json_int_t size = json_integer_value(dimension);
        if (!json_is_integer(dimension) || size < 1 || (uint64_t)size > data_bytes / tensor->count)
            return erx_error_set(error, ERX_ERR_FORMAT,
                                 "tensor %s: dimension %u of its shape does not fit the file",
                                 tensor->name, i);
        tensor->dimensions[i] = (uint64_t)size;
        tensor->count *= (uint64_t)size;
    }
    return ERX_OK;
}

static erx_status_t read_place(const json_t *value, erx_safetensor_t *tensor, const uint8_t *data,
                               size_t data_bytes, erx_error_t *error)
{
    const json_t *place = json_object_get(value, "data_offsets");
    const json_t *first = json_array_get(place, 0);
    const json_t *last = json_array_get(place, 1);
    if (json_array_size(place) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s: data_offsets must be two whole numbers", tensor->name);
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > data_bytes)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s: data_offsets [%" JSON_INTEGER_FORMAT
                             ", %" JSON_INTEGER_FORMAT "] do not lie in the %zu data bytes; the "
                             "file may be cut short",
                             tensor->name, begin, end, data_bytes);
    if ((uint64_t)(end - begin) != tensor->count * erx_number_bytes(tensor->number))
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "tensor %s: its shape takes %" PRIu64 " bytes of %s, data_offsets "
                             "give %" JSON_INTEGER_FORMAT,
                             tensor->name, tensor->count * erx_number_bytes(tensor->number),
                             erx_number_name(tensor->number), end - begin);
    tensor->bytes = data + begin;
    return ERX_OK;
}

static int compare_places(const void *left, const void *right)
{
    const erx_safetensor_t *a = left, *b = right;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* The tensors follow one another from the first data byte to the last. */
static erx_status_t check_cover(const erx_safetensors_t *file, const uint8_t *data,
                                size_t data_bytes, erx_error_t *error)
{
    const uint8_t *next = data;
    for (uint32_t i = 0; i < file->count; i++) {
        const erx_safetensor_t *tensor = &file->tensors[i];
        if (tensor->bytes < next)
            return erx_error_set(error, ERX_ERR_FORMAT, "tensors %s and %s overlap",
                                 file->tensors[i - 1].name, tensor->name);
        if (tensor->bytes > next)
            return erx_error_set(error, ERX_ERR_FORMAT,
                                 "%td bytes in front of tensor %s belong to none",
                                 tensor->bytes - next, tensor->name);
        next = tensor->bytes + tensor->count * erx_number_bytes(tensor->number);
    }
    if (next != data + data_bytes)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "%td bytes after the last tensor belong to none",
                             data + data_bytes - next);
    return ERX_OK;
}

static erx_status_t read_tensors(erx_safetensors_t *file, const uint8_t *data, size_t data_bytes,
                                 erx_error_t *error)
{
    const char *name;
    json_t *value;
    json_object_foreach(file->header, name, value)
    {
        if (strcmp(name, METADATA) == 0)
            continue;
        erx_safetensor_t *tensor = &file->tensors[file->count];
        tensor->name = name;
        erx_status_t status = read_dtype(value, tensor, error);
        if (status == ERX_OK)
            status = read_shape(value, tensor, data_bytes, error);
        if (status == ERX_OK)
            status = read_place(value, tensor, data, data_bytes, error);
        if (status != ERX_OK)
            return status;
        file->count++;
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_places);
    return check_cover(file, data, data_bytes, error);
}

static erx_status_t read_header(const uint8_t *bytes, size_t size, erx_safetensors_t *file,
                                size_t *header_bytes_out, erx_error_t *error)
{
    uint64_t length;
    if (size < LENGTH_BYTES)
        return erx_error_set(error, ERX_ERR_FORMAT, "too short for a safetensors file");
    memcpy(&length, bytes, sizeof length);
    if (length > ERX_SAFETENSORS_HEADER_MAX || length > size - LENGTH_BYTES)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "its first 8 bytes are no header length of a safetensors file, or the "
                             "file is cut short");
    json_error_t reason;
    file->header = json_loadb((const char *)bytes + LENGTH_BYTES, (size_t)length,
                              JSON_REJECT_DUPLICATES, &reason);
    if (!json_is_object(file->header))
        return erx_error_set(error, ERX_ERR_FORMAT, "safetensors header: %s",
                             file->header == NULL ? reason.text : "no JSON object");
    if (json_object_size(file->header) > ERX_SAFETENSORS_COUNT_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "safetensors header: more than %u tensors",
                             ERX_SAFETENSORS_COUNT_MAX);
    *header_bytes_out = LENGTH_BYTES + (size_t)length;
    return ERX_OK;
}

erx_status_t erx_safetensors_read(const uint8_t *bytes, size_t size, erx_safetensors_t *tensors_out,
                                  erx_error_t *error)
{
    size_t header_bytes = 0;
    *tensors_out = (erx_safetensors_t){0};
    erx_status_t status = read_header(bytes, size, tensors_out, &header_bytes, error);
    if (status == ERX_OK) {
        size_t count = json_object_size(tensors_out->header);
        tensors_out->tensors = calloc(count + 1, sizeof *tensors_out->tensors);
        status = tensors_out->tensors == NULL
                     ? erx_error_set(error, ERX_ERR_MEMORY, "no memory for %zu tensors", count)
                     : read_tensors(tensors_out, bytes + header_bytes, size - header_bytes, error);
    }
    if (status == ERX_OK)
        return ERX_OK;
    erx_safetensors_close(tensors_out);
    return erx_error_make_printable(error);
}

void erx_safetensors_close(erx_safetensors_t *tensors)
{
    json_decref(tensors->header);
    free(tensors->tensors);
    *tensors = (erx_safetensors_t){0};
}

const erx_safetensor_t *erx_safetensors_find(const erx_safetensors_t *tensors, const char *name)
{
    for (uint32_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->tensors[i].name, name) == 0)
            return &tensors->tensors[i];
    return NULL;
}

const char *erx_safetensors_metadata(const erx_safetensors_t *tensors, const char *key)
{
    return json_string_value(json_object_get(json_object_get(tensors->header, METADATA), key));
}
