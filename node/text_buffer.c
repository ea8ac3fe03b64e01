#include "node/text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024u

void erx_text_open(erx_text_t *text_out, size_t limit)
{
    *text_out = (erx_text_t){.limit = limit};
}

void erx_text_close(erx_text_t *text)
{
    free(text->memory);
    *text = (erx_text_t){.limit = text->limit};
}

void erx_text_clear(erx_text_t *text)
{
    text->length = 0;
    text->overflowed = false;
}

static bool grow(erx_text_t *text, size_t needed)
{
    size_t capacity = text->capacity > 0 ? text->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    char *memory = realloc(text->memory, ERX_TEXT_HEADROOM + capacity);
    if (memory == NULL)
        return false;
    text->memory = memory;
    text->bytes = memory + ERX_TEXT_HEADROOM;
    text->capacity = capacity;
    return true;
}

char *erx_text_reserve(erx_text_t *text, size_t count)
{
    if (text->overflowed || count > text->limit - text->length) {
        text->overflowed = true;
        return NULL;
    }
    if (text->length + count > text->capacity && !grow(text, text->length + count)) {
        text->overflowed = true;
        return NULL;
    }
    if (text->bytes == NULL && !grow(text, 1)) {
        text->overflowed = true;
        return NULL;
    }
    return text->bytes + text->length;
}

void erx_text_append(erx_text_t *text, const void *bytes, size_t count)
{
    char *place = erx_text_reserve(text, count);
    if (place == NULL || count == 0)
        return;
    memcpy(place, bytes, count);
    text->length += count;
}

void erx_text_print(erx_text_t *text, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length < sizeof small) {
        erx_text_append(text, small, length < 0 ? 0 : (size_t)length);
        return;
    }
    char *place = erx_text_reserve(text, (size_t)length + 1);
    if (place == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(place, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}
