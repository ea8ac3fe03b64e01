#include "node/account_json.h"

#include "node/base64.h"
#include "node/json_reader.h"
#include "node/key_text.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* Sessions change sixty times a second: the fastest level. */
#define ZSTD_LEVEL 1

static const char *const encoding_names[] = {"base58", "base64", "base64+zstd"};

static const char *read_encoding(const json_t *options, erx_encoding_t *encoding_out)
{
    const char *name = erx_json_member_text(options, "encoding");
    if (name == NULL)
        return erx_json_member(options, "encoding") != NULL ? "encoding must be a string" : NULL;
    for (size_t i = 0; i < ERX_ARRAY_COUNT(encoding_names); i++) {
        if (strcmp(name, encoding_names[i]) == 0) {
            *encoding_out = (erx_encoding_t)i;
            return NULL;
        }
    }
    if (strcmp(name, "jsonParsed") == 0) {
        *encoding_out = ERX_ENCODING_BASE64;
        return NULL;
    }
    return strcmp(name, "binary") == 0
               ? NULL
               : "encoding must be base58, base64, base64+zstd or jsonParsed";
}

const char *erx_account_view_read(const json_t *options, erx_account_view_t *view_out)
{
    *view_out = (erx_account_view_t){.encoding = ERX_ENCODING_BASE58};
    const char *fault = read_encoding(options, &view_out->encoding);
    const json_t *slice = erx_json_member(options, "dataSlice");
    if (fault != NULL || slice == NULL)
        return fault;
    uint64_t offset, length;
    if (!erx_json_to_unsigned(json_object_get(slice, "offset"), &offset) ||
        !erx_json_to_unsigned(json_object_get(slice, "length"), &length))
        return "dataSlice needs offset and length";
    view_out->has_slice = true;
    view_out->slice_offset = (uint32_t)ERX_LESSER(offset, UINT32_MAX);
    view_out->slice_length = (uint32_t)ERX_LESSER(length, UINT32_MAX);
    return NULL;
}

static void write_zstd(erx_json_writer_t *writer, const uint8_t *data, size_t size)
{
    size_t bound = ZSTD_compressBound(size);
    uint8_t *packed = malloc(bound);
    size_t count =
        packed != NULL ? ZSTD_compress(packed, bound, data, size, ZSTD_LEVEL) : bound + 1;
    if (packed == NULL || ZSTD_isError(count))
        writer->text->overflowed = true;
    else
        erx_json_base64(writer, packed, count);
    free(packed);
}

bool erx_account_json(erx_json_writer_t *writer, const erx_account_t *account,
                      const erx_account_view_t *view)
{
    const uint8_t *data = account->data;
    uint32_t size = account->data_size;
    if (view->has_slice) {
        uint32_t offset = ERX_LESSER(view->slice_offset, size);
        data += offset;
        size = ERX_LESSER(view->slice_length, size - offset);
    }
    if (view->encoding == ERX_ENCODING_BASE58 && size > ERX_BASE58_DATA_MAX)
        return false;
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "lamports", account->lamports);
    erx_json_key(writer, "data");
    erx_json_array_begin(writer);
    if (view->encoding == ERX_ENCODING_BASE64)
        erx_json_base64(writer, data, size);
    else if (view->encoding == ERX_ENCODING_BASE64_ZSTD)
        write_zstd(writer, data, size);
    else
        erx_json_base58_long(writer, data, size);
    erx_json_text(writer, encoding_names[view->encoding]);
    erx_json_array_end(writer);
    erx_json_key(writer, "owner");
    erx_json_key_text(writer, &account->owner);
    erx_json_put_bool(writer, "executable", account->executable);
    erx_json_put_unsigned(writer, "rentEpoch", UINT64_MAX); /* exempt, as in Solana */
    erx_json_put_unsigned(writer, "space", account->data_size);
    erx_json_object_end(writer);
    return true;
}
