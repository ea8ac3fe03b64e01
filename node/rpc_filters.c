/* Filters of accounts: their size, or bytes at an offset. */
#include "node/rpc_parts.h"

#include "node/base64.h"

#include <string.h>

/* Bytes as a list of numbers. */
static bool read_list(const json_t *list, uint8_t *bytes, size_t *size_out)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        uint64_t byte;
        if (i >= ERX_RPC_FILTER_BYTES_MAX ||
            !erx_json_to_unsigned(json_array_get(list, i), &byte) || byte > UINT8_MAX)
            return false;
        bytes[i] = (uint8_t)byte;
    }
    *size_out = count;
    return true;
}

static const char *read_memcmp(const json_t *memcmp_filter, uint8_t *bytes,
                               erx_account_filter_t *filter_out)
{
    uint64_t offset;
    const json_t *value = json_object_get(memcmp_filter, "bytes");
    const char *text = json_string_value(value);
    const char *encoding = erx_json_member_text(memcmp_filter, "encoding");
    if (!erx_json_to_unsigned(json_object_get(memcmp_filter, "offset"), &offset) ||
        offset > UINT32_MAX)
        return "memcmp needs an offset";
    if (text == NULL && !json_is_array(value))
        return "memcmp needs bytes as text, or a list of them";
    size_t size = 0;
    bool is_read;
    if (text == NULL)
        is_read = read_list(value, bytes, &size);
    else if (encoding == NULL || strcmp(encoding, "base58") == 0)
        is_read = erx_base58_long_read(text, json_string_length(value), bytes,
                                       ERX_RPC_FILTER_BYTES_MAX, &size);
    else if (strcmp(encoding, "base64") == 0)
        is_read = erx_base64_decode(text, json_string_length(value), bytes,
                                    ERX_RPC_FILTER_BYTES_MAX, &size);
    else
        return "memcmp's encoding must be base58 or base64";
    if (!is_read)
        return "memcmp's bytes are not of their encoding, or more than 128";
    *filter_out = (erx_account_filter_t){(uint32_t)offset, bytes, (uint32_t)size};
    return NULL;
}

const char *erx_rpc_filters_read(const json_t *options, erx_rpc_filters_t *filters_out)
{
    filters_out->count = 0;
    const json_t *list = erx_json_member(options, "filters");
    if (list == NULL)
        return NULL;
    if (!json_is_array(list))
        return "filters must be an array";
    if (json_array_size(list) > ERX_RPC_FILTERS_MAX)
        return "there may be at most 4 filters";
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *filter = json_array_get(list, i);
        const json_t *size = json_object_get(filter, "dataSize");
        const json_t *bytes = json_object_get(filter, "memcmp");
        uint64_t wanted;
        const char *fault = NULL;
        if (size != NULL && erx_json_to_unsigned(size, &wanted) && wanted <= UINT32_MAX)
            filters_out->filters[i] = (erx_account_filter_t){0, NULL, (uint32_t)wanted};
        else if (bytes != NULL)
            fault = read_memcmp(bytes, filters_out->bytes[i], &filters_out->filters[i]);
        else
            fault = "a filter is {dataSize} or {memcmp}";
        if (fault != NULL)
            return fault;
    }
    filters_out->count = (uint32_t)json_array_size(list);
    return NULL;
}
