/* Fuzzes the safetensors reader, and what makes a checkpoint of its tensors.
 * What it accepts must be readable to the last byte, and a tensor shares no
 * byte with another. */
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tools/float_model.h"
#include "tools/parameters.h"
#include "tools/safetensors.h"

#include <string.h>

/* A refusal says why, in one printable line. */
static void check_error(erx_status_t status, const erx_error_t *error)
{
    ERX_ASSERT(status < 0 && error->status == status);
    size_t length = strnlen(error->text, sizeof error->text);
    ERX_ASSERT(length > 0 && length < sizeof error->text);
    for (size_t i = 0; i < length; i++)
        ERX_ASSERT(error->text[i] >= ' ' && error->text[i] <= '~');
}

static void check_tensors(const erx_safetensors_t *file, const uint8_t *data, size_t size)
{
    const uint8_t *next = data;
    for (uint32_t i = 0; i < file->count; i++) {
        const erx_safetensor_t *tensor = &file->tensors[i];
        ERX_ASSERT(tensor->bytes > data && tensor->bytes >= next);
        next = tensor->bytes + tensor->count * erx_number_bytes(tensor->number);
        ERX_ASSERT(next <= data + size);
        ERX_ASSERT(erx_safetensors_find(file, tensor->name) == tensor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    erx_safetensors_t file;
    erx_parameters_t checkpoint;
    erx_float_model_t model;
    erx_error_t error;
    erx_status_t status = erx_safetensors_read(data, size, &file, &error);
    if (status == ERX_OK)
        check_tensors(&file, data, size);
    else
        check_error(status, &error);
    erx_safetensors_close(&file);
    status = erx_parameters_read(&checkpoint, data, size, &error);
    if (status != ERX_OK) {
        check_error(status, &error);
        return 0;
    }
    status = erx_float_model_bind(&model, &checkpoint, &error);
    if (status != ERX_OK)
        check_error(status, &error);
    erx_parameters_close(&checkpoint);
    return 0;
}
