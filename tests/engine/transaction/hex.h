/* Bytes of test vectors. */
#ifndef ERX_TESTS_ENGINE_TRANSACTION_HEX_H
#define ERX_TESTS_ENGINE_TRANSACTION_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Reads pairs of hexadecimal digits; returns the number of bytes, at most
 * capacity (asserted). */
size_t erx_hex_read(const char *text, uint8_t *bytes_out, size_t capacity);

#endif
