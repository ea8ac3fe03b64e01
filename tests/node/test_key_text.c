/* Base58 of any length, against the fixed sizes that erx.h has. */
#include "node/key_text.h"
#include "tests/node/node_suites.h"
#include "tests/support/rng.h"

#include <string.h>

START_TEST(test_it_agrees_with_the_library)
{
    erx_rng_t rng = erx_rng_open(2);
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[64];
        size_t size = round % 2 == 0 ? 32 : 64;
        char expected[ERX_BASE58_SIZE];
        erx_rng_fill(&rng, bytes, size);
        memset(bytes, 0, (size_t)(round % 5)); /* leading zeros are ones */
        ck_assert_int_eq(erx_base58_from_bytes(bytes, size, expected), ERX_STATUS_OK);
        erx_text_t text;
        erx_text_open(&text, 200);
        erx_json_writer_t writer = erx_json_writer(&text);
        erx_json_base58_long(&writer, bytes, size);
        ck_assert_uint_eq(text.length, strlen(expected) + 2);
        ck_assert_mem_eq(text.bytes + 1, expected, strlen(expected));
        uint8_t back[64];
        size_t count;
        ck_assert(erx_base58_long_read(expected, strlen(expected), back, size, &count));
        ck_assert_uint_eq(count, size);
        ck_assert_mem_eq(back, bytes, size);
        ck_assert(!erx_base58_long_read(expected, strlen(expected), back, size - 1, &count));
        erx_text_close(&text);
    }
}
END_TEST

START_TEST(test_the_longest_packet_comes_back)
{
    static uint8_t bytes[ERX_PACKET_MAX], back[ERX_PACKET_MAX];
    erx_rng_t rng = erx_rng_open(3);
    erx_rng_fill(&rng, bytes, sizeof bytes);
    erx_text_t text;
    erx_text_open(&text, 4000);
    erx_json_writer_t writer = erx_json_writer(&text);
    erx_json_base58_long(&writer, bytes, sizeof bytes);
    size_t count;
    ck_assert(erx_base58_long_read(text.bytes + 1, text.length - 2, back, sizeof back, &count));
    ck_assert_uint_eq(count, sizeof bytes);
    ck_assert_mem_eq(back, bytes, sizeof bytes);
    erx_text_close(&text);
}
END_TEST

START_TEST(test_other_characters_are_refused)
{
    static const char *const wrong[] = {"0", "O", "I", "l", "a b", "1\xff"};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(wrong); i++) {
        uint8_t bytes[16];
        size_t count;
        ck_assert(!erx_base58_long_read(wrong[i], strlen(wrong[i]), bytes, sizeof bytes, &count));
    }
}
END_TEST

Suite *key_text_suite(void)
{
    Suite *suite = suite_create("key_text");
    TCase *tests = tcase_create("key_text");
    tcase_add_test(tests, test_it_agrees_with_the_library);
    tcase_add_test(tests, test_the_longest_packet_comes_back);
    tcase_add_test(tests, test_other_characters_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
