#include "node/json_writer.h"

#include "node/base64.h"

#include <string.h>

#define DECIMAL_MAX 20u /* digits of 2^64 */

erx_json_writer_t erx_json_writer(erx_text_t *text)
{
    return (erx_json_writer_t){.text = text};
}

/* The comma before a value or name, where one is due. */
static void separate(erx_json_writer_t *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    uint32_t bit = UINT32_C(1) << writer->depth;
    if (writer->has_member & bit)
        erx_text_append(writer->text, ",", 1);
    writer->has_member |= bit;
}

static void open_level(erx_json_writer_t *writer, const char *bracket)
{
    separate(writer);
    erx_text_append(writer->text, bracket, 1);
    if (writer->depth + 1u >= ERX_JSON_DEPTH_MAX) {
        writer->text->overflowed = true;
        return;
    }
    writer->depth++;
    writer->has_member &= ~(UINT32_C(1) << writer->depth);
}

static void close_level(erx_json_writer_t *writer, const char *bracket)
{
    if (writer->depth > 0)
        writer->depth--;
    erx_text_append(writer->text, bracket, 1);
}

void erx_json_object_begin(erx_json_writer_t *writer)
{
    open_level(writer, "{");
}

void erx_json_object_end(erx_json_writer_t *writer)
{
    close_level(writer, "}");
}

void erx_json_array_begin(erx_json_writer_t *writer)
{
    open_level(writer, "[");
}

void erx_json_array_end(erx_json_writer_t *writer)
{
    close_level(writer, "]");
}

void erx_json_key(erx_json_writer_t *writer, const char *name)
{
    separate(writer);
    size_t length = strlen(name);
    char *place = erx_text_reserve(writer->text, length + 3);
    writer->after_key = true;
    if (place == NULL)
        return;
    place[0] = '"';
    memcpy(place + 1, name, length);
    memcpy(place + 1 + length, "\":", 2);
    writer->text->length += length + 3;
}

/* Bytes of the UTF-8 character at the front of bytes; 0 where there is none. */
static size_t character_length(const uint8_t *bytes, size_t count)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 && first < 0xf5   ? 4
                    : first >= 0xe0 && first < 0xf0 ? 3
                    : first >= 0xc2 && first < 0xe0 ? 2
                                                    : 0;
    if (length == 0 || length > count)
        return 0;
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = value >= 0xd800 && value < 0xe000;
    return value < least[length] || value > 0x10ffff || surrogate ? 0 : length;
}

static void append_escaped(erx_text_t *text, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_names[] = "btn?fr";
    if (byte == '"' || byte == '\\') {
        erx_text_append(text, (char[]){'\\', (char)byte}, 2);
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        erx_text_append(text, (char[]){'\\', short_names[byte - 0x08]}, 2);
    } else {
        erx_text_append(text, (char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]},
                        6);
    }
}

void erx_json_string(erx_json_writer_t *writer, const char *bytes, size_t count)
{
    separate(writer);
    erx_text_append(writer->text, "\"", 1);
    const uint8_t *at = (const uint8_t *)bytes;
    size_t plain = 0; /* bytes in front of i that need no escape */
    size_t i = 0;
    while (i < count) {
        size_t length = character_length(at + i, count - i);
        bool escaped = length == 1 && (at[i] < 0x20 || at[i] == '"' || at[i] == '\\');
        if (length > 0 && !escaped) {
            plain += length;
            i += length;
            continue;
        }
        erx_text_append(writer->text, at + i - plain, plain);
        plain = 0;
        if (escaped)
            append_escaped(writer->text, at[i]);
        else
            erx_text_append(writer->text, "\xef\xbf\xbd", 3);
        i++;
    }
    erx_text_append(writer->text, at + i - plain, plain);
    erx_text_append(writer->text, "\"", 1);
}

void erx_json_text(erx_json_writer_t *writer, const char *terminated)
{
    erx_json_string(writer, terminated, strlen(terminated));
}

void erx_json_unsigned(erx_json_writer_t *writer, uint64_t value)
{
    separate(writer);
    char digits[DECIMAL_MAX];
    size_t begin = DECIMAL_MAX;
    do {
        digits[--begin] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    erx_text_append(writer->text, digits + begin, DECIMAL_MAX - begin);
}

void erx_json_signed(erx_json_writer_t *writer, int64_t value)
{
    if (value >= 0) {
        erx_json_unsigned(writer, (uint64_t)value);
        return;
    }
    separate(writer);
    erx_text_append(writer->text, "-", 1);
    writer->after_key = true; /* the digits belong to the sign */
    erx_json_unsigned(writer, UINT64_C(0) - (uint64_t)value);
}

void erx_json_bool(erx_json_writer_t *writer, bool value)
{
    erx_json_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void erx_json_null(erx_json_writer_t *writer)
{
    erx_json_raw(writer, "null", 4);
}

void erx_json_raw(erx_json_writer_t *writer, const char *bytes, size_t count)
{
    separate(writer);
    erx_text_append(writer->text, bytes, count);
}

void erx_json_base64(erx_json_writer_t *writer, const uint8_t *bytes, size_t count)
{
    separate(writer);
    erx_text_append(writer->text, "\"", 1);
    size_t length = erx_base64_length(count);
    char *place = erx_text_reserve(writer->text, length + 1);
    if (place == NULL)
        return;
    erx_base64_encode(bytes, count, place);
    writer->text->length += length;
    erx_text_append(writer->text, "\"", 1);
}

void erx_json_put_text(erx_json_writer_t *writer, const char *name, const char *terminated)
{
    erx_json_key(writer, name);
    erx_json_text(writer, terminated);
}

void erx_json_put_unsigned(erx_json_writer_t *writer, const char *name, uint64_t value)
{
    erx_json_key(writer, name);
    erx_json_unsigned(writer, value);
}

void erx_json_put_signed(erx_json_writer_t *writer, const char *name, int64_t value)
{
    erx_json_key(writer, name);
    erx_json_signed(writer, value);
}

void erx_json_put_bool(erx_json_writer_t *writer, const char *name, bool value)
{
    erx_json_key(writer, name);
    erx_json_bool(writer, value);
}

void erx_json_put_null(erx_json_writer_t *writer, const char *name)
{
    erx_json_key(writer, name);
    erx_json_null(writer);
}
