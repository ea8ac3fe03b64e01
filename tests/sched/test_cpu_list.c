#include "sched/cpu_list.h"
#include "tests/sched/sched_suites.h"

#include <stdio.h>
#include <string.h>

START_TEST(test_numbers_and_ranges)
{
    static const struct {
        const char *text;
        uint32_t count, first, last;
    } cases[] = {
        {"0", 1, 0, 0},       {"0-3,8", 5, 0, 8},      {"8,0-3", 5, 0, 8},        {"5-5", 1, 5, 5},
        {"1,1,1-2", 2, 1, 2}, {"1023", 1, 1023, 1023}, {"0-1023", 1024, 0, 1023}, {"007", 1, 7, 7},
    };
    for (size_t i = 0; i < ERX_COUNT(cases); i++) {
        bool listed[ERX_CPUS_MAX];
        erx_error_t error = {0};
        ck_assert_msg(erx_cpu_list_parse(cases[i].text, listed, &error) == ERX_OK, "%s",
                      error.text);
        uint32_t count = 0;
        uint32_t first = ERX_CPUS_MAX;
        uint32_t last = 0;
        for (uint32_t cpu = 0; cpu < ERX_CPUS_MAX; cpu++) {
            if (!listed[cpu])
                continue;
            count++;
            first = ERX_MIN(first, cpu);
            last = cpu;
        }
        ck_assert_uint_eq(count, cases[i].count);
        ck_assert_uint_eq(first, cases[i].first);
        ck_assert_uint_eq(last, cases[i].last);
    }
}
END_TEST

START_TEST(test_errors_name_the_place)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "character 1: a number is missing"},
        {"x", "character 1: a number is missing"},
        {"0,", "character 3: a number is missing"},
        {"0,,1", "character 3: a number is missing"},
        {"0-", "character 3: a number is missing"},
        {"-3", "character 1: a number is missing"},
        {"0 1", "character 2: a comma is missing"},
        {"0-1-2", "character 4: a comma is missing"},
        {"4-2", "character 3: a range ends before it begins"},
        {"1024", "character 1: processor numbers end at 1023"},
        {"0-99999999999999999999", "character 3: processor numbers end at 1023"},
    };
    for (size_t i = 0; i < ERX_COUNT(cases); i++) {
        bool listed[ERX_CPUS_MAX];
        erx_error_t error = {0};
        ck_assert_int_eq(erx_cpu_list_parse(cases[i].text, listed, &error), ERX_ERR_ARGUMENT);
        ck_assert_int_eq(error.status, ERX_ERR_ARGUMENT);
        ck_assert_msg(strstr(error.text, cases[i].reason) != NULL, "%s", error.text);
        char quoted[64];
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", cases[i].text);
        ck_assert_msg(strstr(error.text, quoted) != NULL, "%s", error.text);
    }
}
END_TEST

Suite *cpu_list_suite(void)
{
    Suite *suite = suite_create("cpu_list");
    TCase *tcase = tcase_create("cpu_list");
    tcase_add_test(tcase, test_numbers_and_ranges);
    tcase_add_test(tcase, test_errors_name_the_place);
    suite_add_tcase(suite, tcase);
    return suite;
}
