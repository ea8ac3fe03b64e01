#include "tests/support/scratch.h"
#include "tests/tools/tools_suites.h"
#include "tools/output.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
}

static void teardown(void)
{
    erx_scratch_remove(directory);
}

static void expect_content(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(test_file_has_its_name_only_once_committed)
{
    const char *path = erx_scratch_file(directory, "out");
    ck_assert_int_eq(erx_output_write(path, "before", 6, &error), ERX_OK);
    erx_output_t output;
    ck_assert_int_eq(erx_output_open(&output, path, &error), ERX_OK);
    fputs("after", output.stream);
    (void)fflush(output.stream);
    expect_content(path, "before");
    ck_assert_int_eq(erx_output_commit(&output, &error), ERX_OK);
    expect_content(path, "after");
    ck_assert_int_eq(erx_scratch_count(directory), 1);
}
END_TEST

START_TEST(test_abandoned_file_leaves_nothing)
{
    const char *path = erx_scratch_file(directory, "out");
    erx_output_t output;
    ck_assert_int_eq(erx_output_open(&output, path, &error), ERX_OK);
    fputs("half", output.stream);
    erx_output_abandon(&output);
    ck_assert_int_eq(erx_scratch_count(directory), 0);
}
END_TEST

START_TEST(test_full_device_is_an_error_and_leaves_nothing)
{
    const char *path = erx_scratch_file(directory, "out");
    erx_output_t output;
    ck_assert_int_eq(erx_output_open(&output, path, &error), ERX_OK);
    (void)fclose(output.stream);
    output.stream = fopen("/dev/full", "wb");
    ck_assert_ptr_nonnull(output.stream);
    fputs("lost", output.stream);
    ck_assert_int_eq(erx_output_commit(&output, &error), ERX_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "out: No space left on device"));
    ck_assert_int_eq(erx_scratch_count(directory), 0);
}
END_TEST

START_TEST(test_directory_that_is_not_there_is_named)
{
    const char *path = erx_scratch_file(directory, "absent/out");
    ck_assert_int_eq(erx_output_write(path, "x", 1, &error), ERX_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "absent/out: No such file or directory"));
}
END_TEST

START_TEST(test_check_tells_early_and_leaves_nothing)
{
    const char *path = erx_scratch_file(directory, "absent/out");
    ck_assert_int_eq(erx_output_check(path, &error), ERX_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "absent/out: No such file or directory"));
    ck_assert_int_eq(erx_output_check(erx_scratch_file(directory, "out"), &error), ERX_OK);
    ck_assert_int_eq(erx_scratch_count(directory), 0);
    ck_assert_int_eq(erx_output_check(NULL, &error), ERX_OK);
}
END_TEST

START_TEST(test_directory_is_refused_also_early)
{
    ck_assert_int_eq(erx_output_check(directory, &error), ERX_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "Is a directory"));
    ck_assert_int_eq(erx_output_write(directory, "x", 1, &error), ERX_ERR_IO);
    ck_assert_int_eq(erx_scratch_count(directory), 0);
}
END_TEST

/* Or a root who writes to /dev/null would replace it by a file. */
START_TEST(test_what_is_no_file_stays_what_it_is)
{
    char link[ERX_SCRATCH_PATH_MAX + 8];
    (void)snprintf(link, sizeof link, "%s/link", directory);
    const char *file = erx_scratch_file(directory, "file");
    ck_assert_int_eq(symlink(file, link), 0);
    ck_assert_int_eq(erx_output_check(link, &error), ERX_ERR_IO); /* it leads nowhere */
    ck_assert_int_eq(erx_output_write(file, "before", 6, &error), ERX_OK);
    ck_assert_int_eq(erx_output_check(link, &error), ERX_OK);
    expect_content(file, "before");
    ck_assert_int_eq(erx_output_write(link, "new", 3, &error), ERX_OK);
    expect_content(file, "new");
    struct stat facts;
    ck_assert_int_eq(lstat(link, &facts), 0);
    ck_assert(S_ISLNK(facts.st_mode));
    ck_assert_int_eq(erx_scratch_count(directory), 2);
}
END_TEST

START_TEST(test_permissions_follow_the_umask)
{
    mode_t before = umask(027);
    const char *path = erx_scratch_file(directory, "out");
    ck_assert_int_eq(erx_output_write(path, "x", 1, &error), ERX_OK);
    (void)umask(before);
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0640);
}
END_TEST

START_TEST(test_json_escapes_text)
{
    json_t *value = json_pack("{s:s, s:f}", "name", "a \"b\"\n\x01", "half", 0.5);
    const char *path = erx_scratch_file(directory, "out");
    ck_assert_int_eq(erx_output_json(path, value, &error), ERX_OK);
    json_decref(value);
    expect_content(path, "{\n \"name\": \"a \\\"b\\\"\\n\\u0001\",\n \"half\": 0.5\n}\n");
}
END_TEST

Suite *output_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_file_has_its_name_only_once_committed);
    tcase_add_test(tcase, test_abandoned_file_leaves_nothing);
    tcase_add_test(tcase, test_full_device_is_an_error_and_leaves_nothing);
    tcase_add_test(tcase, test_directory_that_is_not_there_is_named);
    tcase_add_test(tcase, test_check_tells_early_and_leaves_nothing);
    tcase_add_test(tcase, test_directory_is_refused_also_early);
    tcase_add_test(tcase, test_what_is_no_file_stays_what_it_is);
    tcase_add_test(tcase, test_permissions_follow_the_umask);
    tcase_add_test(tcase, test_json_escapes_text);
    suite_add_tcase(suite, tcase);
    return suite;
}
