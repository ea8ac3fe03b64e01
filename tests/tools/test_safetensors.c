#include "tests/tools/quantizing_suites.h"
#include "tools/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint8_t bytes[1024];
static size_t size;
static erx_safetensors_t file;
static erx_error_t error;

/* A file with this header and data_bytes of data: 0, 1, 2, ... */
static void make(const char *header, size_t data_bytes)
{
    uint64_t length = strlen(header);
    size = sizeof length + length + data_bytes;
    ck_assert_uint_le(size, sizeof bytes);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, header, length);
    for (size_t i = 0; i < data_bytes; i++)
        bytes[sizeof length + length + i] = (uint8_t)i;
}

static void expect_refused(const char *header, size_t data_bytes, const char *text)
{
    make(header, data_bytes);
    ck_assert_int_lt(erx_safetensors_read(bytes, size, &file, &error), 0);
    ck_assert_ptr_null(file.tensors);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

START_TEST(test_tensors_are_found_where_the_header_says)
{
    make("{\"__metadata__\":{\"k\":\"v\"},\"b\":{\"dtype\":\"U8\",\"shape\":[2,3],"
         "\"data_offsets\":[4,10]},\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
         10);
    ck_assert_int_eq(erx_safetensors_read(bytes, size, &file, &error), ERX_OK);
    ck_assert_uint_eq(file.count, 2);
    const erx_safetensor_t *a = erx_safetensors_find(&file, "a");
    const erx_safetensor_t *b = erx_safetensors_find(&file, "b");
    ck_assert_uint_eq(a->rank, 0);
    ck_assert_uint_eq(a->count, 1);
    ck_assert_uint_eq(b->dimensions[1], 3);
    ck_assert_uint_eq(b->bytes[0], 4);
    ck_assert_ptr_null(erx_safetensors_find(&file, "c"));
    ck_assert_str_eq(erx_safetensors_metadata(&file, "k"), "v");
    ck_assert_ptr_null(erx_safetensors_metadata(&file, "x"));
    erx_safetensors_close(&file);
}
END_TEST

START_TEST(test_damaged_files_are_refused)
{
    expect_refused("{", 0, "header");
    expect_refused("[]", 0, "no JSON object");
    expect_refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor a: dtype");
    expect_refused("{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "C64");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
                   "tensor a: dimension 0");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],"
                   "\"data_offsets\":[0,4]}}",
                   4, "does not fit");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
                   "takes 8 bytes");
    expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3,
                   "tensor a: data_offsets [0, 4]");
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}}", 3,
                   "data_offsets");
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                   "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                   2, "duplicate");
}
END_TEST

START_TEST(test_tensors_cover_the_data_once)
{
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[2,5]}}",
                   5, "a and b overlap");
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
                   5, "in front of tensor b");
    expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 5,
                   "after the last tensor");
}
END_TEST

START_TEST(test_every_truncation_is_refused)
{
    make("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    for (size_t length = 0; length < size; length++)
        ck_assert_int_lt(erx_safetensors_read(bytes, length, &file, &error), 0);
    ck_assert_int_eq(erx_safetensors_read(bytes, size, &file, &error), ERX_OK);
    erx_safetensors_close(&file);
}
END_TEST

START_TEST(test_refusals_are_printable)
{
    expect_refused("{\"a\\n\\u001b[1m\":{}}", 0, "a??[1m");
}
END_TEST

START_TEST(test_floats_of_every_width)
{
    const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x8000, 0x7c00, 0x7e00, 0x3555};
    const uint16_t brains[] = {0x3f80, 0xc000, 0x7f80};
    const double doubles[] = {1.0, -0.1, 1e300};
    float values[8];
    erx_number_to_float(ERX_NUMBER_F16, (const uint8_t *)halves, 7, values);
    ck_assert_float_eq(values[0], 1.0f);
    ck_assert_float_eq(values[1], -2.0f);
    ck_assert_float_eq(values[2], 0x1p-24f);
    ck_assert(values[3] == 0.0f && signbit(values[3]));
    ck_assert(isinf(values[4]) && isnan(values[5]));
    ck_assert_float_eq(values[6], 0x1.554p-2f);
    erx_number_to_float(ERX_NUMBER_BF16, (const uint8_t *)brains, 3, values);
    ck_assert_float_eq(values[0], 1.0f);
    ck_assert_float_eq(values[1], -2.0f);
    ck_assert(isinf(values[2]));
    erx_number_to_float(ERX_NUMBER_F64, (const uint8_t *)doubles, 3, values);
    ck_assert_float_eq(values[1], -0.1f);
    ck_assert(isinf(values[2]));
}
END_TEST

Suite *safetensors_suite(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("read");
    tcase_add_test(tests, test_tensors_are_found_where_the_header_says);
    tcase_add_test(tests, test_damaged_files_are_refused);
    tcase_add_test(tests, test_tensors_cover_the_data_once);
    tcase_add_test(tests, test_every_truncation_is_refused);
    tcase_add_test(tests, test_refusals_are_printable);
    tcase_add_test(tests, test_floats_of_every_width);
    suite_add_tcase(suite, tests);
    return suite;
}
