#include "engine/transaction/key.h"

#include "engine/transaction/base58.h"

#include <string.h>

ERX_STATIC_ASSERT(ERX_BASE58_LENGTH_MAX(ERX_KEY_BYTES) < ERX_KEY_TEXT_MAX,
                  "a key's text holds every key");

int erx_key_compare(const erx_key_t *a, const erx_key_t *b)
{
    return memcmp(a->bytes, b->bytes, ERX_KEY_BYTES);
}

bool erx_key_equals(const erx_key_t *a, const erx_key_t *b)
{
    return erx_key_compare(a, b) == 0;
}

void erx_key_text(const erx_key_t *key, char text_out[ERX_KEY_TEXT_MAX])
{
    (void)erx_base58_encode(key->bytes, ERX_KEY_BYTES, text_out, ERX_KEY_TEXT_MAX);
}

bool erx_key_parse(const char *text, erx_key_t *key_out)
{
    size_t length = strnlen(text, ERX_KEY_TEXT_MAX);
    return erx_base58_decode_exact(text, length, key_out->bytes, ERX_KEY_BYTES);
}
