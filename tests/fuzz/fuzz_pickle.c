/* Fuzzes the pickle reader, and the archive around it. An input that starts as
 * a zip archive is a .pt file, any other is a pickle. Every reference of what
 * is accepted must lead to a value. */
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tools/parameters.h"
#include "tools/parameters_pickle.h"

#include <string.h>

static void check_error(erx_status_t status, const erx_error_t *error)
{
    ERX_ASSERT(status < 0 && error->status == status);
    size_t length = strnlen(error->text, sizeof error->text);
    ERX_ASSERT(length > 0 && length < sizeof error->text);
    for (size_t i = 0; i < length; i++)
        ERX_ASSERT(error->text[i] >= ' ' && error->text[i] <= '~');
}

static void check_value(const erx_pickle_t *pickle, const erx_pickle_value_t *value)
{
    if (value->kind == ERX_PICKLE_LIST || value->kind == ERX_PICKLE_DICT) {
        ERX_ASSERT(value->kind == ERX_PICKLE_LIST || value->items.count % 2 == 0);
        for (uint32_t i = 0; i < value->items.count; i++)
            ERX_ASSERT(value->items.items[i] < pickle->count);
    }
    if (value->kind == ERX_PICKLE_TENSOR)
        ERX_ASSERT(pickle->values[value->tensor.storage].kind == ERX_PICKLE_STORAGE);
    if (value->kind == ERX_PICKLE_STORAGE)
        ERX_ASSERT(pickle->values[value->storage.key].kind == ERX_PICKLE_STRING);
}

static void fuzz_pickle(const uint8_t *data, size_t size)
{
    erx_pickle_t pickle;
    erx_error_t error;
    erx_status_t status = erx_pickle_read(data, size, &pickle, &error);
    if (status != ERX_OK) {
        check_error(status, &error);
        ERX_ASSERT(pickle.values == NULL);
        return;
    }
    ERX_ASSERT(pickle.root < pickle.count);
    for (uint32_t i = 0; i < pickle.count; i++)
        check_value(&pickle, &pickle.values[i]);
    (void)erx_pickle_get(&pickle, &pickle.values[pickle.root], "model_state_dict");
    erx_pickle_close(&pickle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || memcmp(data, "PK", 2) != 0) {
        fuzz_pickle(data, size);
        return 0;
    }
    erx_parameters_t checkpoint;
    erx_error_t error;
    erx_status_t status = erx_parameters_read(&checkpoint, data, size, &error);
    if (status != ERX_OK)
        check_error(status, &error);
    erx_parameters_close(&checkpoint);
    return 0;
}
