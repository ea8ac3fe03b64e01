#include "node/json_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* First character of a string that stands for a number beyond int64. No text of
 * a client means anything with it. */
#define NUMBER_MARK       '\x01'
#define NUMBER_MARK_TEXT  "\"\\u0001"
#define DIGITS_OF_INT64   19u
#define GROWTH_PER_NUMBER 8u /* mark and quotes, for a number of 19 digits or more */

/* Length of the string literal at the front, its quotes included. */
static size_t literal_length(const char *text, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"')
            return i + 1;
    }
    return count;
}

static size_t digits_length(const char *text, size_t count)
{
    size_t i = 0;
    while (i < count && isdigit((unsigned char)text[i]))
        i++;
    return i;
}

/* Copies the text, every long whole number without a sign made a marked string. */
static bool mark_long_numbers(const char *text, size_t count, erx_text_t *copy)
{
    size_t i = 0;
    while (i < count) {
        size_t length = text[i] == '"' ? literal_length(text + i, count - i)
                                       : digits_length(text + i, count - i);
        length = ERX_LESSER(length, count - i);
        char after = i + length < count ? text[i + length] : ' ';
        char before = i > 0 ? text[i - 1] : ' ';
        bool is_long = text[i] != '"' && length >= DIGITS_OF_INT64 &&
                       strchr(".eE", after) == NULL && strchr(".eE+-", before) == NULL;
        if (is_long)
            erx_text_append(copy, NUMBER_MARK_TEXT, sizeof NUMBER_MARK_TEXT - 1);
        erx_text_append(copy, text + i, length > 0 ? length : 1);
        if (is_long)
            erx_text_append(copy, "\"", 1);
        i += length > 0 ? length : 1;
    }
    return !copy->overflowed;
}

json_t *erx_json_read(const char *bytes, size_t count, erx_failure_t *failure)
{
    json_error_t error;
    json_t *value = json_loadb(bytes, count, JSON_DECODE_ANY, &error);
    if (value == NULL && json_error_code(&error) == json_error_numeric_overflow) {
        erx_text_t copy;
        erx_text_open(&copy, count + (count / DIGITS_OF_INT64 + 1) * GROWTH_PER_NUMBER);
        if (mark_long_numbers(bytes, count, &copy))
            value = json_loadb(copy.bytes, copy.length, JSON_DECODE_ANY, &error);
        erx_text_close(&copy);
    }
    if (value == NULL)
        (void)erx_failure_set(failure, "%s at line %d column %d", error.text, error.line,
                              error.column);
    return value;
}

/* The digits of a marked string; NULL for every other value. */
static const char *marked_digits(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && text[0] == NUMBER_MARK ? text + 1 : NULL;
}

bool erx_json_to_unsigned(const json_t *value, uint64_t *number_out)
{
    if (json_is_integer(value)) {
        if (json_integer_value(value) < 0)
            return false;
        *number_out = (uint64_t)json_integer_value(value);
        return true;
    }
    const char *digits = marked_digits(value);
    if (digits == NULL || digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    *number_out = strtoull(digits, NULL, 10);
    return errno == 0;
}

void erx_json_echo(erx_json_writer_t *writer, const json_t *id)
{
    const char *digits = marked_digits(id);
    if (digits != NULL && digits[strspn(digits, "0123456789")] == '\0' && digits[0] != '\0') {
        erx_json_raw(writer, digits, strlen(digits));
    } else if (json_is_string(id)) {
        erx_json_string(writer, json_string_value(id), json_string_length(id));
    } else if (json_is_integer(id)) {
        erx_json_signed(writer, json_integer_value(id));
    } else if (json_is_real(id)) {
        char number[32];
        size_t length = json_dumpb(id, number, sizeof number, JSON_ENCODE_ANY);
        erx_json_raw(writer, number, ERX_LESSER(length, sizeof number));
    } else {
        erx_json_null(writer);
    }
}

json_t *erx_json_member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

const char *erx_json_member_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}
