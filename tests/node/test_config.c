#include "node/config_table.h"
#include "tests/node/node_suites.h"
#include "tests/support/file.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>

static char directory[ERX_SCRATCH_PATH_MAX];

static void make_directory(void)
{
    erx_scratch_make(directory);
}

static void remove_directory(void)
{
    erx_scratch_remove(directory);
}

static const char *write_file(const char *text)
{
    const char *path = erx_scratch_file(directory, "settings");
    erx_file_write(path, text, strlen(text));
    return path;
}

START_TEST(test_the_printed_file_reads_as_it_was_printed)
{
    erx_config_t config, again;
    erx_failure_t failure;
    erx_config_defaults(&config);
    ck_assert(erx_config_set(&config, "tick_rate", "60000/1001", &failure));
    ck_assert(erx_config_set(&config, "status_line", "no", &failure));
    ck_assert(erx_config_set(&config, "airdrop_lamports_max", "18446744073709551615", &failure));
    const char *path = erx_scratch_file(directory, "printed");
    FILE *file = fopen(path, "w");
    erx_config_print(&config, file);
    ck_assert_int_eq(fclose(file), 0);
    erx_config_defaults(&again);
    ck_assert_msg(erx_config_read(&again, path, &failure), "%s", failure.text);
    ck_assert_mem_eq(&again, &config, sizeof config);
}
END_TEST

START_TEST(test_every_setting_is_checked_at_its_ends)
{
    erx_config_t config;
    erx_failure_t failure;
    for (size_t i = 0; i < erx_setting_count; i++) {
        const erx_setting_t *setting = &erx_settings[i];
        erx_config_defaults(&config);
        if (setting->kind == ERX_SETTING_TEXT)
            continue;
        ck_assert(!erx_config_set(&config, setting->name, "x", &failure));
        ck_assert_ptr_nonnull(strstr(failure.text, setting->name));
        ck_assert(!erx_config_set(&config, setting->name, "", &failure));
        ck_assert(!erx_config_set(&config, setting->name, "-1", &failure));
        if (setting->kind != ERX_SETTING_UNSIGNED32)
            continue;
        char text[32];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)setting->greatest);
        ck_assert(erx_config_set(&config, setting->name, text, &failure));
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)setting->greatest + 1);
        ck_assert(!erx_config_set(&config, setting->name, text, &failure));
        if (setting->least == 0)
            continue;
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)setting->least - 1);
        ck_assert(!erx_config_set(&config, setting->name, text, &failure));
    }
}
END_TEST

START_TEST(test_faults_name_file_and_line)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"# fine\nbots = 3\nbot = 4\n", "settings:3: 'bot' is no setting"},
        {"bots = 3\nbots = 4\n", "settings:2: bots is set a second time"},
        {"bots\n", "settings:1: 'bots' is not of the form name = value"},
        {"\n\ntick_rate = 60/0\n", "settings:3: tick_rate"},
        {"log_level = loud\n", "none of error, warning, info, debug"},
    };
    for (size_t i = 0; i < ERX_ARRAY_COUNT(cases); i++) {
        erx_config_t config;
        erx_failure_t failure = {""};
        erx_config_defaults(&config);
        ck_assert(!erx_config_read(&config, write_file(cases[i].text), &failure));
        ck_assert_msg(strstr(failure.text, cases[i].expected) != NULL, "%s", failure.text);
    }
}
END_TEST

START_TEST(test_a_missing_file_and_a_long_line)
{
    erx_config_t config;
    erx_failure_t failure;
    char line[3000];
    erx_config_defaults(&config);
    ck_assert(!erx_config_read(&config, erx_scratch_file(directory, "absent"), &failure));
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    ck_assert(!erx_config_read(&config, write_file(line), &failure));
    ck_assert_ptr_nonnull(strstr(failure.text, "settings:1: a line of more than"));
}
END_TEST

START_TEST(test_addresses)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
    } good[] = {{"127.0.0.1:8899", "127.0.0.1", 8899}, {"[::1]:1", "::1", 1}, {"a.b:0", "a.b", 0}};
    static const char *const wrong[] = {"", "8899", ":8899", "a:", "a:65535", "a:x", "a:-1"};
    char host[ERX_CONFIG_TEXT_MAX];
    uint16_t port;
    erx_failure_t failure;
    for (size_t i = 0; i < ERX_ARRAY_COUNT(good); i++) {
        ck_assert(erx_config_address(good[i].text, host, &port, &failure));
        ck_assert_str_eq(host, good[i].host);
        ck_assert_uint_eq(port, good[i].port);
    }
    for (size_t i = 0; i < ERX_ARRAY_COUNT(wrong); i++)
        ck_assert_msg(!erx_config_address(wrong[i], host, &port, &failure), "%s", wrong[i]);
}
END_TEST

START_TEST(test_the_crank_is_not_faster_than_its_shortest_interval)
{
    static const struct {
        const char *rate, *interval;
        bool is_fine;
    } cases[] = {
        {"60", "10", true},
        {"100", "10", true},
        {"101", "10", false},
        {"100001/1000", "10", false},
        {"60", "16", true},
        {"60", "17", false},
        {"60000/1001", "17", false},
        {"1", "1000", true},
        {"1", "1001", false},
        {"1000", "1", true},
        {"4294967295/4294968", "1", true},
    };
    for (size_t i = 0; i < ERX_ARRAY_COUNT(cases); i++) {
        erx_config_t config;
        erx_failure_t failure = {""};
        erx_config_defaults(&config);
        ck_assert(erx_config_set(&config, "tick_rate", cases[i].rate, &failure));
        ck_assert(erx_config_set(&config, "task_interval_min_ms", cases[i].interval, &failure));
        ck_assert_msg(erx_config_check(&config, &failure) == cases[i].is_fine, "%s a second, %s ms",
                      cases[i].rate, cases[i].interval);
        ck_assert(cases[i].is_fine || (strstr(failure.text, "tick_rate") != NULL &&
                                       strstr(failure.text, "task_interval_min_ms") != NULL));
    }
}
END_TEST

START_TEST(test_defaults_go_together)
{
    erx_config_t config;
    erx_failure_t failure;
    erx_config_defaults(&config);
    ck_assert(erx_config_check(&config, &failure));
    ck_assert(config.interpolate);
    ck_assert(erx_config_set(&config, "interpolate", "no", &failure));
    ck_assert(!config.interpolate);
}
END_TEST

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_test(tests, test_the_printed_file_reads_as_it_was_printed);
    tcase_add_test(tests, test_every_setting_is_checked_at_its_ends);
    tcase_add_test(tests, test_faults_name_file_and_line);
    tcase_add_test(tests, test_a_missing_file_and_a_long_line);
    tcase_add_test(tests, test_addresses);
    tcase_add_test(tests, test_the_crank_is_not_faster_than_its_shortest_interval);
    tcase_add_test(tests, test_defaults_go_together);
    suite_add_tcase(suite, tests);
    return suite;
}
