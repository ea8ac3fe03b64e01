#include "tests/tools/tools_suites.h"
#include "tools/command.h"

static int run_nothing(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return ERX_EXIT_OK;
}

static const erx_command_t commands[] = {
    {"A", "inspect", "", run_nothing},
    {"A", "trace", "", run_nothing},
    {"B", "cu", "", run_nothing},
};

static const char *suggestion(const char *name)
{
    return erx_command_suggest(commands, ERX_COUNT(commands), name);
}

START_TEST(test_near_names_are_suggested)
{
    ck_assert_str_eq(suggestion("trac"), "trace");
    ck_assert_str_eq(suggestion("traces"), "trace");
    ck_assert_str_eq(suggestion("tarce"), "trace");
    ck_assert_str_eq(suggestion("inspekt"), "inspect");
    ck_assert_str_eq(suggestion("ci"), "cu");
}
END_TEST

START_TEST(test_far_names_are_not)
{
    ck_assert_ptr_null(suggestion(""));
    ck_assert_ptr_null(suggestion("xy")); /* every letter of "cu" would change */
    ck_assert_ptr_null(suggestion("quantize"));
    ck_assert_ptr_null(suggestion("a word that is longer than any name of a command is"));
}
END_TEST

Suite *command_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = tcase_create("suggestions");
    tcase_add_test(tcase, test_near_names_are_suggested);
    tcase_add_test(tcase, test_far_names_are_not);
    suite_add_tcase(suite, tcase);
    return suite;
}
