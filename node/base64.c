#include "node/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

/* OpenSSL counts in int; a multiple of 3 keeps the pieces' padding away. */
#define PIECE_BYTES ((size_t)3 << 20)

size_t erx_base64_length(size_t count)
{
    return (count + 2) / 3 * 4;
}

void erx_base64_encode(const uint8_t *bytes, size_t count, char *text_out)
{
    unsigned char *out = (unsigned char *)text_out;
    *out = '\0';
    while (count > 0) {
        size_t piece = ERX_LESSER(count, PIECE_BYTES);
        out += EVP_EncodeBlock(out, bytes, (int)piece);
        bytes += piece;
        count -= piece;
    }
}

static bool in_alphabet(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

bool erx_base64_decode(const char *text, size_t length, uint8_t *bytes_out, size_t capacity,
                       size_t *count_out)
{
    *count_out = 0;
    if (length == 0)
        return true;
    if (length % 4 != 0 || length > INT_MAX)
        return false;
    size_t padding = (size_t)(text[length - 1] == '=') + (size_t)(text[length - 2] == '=');
    for (size_t i = 0; i < length - padding; i++)
        if (!in_alphabet(text[i]))
            return false;
    size_t count = length / 4 * 3 - padding;
    if (count > capacity)
        return false;
    /* The last group goes aside: OpenSSL writes its padding out as zero bytes. */
    unsigned char last[4];
    size_t whole = length - 4;
    if (EVP_DecodeBlock(bytes_out, (const unsigned char *)text, (int)whole) < 0 ||
        EVP_DecodeBlock(last, (const unsigned char *)text + whole, 4) < 0)
        return false;
    memcpy(bytes_out + whole / 4 * 3, last, 3 - padding);
    *count_out = count;
    return true;
}
