#include "engine/transaction/base58.h"
#include "tests/engine/transaction/hex.h"
#include "tests/engine/transaction/transaction_suites.h"
#include "tests/support/rng.h"

#include <string.h>

#define TEXT_BYTES (ERX_BASE58_LENGTH_MAX(ERX_BASE58_BYTES_MAX) + 1)

typedef struct {
    const char *hex;
    const char *text;
} vector_t;

static const vector_t vectors[] = {
    {"", ""},
    {"00", "1"},
    {"0000", "11"},
    {"61", "2g"},
    {"626262", "a3gV"},
    {"636363", "aPEr"},
    {"73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"},
    {"00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"},
    {"516b6fcd0f", "ABnLTmg"},
    {"bf4f89001e670274dd", "3SEo3LWLoPntC"},
    {"ecac89cad93923c02321", "EJDM8drfXA6uyA"},
    {"00000000000000000000", "1111111111"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG"},
    {"0000000000000000000000000000000000000000000000000000000000000001",
     "11111111111111111111111111111112"},
    {"0100000000000000000000000000000000000000000000000000000000000000",
     "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM"},
};

START_TEST(test_known_values_both_ways)
{
    const vector_t *vector = &vectors[_i];
    uint8_t data[64], decoded[64];
    char text[TEXT_BYTES];
    size_t size = erx_hex_read(vector->hex, data, sizeof data);
    ck_assert_uint_eq(erx_base58_encode(data, size, text, sizeof text), strlen(vector->text));
    ck_assert_str_eq(text, vector->text);
    size_t decoded_size = 99;
    ck_assert(erx_base58_decode(text, strlen(text), decoded, sizeof decoded, &decoded_size));
    ck_assert_uint_eq(decoded_size, size);
    ck_assert_mem_eq(decoded, data, size);
}
END_TEST

/* Every size, random bytes with runs of zeros in front. */
START_TEST(test_every_size_comes_back)
{
    erx_rng_t rng = erx_rng_open(58);
    uint8_t data[ERX_BASE58_BYTES_MAX], decoded[ERX_BASE58_BYTES_MAX];
    char text[TEXT_BYTES];
    for (size_t size = 0; size <= ERX_BASE58_BYTES_MAX; size += size < 150 ? 1 : 61) {
        erx_rng_fill(&rng, data, size);
        memset(data, 0, (size_t)erx_rng_range(&rng, 0, (int64_t)ERX_MIN(size, 5)));
        size_t length = erx_base58_encode(data, size, text, ERX_BASE58_LENGTH_MAX(size) + 1);
        size_t decoded_size = 0;
        ck_assert(erx_base58_decode(text, length, decoded, size, &decoded_size));
        ck_assert_uint_eq(decoded_size, size);
        ck_assert_mem_eq(decoded, data, size);
        if (size > 0)
            ck_assert(!erx_base58_decode(text, length, decoded, size - 1, &decoded_size));
    }
}
END_TEST

START_TEST(test_largest_values_fill_their_length)
{
    uint8_t data[ERX_BASE58_BYTES_MAX];
    char text[TEXT_BYTES];
    memset(data, 0xff, sizeof data);
    for (size_t size = 0; size <= sizeof data; size++)
        ck_assert_uint_le(erx_base58_encode(data, size, text, ERX_BASE58_LENGTH_MAX(size) + 1),
                          ERX_BASE58_LENGTH_MAX(size));
}
END_TEST

START_TEST(test_foreign_characters_are_refused_everywhere)
{
    static const char good[] = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM";
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    char text[sizeof good];
    uint8_t data[32];
    size_t size;
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(text, good, sizeof good);
            text[at] = (char)c;
            bool is_digit = c != 0 && strchr(alphabet, c) != NULL;
            bool accepted = erx_base58_decode(text, sizeof good - 1, data, 32, &size);
            if (accepted && !is_digit)
                ck_abort_msg("character %d at %zu", c, at);
        }
    /* A terminator inside the length is a character too. */
    ck_assert(!erx_base58_decode("2g\0", 3, data, sizeof data, &size));
}
END_TEST

START_TEST(test_zeros_over_the_capacity_are_refused)
{
    uint8_t data[8];
    size_t size = 99;
    memset(data, 0xaa, sizeof data);
    for (size_t capacity = 0; capacity < 7; capacity++) {
        ck_assert(!erx_base58_decode("1111111", capacity + 1, data, capacity, &size));
        ck_assert(!erx_base58_decode("1111112", capacity + 1, data + capacity, 0, &size));
    }
    ck_assert_uint_eq(data[0], 0xaa); /* nothing was written */
    ck_assert_uint_eq(size, 99);
}
END_TEST

START_TEST(test_exact_sizes_only)
{
    uint8_t data[32];
    memset(data, 0xaa, sizeof data);
    ck_assert(!erx_base58_decode_exact("1111", 4, data, 3));
    ck_assert(!erx_base58_decode_exact("1111", 4, data, 5));
    ck_assert_uint_eq(data[0], 0xaa); /* nothing was written */
    ck_assert(erx_base58_decode_exact("1111", 4, data, 4));
    ck_assert_uint_eq(data[0] | data[1] | data[2] | data[3], 0);
    ck_assert_uint_eq(data[4], 0xaa);
}
END_TEST

START_TEST(test_endless_texts_are_refused)
{
    static char text[1 << 20];
    uint8_t data[ERX_BASE58_BYTES_MAX];
    size_t size;
    memset(text, 'z', sizeof text);
    ck_assert(!erx_base58_decode(text, sizeof text, data, sizeof data, &size));
    memset(text, '1', sizeof text);
    ck_assert(!erx_base58_decode(text, sizeof text, data, sizeof data, &size));
}
END_TEST

Suite *base58_suite(void)
{
    Suite *suite = suite_create("base58");
    TCase *tcase = tcase_create("base58");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_known_values_both_ways, 0, ERX_COUNT(vectors));
    tcase_add_test(tcase, test_every_size_comes_back);
    tcase_add_test(tcase, test_largest_values_fill_their_length);
    tcase_add_test(tcase, test_foreign_characters_are_refused_everywhere);
    tcase_add_test(tcase, test_zeros_over_the_capacity_are_refused);
    tcase_add_test(tcase, test_exact_sizes_only);
    tcase_add_test(tcase, test_endless_texts_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
