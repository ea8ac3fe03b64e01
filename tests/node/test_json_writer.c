#include "node/json_writer.h"
#include "tests/node/node_suites.h"

#include <string.h>

static void expect(const erx_text_t *text, const char *expected)
{
    ck_assert(!text->overflowed);
    ck_assert_uint_eq(text->length, strlen(expected));
    ck_assert_mem_eq(text->bytes, expected, text->length);
}

START_TEST(test_commas_stand_between_members)
{
    erx_text_t text;
    erx_text_open(&text, 1000);
    erx_json_writer_t writer = erx_json_writer(&text);
    erx_json_object_begin(&writer);
    erx_json_put_text(&writer, "a", "b");
    erx_json_key(&writer, "list");
    erx_json_array_begin(&writer);
    erx_json_unsigned(&writer, 1);
    erx_json_array_begin(&writer);
    erx_json_array_end(&writer);
    erx_json_object_begin(&writer);
    erx_json_object_end(&writer);
    erx_json_null(&writer);
    erx_json_array_end(&writer);
    erx_json_put_bool(&writer, "c", true);
    erx_json_object_end(&writer);
    expect(&text, "{\"a\":\"b\",\"list\":[1,[],{},null],\"c\":true}");
    erx_text_close(&text);
}
END_TEST

START_TEST(test_numbers_are_whole_and_exact)
{
    erx_text_t text;
    erx_text_open(&text, 1000);
    erx_json_writer_t writer = erx_json_writer(&text);
    erx_json_array_begin(&writer);
    erx_json_unsigned(&writer, UINT64_MAX);
    erx_json_unsigned(&writer, 0);
    erx_json_signed(&writer, INT64_MIN);
    erx_json_signed(&writer, -1);
    erx_json_signed(&writer, 7);
    erx_json_array_end(&writer);
    expect(&text, "[18446744073709551615,0,-9223372036854775808,-1,7]");
    erx_text_close(&text);
}
END_TEST

START_TEST(test_strings_are_escaped_and_mended)
{
    static const struct {
        const char *bytes;
        const char *expected;
    } cases[] = {
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\b\t\n\x0b\f\r\x01\x1f", "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xf0\x9f\x8e\xae", "\"\xf0\x9f\x8e\xae\""},
        {"\xc3", "\"\xef\xbf\xbd\""},                                 /* cut short */
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
        {"a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
    };
    for (size_t i = 0; i < ERX_ARRAY_COUNT(cases); i++) {
        erx_text_t text;
        erx_text_open(&text, 1000);
        erx_json_writer_t writer = erx_json_writer(&text);
        erx_json_text(&writer, cases[i].bytes);
        expect(&text, cases[i].expected);
        erx_text_close(&text);
    }
}
END_TEST

START_TEST(test_every_limit_is_kept)
{
    for (size_t limit = 0; limit < 60; limit++) {
        erx_text_t text;
        erx_text_open(&text, limit);
        erx_json_writer_t writer = erx_json_writer(&text);
        erx_json_object_begin(&writer);
        erx_json_put_text(&writer, "name", "a longer text");
        erx_json_put_unsigned(&writer, "number", 12345);
        erx_json_key(&writer, "bytes");
        erx_json_base64(&writer, (const uint8_t *)"abcdef", 6);
        erx_json_object_end(&writer);
        ck_assert_uint_le(text.length, limit);
        /* The last character needs room for base64's terminator before it. */
        ck_assert_int_eq(text.overflowed, limit < 58);
        erx_text_close(&text);
    }
}
END_TEST

START_TEST(test_depth_is_bounded)
{
    erx_text_t text;
    erx_text_open(&text, 1000);
    erx_json_writer_t writer = erx_json_writer(&text);
    for (uint32_t i = 0; i < ERX_JSON_DEPTH_MAX + 5; i++)
        erx_json_array_begin(&writer);
    ck_assert(text.overflowed);
    erx_text_close(&text);
}
END_TEST

START_TEST(test_printing_grows_the_buffer)
{
    erx_text_t text;
    erx_text_open(&text, 100000);
    for (int i = 0; i < 100; i++)
        erx_text_print(&text, "%0300d", i);
    ck_assert_uint_eq(text.length, 30000);
    ck_assert_int_eq(text.bytes[29999], '9');
    erx_text_close(&text);
}
END_TEST

Suite *json_writer_suite(void)
{
    Suite *suite = suite_create("json_writer");
    TCase *tests = tcase_create("json_writer");
    tcase_add_test(tests, test_commas_stand_between_members);
    tcase_add_test(tests, test_numbers_are_whole_and_exact);
    tcase_add_test(tests, test_strings_are_escaped_and_mended);
    tcase_add_test(tests, test_every_limit_is_kept);
    tcase_add_test(tests, test_depth_is_bounded);
    tcase_add_test(tests, test_printing_grows_the_buffer);
    suite_add_tcase(suite, tests);
    return suite;
}
