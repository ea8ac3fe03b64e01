#include "tests/tools/tools_suites.h"
#include "tools/options.h"

#include <string.h>

static erx_error_t error;

static void expect_number(const char *text, uint64_t least, uint64_t greatest, uint64_t expected)
{
    uint64_t value = ~expected;
    ck_assert_int_eq(erx_parse_unsigned(text, least, greatest, &value, &error), ERX_OK);
    ck_assert_uint_eq(value, expected);
}

static void expect_refused(const char *text, uint64_t least, uint64_t greatest)
{
    uint64_t value = 77;
    ck_assert_int_eq(erx_parse_unsigned(text, least, greatest, &value, &error), ERX_ERR_RANGE);
    ck_assert_uint_eq(value, 77);
}

START_TEST(test_whole_numbers_inside_their_range_are_read)
{
    expect_number("0", 0, 10, 0);
    expect_number("10", 0, 10, 10);
    expect_number("007", 0, 10, 7); /* decimal, not octal */
    expect_number("0xFf", 0, 255, 255);
    expect_number("18446744073709551615", 0, UINT64_MAX, UINT64_MAX);
}
END_TEST

START_TEST(test_what_is_no_whole_number_in_range_is_refused)
{
    static const char *const texts[] = {
        "", "11", "-1", "+1", " 1", "1 ", "1.0", "1e1", "0x", "ten", "18446744073709551616"};
    for (size_t i = 0; i < ERX_COUNT(texts); i++)
        expect_refused(texts[i], 0, 10);
    expect_refused("3", 4, 10);
    expect_refused("18446744073709551616", 0, UINT64_MAX);
}
END_TEST

START_TEST(test_message_tells_value_and_range)
{
    expect_refused("zero", 1, 4096);
    ck_assert_str_eq(error.text, "'zero' is not a whole number from 1 to 4096");
}
END_TEST

START_TEST(test_real_numbers)
{
    double value = 0;
    ck_assert_int_eq(erx_parse_real("59.94", 1, 1000, &value, &error), ERX_OK);
    ck_assert_double_eq(value, 59.94);
    ck_assert_int_eq(erx_parse_real("1e3", 1, 1000, &value, &error), ERX_OK);
    ck_assert_double_eq(value, 1000);
    static const char *const texts[] = {"", "nan", "inf", "0x10", "1001", "0.99", "1,5", "5s"};
    for (size_t i = 0; i < ERX_COUNT(texts); i++)
        ck_assert_int_eq(erx_parse_real(texts[i], 1, 1000, &value, &error), ERX_ERR_RANGE);
    ck_assert_double_eq(value, 1000);
}
END_TEST

START_TEST(test_choices)
{
    static const char *const words[] = {"none", "slice", "split", NULL};
    uint32_t value = 9;
    ck_assert_int_eq(erx_parse_choice("split", words, &value, &error), ERX_OK);
    ck_assert_uint_eq(value, 2);
    ck_assert_int_eq(erx_parse_choice("spli", words, &value, &error), ERX_ERR_ARGUMENT);
    ck_assert_str_eq(error.text, "'spli' is none of none, slice, split");
    ck_assert_uint_eq(value, 2);
}
END_TEST

Suite *options_suite(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("values");
    tcase_add_test(tcase, test_whole_numbers_inside_their_range_are_read);
    tcase_add_test(tcase, test_what_is_no_whole_number_in_range_is_refused);
    tcase_add_test(tcase, test_message_tells_value_and_range);
    tcase_add_test(tcase, test_real_numbers);
    tcase_add_test(tcase, test_choices);
    suite_add_tcase(suite, tcase);
    return suite;
}
