#include "node/key_text.h"

#include <string.h>

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

#define DIGITS_MAX (ERX_BASE58_LONG_MAX * 138 / 100 + 2) /* log 256 / log 58 is less than 1.38 */

bool erx_key_read(const json_t *value, erx_pubkey_t *key_out)
{
    const char *text = json_string_value(value);
    return text != NULL &&
           erx_base58_to_bytes(text, key_out->bytes, ERX_PUBKEY_SIZE) == ERX_STATUS_OK;
}

bool erx_signature_read(const json_t *value, uint8_t signature_out[ERX_SIGNATURE_SIZE])
{
    const char *text = json_string_value(value);
    return text != NULL &&
           erx_base58_to_bytes(text, signature_out, ERX_SIGNATURE_SIZE) == ERX_STATUS_OK;
}

bool erx_is_base58(const char *text)
{
    return text[strspn(text, alphabet)] == '\0';
}

void erx_json_base58(erx_json_writer_t *writer, const uint8_t *bytes, size_t count)
{
    char text[ERX_BASE58_SIZE] = "";
    (void)erx_base58_from_bytes(bytes, count, text);
    erx_json_text(writer, text);
}

void erx_json_key_text(erx_json_writer_t *writer, const erx_pubkey_t *key)
{
    erx_json_base58(writer, key->bytes, sizeof key->bytes);
}

void erx_json_base58_long(erx_json_writer_t *writer, const uint8_t *bytes, size_t count)
{
    uint8_t digits[DIGITS_MAX]; /* least first */
    size_t digit_count = 0;
    size_t zeros = 0;
    while (zeros < count && bytes[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < count; i++) {
        uint32_t carry = bytes[i];
        for (size_t j = 0; j < digit_count; j++) {
            carry += (uint32_t)digits[j] << 8;
            digits[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58)
            digits[digit_count++] = (uint8_t)(carry % 58);
    }
    char text[DIGITS_MAX + ERX_BASE58_LONG_MAX];
    memset(text, '1', zeros);
    for (size_t j = 0; j < digit_count; j++)
        text[zeros + j] = alphabet[digits[digit_count - 1 - j]];
    erx_json_string(writer, text, zeros + digit_count);
}

bool erx_base58_long_read(const char *text, size_t length, uint8_t *bytes_out, size_t capacity,
                          size_t *count_out)
{
    size_t zeros = 0;
    while (zeros < length && text[zeros] == '1')
        zeros++;
    size_t count = 0; /* bytes, least first, in bytes_out */
    for (size_t i = zeros; i < length; i++) {
        const char *place = text[i] != '\0' ? strchr(alphabet, text[i]) : NULL;
        if (place == NULL)
            return false;
        uint32_t carry = (uint32_t)(place - alphabet);
        for (size_t j = 0; j < count; j++) {
            carry += (uint32_t)bytes_out[j] * 58;
            bytes_out[j] = (uint8_t)carry;
            carry >>= 8;
        }
        for (; carry > 0; carry >>= 8) {
            if (count == capacity)
                return false;
            bytes_out[count++] = (uint8_t)carry;
        }
    }
    if (zeros > capacity - count)
        return false;
    for (size_t j = 0; j < zeros; j++)
        bytes_out[count++] = 0;
    for (size_t j = 0; j < count / 2; j++) {
        uint8_t swapped = bytes_out[j];
        bytes_out[j] = bytes_out[count - 1 - j];
        bytes_out[count - 1 - j] = swapped;
    }
    *count_out = count;
    return true;
}
