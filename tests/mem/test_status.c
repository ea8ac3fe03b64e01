#include "mem/status.h"
#include "tests/mem/mem_suites.h"

#include <string.h>

START_TEST(test_every_status_has_a_text_of_its_own)
{
    static const erx_status_t statuses[] = {
        ERX_OK,         ERX_ERR_ARGUMENT, ERX_ERR_RANGE,   ERX_ERR_STATE,      ERX_ERR_NOT_FOUND,
        ERX_ERR_FULL,   ERX_ERR_IO,       ERX_ERR_MEMORY,  ERX_ERR_PERMISSION, ERX_ERR_UNSUPPORTED,
        ERX_ERR_FORMAT, ERX_ERR_HASH,     ERX_ERR_DIFFERS,
    };
    const char *unknown = erx_status_text(-1000);
    for (size_t i = 0; i < ERX_COUNT(statuses); i++) {
        ck_assert_str_ne(erx_status_text(statuses[i]), unknown);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(erx_status_text(statuses[i]), erx_status_text(statuses[j]));
    }
}
END_TEST

START_TEST(test_prefixes_stack_in_front)
{
    erx_error_t error;
    ck_assert_int_eq(erx_error_set(&error, ERX_ERR_RANGE, "%d is above %d", 9, 8), ERX_ERR_RANGE);
    ck_assert_int_eq(erx_error_prefix(&error, "heads[%d]", 3), ERX_ERR_RANGE);
    ck_assert_int_eq(erx_error_prefix(&error, "manifest.json"), ERX_ERR_RANGE);
    ck_assert_str_eq(error.text, "manifest.json: heads[3]: 9 is above 8");
    ck_assert_int_eq(error.status, ERX_ERR_RANGE);
}
END_TEST

START_TEST(test_long_texts_are_cut_and_keep_their_beginning)
{
    char text[2 * ERX_ERROR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    erx_error_t error;
    (void)erx_error_set(&error, ERX_ERR_FORMAT, "%s", text);
    ck_assert_uint_eq(strlen(error.text), ERX_ERROR_TEXT_MAX - 1);
    (void)erx_error_prefix(&error, "file");
    ck_assert_uint_eq(strlen(error.text), ERX_ERROR_TEXT_MAX - 1);
    ck_assert_int_eq(strncmp(error.text, "file: xxx", 9), 0);
    (void)erx_error_prefix(&error, "%s", text);
    ck_assert_uint_eq(strlen(error.text), ERX_ERROR_TEXT_MAX - 1);
    ck_assert_int_eq(strncmp(error.text, "xxxxxxxxx", 9), 0);
}
END_TEST

Suite *status_suite(void)
{
    Suite *suite = suite_create("status");
    TCase *tcase = tcase_create("status");
    tcase_add_test(tcase, test_every_status_has_a_text_of_its_own);
    tcase_add_test(tcase, test_prefixes_stack_in_front);
    tcase_add_test(tcase, test_long_texts_are_cut_and_keep_their_beginning);
    suite_add_tcase(suite, tcase);
    return suite;
}
