#include "engine/sha256.h"

#include <openssl/evp.h>
#include <string.h>

erx_status_t erx_sha256(const erx_sha256_part_t *parts, size_t part_count,
                        uint8_t digest_out[ERX_SHA256_BYTES], erx_error_t *error)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; good && i < part_count; i++)
        good = EVP_DigestUpdate(context, parts[i].data, parts[i].bytes) == 1;
    good = good && EVP_DigestFinal_ex(context, digest_out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good ? ERX_OK
                : erx_error_set(error, ERX_ERR_MEMORY,
                                "SHA-256 failed: out of memory, or libcrypto lacks it");
}

void erx_sha256_text(const uint8_t digest[ERX_SHA256_BYTES], char text_out[ERX_SHA256_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < ERX_SHA256_BYTES; i++) {
        text_out[2 * i] = digits[digest[i] >> 4];
        text_out[2 * i + 1] = digits[digest[i] & 15];
    }
    text_out[ERX_SHA256_TEXT_MAX - 1] = '\0';
}

/* Value of a lower-case hexadecimal digit, 16 for anything else. */
static uint32_t digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (uint32_t)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (uint32_t)(digit - 'a') + 10;
    return 16;
}

bool erx_sha256_parse(const char *text, uint8_t digest_out[ERX_SHA256_BYTES])
{
    if (strlen(text) != ERX_SHA256_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < ERX_SHA256_BYTES; i++) {
        uint32_t high = digit_value(text[2 * i]);
        uint32_t low = digit_value(text[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        digest_out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
