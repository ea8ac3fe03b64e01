#include "tests/support/scratch.h"
#include "tests/support/shared.h"
#include "tests/tools/tools_suites.h"
#include "tools/activation_tables.h"

#include <stdio.h>
#include <string.h>

START_TEST(test_tables_are_those_of_the_published_generator)
{
    erx_shared_file_t golden;
    if (!erx_shared_map("golden/luts.bin", &golden))
        return;
    uint8_t bytes[ERX_ACTIVATION_BYTES];
    erx_activation_tables_fill(bytes);
    ck_assert_uint_eq(golden.size, sizeof bytes);
    ck_assert_mem_eq(bytes, golden.bytes, sizeof bytes);
}
END_TEST

START_TEST(test_description_is_that_of_the_published_generator)
{
    erx_shared_file_t golden;
    if (!erx_shared_map("golden/luts.json", &golden))
        return;
    char directory[ERX_SCRATCH_PATH_MAX];
    erx_scratch_make(directory);
    const char *path = erx_scratch_file(directory, "luts.json");
    erx_error_t error;
    ck_assert_int_eq(erx_activation_tables_describe(path, &error), ERX_OK);
    char text[4096];
    FILE *file = fopen(path, "rb");
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    erx_scratch_remove(directory);
    ck_assert_uint_eq(size, golden.size);
    ck_assert_mem_eq(text, golden.bytes, size);
}
END_TEST

/* Values worked out by hand, so that something is checked without real data. */
START_TEST(test_known_entries)
{
    uint8_t bytes[ERX_ACTIVATION_BYTES];
    erx_activation_tables_fill(bytes);
    ck_assert_int_eq((int8_t)bytes[0], 0);           /* silu(0) */
    ck_assert_int_eq((int8_t)bytes[16], 12);         /* silu(1) = 0.7311 = 11.7 / 16 */
    ck_assert_int_eq((int8_t)bytes[240], -4);        /* silu(-1) = -0.2689 = -4.3 / 16 */
    ck_assert_int_eq((int8_t)bytes[256], 22);        /* ln 2 = 0.6931 = 22.2 / 32 */
    ck_assert_int_eq((int8_t)bytes[256 + 127], 127); /* saturates */
    ck_assert_uint_eq(bytes[512], 255);              /* 1 / sqrt(1e-6), clipped */
    ck_assert_uint_eq(bytes[512 + 100], 20);         /* 1 / sqrt(1) = 20 * 0.05 */
    ck_assert_uint_eq(bytes[768], 255);              /* 1 / 0.00392157 = 254.99999 */
    ck_assert_uint_eq(bytes[768 + 32], 94);          /* exp(-1) = 0.3679 = 93.8 / 255 */
}
END_TEST

Suite *activation_tables_suite(void)
{
    Suite *suite = suite_create("activation_tables");
    TCase *tcase = tcase_create("tables");
    tcase_add_test(tcase, test_tables_are_those_of_the_published_generator);
    tcase_add_test(tcase, test_description_is_that_of_the_published_generator);
    tcase_add_test(tcase, test_known_entries);
    suite_add_tcase(suite, tcase);
    return suite;
}
