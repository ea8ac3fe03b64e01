#include "node/json_reader.h"
#include "tests/node/node_suites.h"

#include <string.h>

static json_t *read_text(const char *text)
{
    erx_failure_t failure = {""};
    json_t *json = erx_json_read(text, strlen(text), &failure);
    ck_assert(json != NULL || failure.text[0] != '\0');
    return json;
}

START_TEST(test_every_unsigned_number_is_exact)
{
    static const uint64_t numbers[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(numbers); i++) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "{\"a\": [%llu, 18446744073709551615], \"b\": \"\\\"99\"}",
                       (unsigned long long)numbers[i]);
        json_t *json = read_text(text);
        uint64_t number = 7;
        ck_assert(erx_json_to_unsigned(json_array_get(json_object_get(json, "a"), 0), &number));
        ck_assert_uint_eq(number, numbers[i]);
        ck_assert(erx_json_to_unsigned(json_array_get(json_object_get(json, "a"), 1), &number));
        ck_assert_uint_eq(number, UINT64_MAX);
        ck_assert_str_eq(erx_json_member_text(json, "b"), "\"99");
        json_decref(json);
    }
}
END_TEST

START_TEST(test_what_is_no_unsigned_number_is_refused)
{
    static const char *const wrong[] = {
        "[-1]", "[1.5]", "[\"1\"]", "[null]", "[true]", "[{}]", "[18446744073709551616]"};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(wrong); i++) {
        json_t *json = read_text(wrong[i]);
        uint64_t number;
        ck_assert(!erx_json_to_unsigned(json_array_get(json, 0), &number));
        json_decref(json);
    }
}
END_TEST

START_TEST(test_ids_come_back_as_they_came)
{
    static const char *const ids[] = {
        "7",  "\"13\"", "\"a-b\\\"c\"",        "null",
        "-3", "0",      "9223372036854775807", "18446744073709551615"};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(ids); i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "{\"id\":%s}", ids[i]);
        json_t *json = read_text(text);
        erx_text_t out;
        erx_text_open(&out, 100);
        erx_json_writer_t writer = erx_json_writer(&out);
        erx_json_echo(&writer, json_object_get(json, "id"));
        ck_assert_uint_eq(out.length, strlen(ids[i]));
        ck_assert_mem_eq(out.bytes, ids[i], out.length);
        erx_text_close(&out);
        json_decref(json);
    }
}
END_TEST

START_TEST(test_broken_texts_are_refused)
{
    static const char *const broken[] = {"",        "{",          "[1,]", "{\"a\":}",
                                         "nul",     "[\"\xff\"]", "1 2",  "[99999999999999999999,",
                                         "\"\x01\""};
    for (size_t i = 0; i < ERX_ARRAY_COUNT(broken); i++)
        ck_assert_ptr_null(read_text(broken[i]));
}
END_TEST

Suite *json_reader_suite(void)
{
    Suite *suite = suite_create("json_reader");
    TCase *tests = tcase_create("json_reader");
    tcase_add_test(tests, test_every_unsigned_number_is_exact);
    tcase_add_test(tests, test_what_is_no_unsigned_number_is_refused);
    tcase_add_test(tests, test_ids_come_back_as_they_came);
    tcase_add_test(tests, test_broken_texts_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
