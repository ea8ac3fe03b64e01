#include "engine/transaction/base58.h"

#include "mem/assert.h"

#include <string.h>

/* Numbers are kept in limbs, the lowest first. Five digits at a time fit 32
 * bits, and a product of limbs fits 64. */
#define DIGITS_A_GROUP 5u
#define GROUP_BASE     656356768u /* 58 to the power of DIGITS_A_GROUP */
#define GROUPS_MAX     (ERX_BASE58_LENGTH_MAX(ERX_BASE58_BYTES_MAX) / DIGITS_A_GROUP + 1)
#define WORDS_MAX      (ERX_BASE58_BYTES_MAX / sizeof(uint32_t) + 1)
#define NOT_A_DIGIT    UINT32_MAX
#define BASE           58u

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* A number of limbs in use, below some base. */
typedef struct {
    uint32_t *limbs;
    size_t count;
    size_t capacity;
} number_t;

/* number = number * factor + addend, in limbs below base. False
 * where it needs more limbs than there are. */
static bool multiply_add(number_t *number, uint64_t base, uint64_t factor, uint64_t addend)
{
    for (size_t i = 0; i < number->count; i++) {
        addend += number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)(addend % base);
        addend /= base;
    }
    for (; addend > 0; addend /= base) {
        if (number->count == number->capacity)
            return false;
        number->limbs[number->count++] = (uint32_t)(addend % base);
    }
    return true;
}

static size_t leading(const char *bytes, size_t count, char value)
{
    size_t i = 0;
    while (i < count && bytes[i] == value)
        i++;
    return i;
}

size_t erx_base58_encode(const void *data, size_t bytes, char *text_out, size_t text_capacity)
{
    ERX_ASSERT(bytes <= ERX_BASE58_BYTES_MAX && text_capacity > ERX_BASE58_LENGTH_MAX(bytes));
    const uint8_t *from = data;
    size_t zeros = leading(data, bytes, '\0');
    uint32_t groups[GROUPS_MAX];
    number_t number = {.limbs = groups, .capacity = GROUPS_MAX};
    for (size_t i = zeros; i < bytes;) {
        uint32_t word = 0;
        /* The rest after the first word is a whole number of words. */
        size_t end = i + ((bytes - i) % sizeof word == 0 ? sizeof word : (bytes - i) % sizeof word);
        uint64_t factor = UINT64_C(1) << 8 * (end - i);
        for (; i < end; i++)
            word = word << 8 | from[i];
        ERX_ASSERT(multiply_add(&number, GROUP_BASE, factor, word));
    }
    char digits[GROUPS_MAX * DIGITS_A_GROUP];
    size_t count = 0;
    for (size_t i = 0; i < number.count; i++)
        for (uint32_t k = 0; k < DIGITS_A_GROUP; k++, groups[i] /= BASE)
            digits[count++] = alphabet[groups[i] % BASE];
    while (count > 0 && digits[count - 1] == alphabet[0])
        count--;
    memset(text_out, alphabet[0], zeros);
    size_t length = zeros;
    while (count > 0)
        text_out[length++] = digits[--count];
    text_out[length] = '\0';
    return length;
}

static uint32_t digit_value(char digit)
{
    const char *place = digit == '\0' ? NULL : strchr(alphabet, digit);
    return place == NULL ? NOT_A_DIGIT : (uint32_t)(place - alphabet);
}

/* Reads digits into number; false where one is none, or the number too large. */
static bool read_digits(const char *text, size_t length, number_t *number)
{
    for (size_t i = 0; i < length;) {
        size_t end = ERX_MIN(length, i + DIGITS_A_GROUP);
        uint64_t factor = 1;
        uint64_t group = 0;
        for (; i < end; i++, factor *= BASE) {
            uint32_t digit = digit_value(text[i]);
            if (digit == NOT_A_DIGIT)
                return false;
            group = group * BASE + digit;
        }
        if (!multiply_add(number, UINT64_C(1) << 32, factor, group))
            return false;
    }
    return true;
}

bool erx_base58_decode(const char *text, size_t length, void *data_out, size_t capacity,
                       size_t *bytes_out)
{
    ERX_ASSERT(capacity <= ERX_BASE58_BYTES_MAX);
    size_t zeros = leading(text, length, alphabet[0]);
    if (zeros > capacity)
        return false;
    uint32_t words[WORDS_MAX];
    number_t number = {.limbs = words, .capacity = (capacity - zeros) / sizeof words[0] + 1};
    if (!read_digits(text + zeros, length - zeros, &number))
        return false;
    size_t value_bytes = number.count * sizeof words[0];
    while (value_bytes > 0 && (words[(value_bytes - 1) / 4] >> 8 * ((value_bytes - 1) % 4)) == 0)
        value_bytes--;
    if (value_bytes > capacity - zeros)
        return false;
    uint8_t *to = data_out;
    memset(to, 0, zeros);
    for (size_t i = 0; i < value_bytes; i++)
        to[zeros + value_bytes - 1 - i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    *bytes_out = zeros + value_bytes;
    return true;
}

bool erx_base58_decode_exact(const char *text, size_t length, void *data_out, size_t bytes)
{
    uint8_t data[ERX_BASE58_BYTES_MAX];
    size_t decoded;
    if (!erx_base58_decode(text, length, data, bytes, &decoded) || decoded != bytes)
        return false;
    memcpy(data_out, data, bytes);
    return true;
}
