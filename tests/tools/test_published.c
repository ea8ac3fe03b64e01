#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/shared.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/file_map.h"
#include "tools/published.h"
#include "tools/published_tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Logarithms are rounded to single precision: one digit of the last place. */
#define NUMBER_TOLERANCE 2e-7

static char directory[ERX_SCRATCH_PATH_MAX];
static char target[ERX_SCRATCH_PATH_MAX];
static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    (void)snprintf(target, sizeof target, "%s", erx_scratch_file(directory, "published"));
}

static void teardown(void)
{
    if (erx_scratch_count(target) >= 0)
        erx_scratch_remove(target);
    erx_scratch_remove(directory);
}

static json_t *manifest(void)
{
    json_t *json = json_load_file(erx_scratch_file(target, "manifest.json"), 0, NULL);
    ck_assert_ptr_nonnull(json);
    return json;
}

static void compare(const char *key, const json_t *value, json_t *expected);

static void compare_objects(json_t *value, json_t *expected)
{
    const char *name;
    json_t *item;
    ck_assert_uint_eq(json_object_size(value), json_object_size(expected));
    json_object_foreach(expected, name, item) compare(name, json_object_get(value, name), item);
}

static void compare(const char *key, const json_t *value, json_t *expected)
{
    ck_assert_msg(value != NULL, "%s is missing", key);
    if (json_is_object(expected)) {
        compare_objects((json_t *)(uintptr_t)value, expected);
    } else if (json_is_array(expected)) {
        ck_assert_uint_eq(json_array_size(value), json_array_size(expected));
        for (size_t i = 0; i < json_array_size(expected); i++)
            compare(key, json_array_get(value, i), json_array_get(expected, i));
    } else if (json_is_real(expected)) {
        double number = json_number_value(value), wanted = json_real_value(expected);
        bool is_logarithm = strstr(key, "snr_db") != NULL;
        ck_assert_msg(fabs(number - wanted) <=
                          (is_logarithm ? NUMBER_TOLERANCE * fabs(wanted) : 0.0),
                      "%s is %.17g, not %.17g", key, number, wanted);
    } else {
        ck_assert_msg(json_equal(value, expected), "%s differs", key);
    }
}

static erx_status_t publish(const erx_shape_t *shape)
{
    json_t *architecture = erx_published_architecture(shape);
    erx_status_t status = erx_published_write(&checkpoint, architecture, target, &error);
    json_decref(architecture);
    return status;
}

START_TEST(test_output_equals_the_published_pipeline)
{
    char path[ERX_SHARED_PATH_MAX], manifest_path[ERX_SHARED_PATH_MAX];
    erx_shared_file_t weights;
    if (!erx_shared_path("models/checkpoints/tiny.pt", path) ||
        !erx_shared_path("golden/published-tiny/manifest.json", manifest_path) ||
        !erx_shared_map("golden/published-tiny/weights_int8.bin", &weights))
        return;
    ck_assert_int_eq(erx_parameters_open(&checkpoint, path, &error), ERX_OK);
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(publish(&model.shape), ERX_OK);
    erx_file_map_t written;
    ck_assert_int_eq(
        erx_file_map_open(&written, erx_scratch_file(target, "weights_int8.bin"), &error), ERX_OK);
    ck_assert_uint_eq(written.size, weights.size);
    ck_assert_mem_eq(written.bytes, weights.bytes, weights.size);
    json_t *ours = manifest(), *expected = json_load_file(manifest_path, 0, NULL);
    compare("manifest", ours, expected);
    json_decref(ours);
    json_decref(expected);
    erx_file_map_close(&written);
    erx_shared_unmap(&weights);
    erx_parameters_close(&checkpoint);
}
END_TEST

START_TEST(test_what_was_written_reads_back)
{
    erx_parameters_t read;
    erx_parameters_fixture(&erx_fixture_micro, 1, &checkpoint);
    ck_assert_int_eq(publish(&erx_fixture_micro), ERX_OK);
    ck_assert_msg(erx_published_read(&read, target, &error) == ERX_OK, "%s", error.text);
    ck_assert_int_eq(erx_float_model_bind(&model, &read, &error), ERX_OK);
    ck_assert_int_eq((int)read.context_len, 64);
    for (uint32_t i = 0; i < checkpoint.count; i++) {
        const erx_parameters_tensor_t *from = &checkpoint.tensors[i], *to = &read.tensors[i];
        size_t width = from->count / erx_published_rows(from);
        ck_assert_str_eq(from->name, to->name);
        for (size_t row = 0; row < from->count; row += width) {
            float greatest = 0.0f;
            for (size_t k = 0; k < width; k++)
                greatest = fmaxf(greatest, fabsf(from->values[row + k]));
            for (size_t k = row; k < row + width; k++)
                ck_assert_float_le(fabsf(from->values[k] - to->values[k]), greatest / 253.0f);
        }
    }
    erx_parameters_close(&read);
    /* The directory is taken now, and stays as it is. */
    ck_assert_int_eq(publish(&erx_fixture_micro), ERX_ERR_STATE);
    ck_assert_int_eq(erx_scratch_count(target), 2);
    ck_assert_int_eq(erx_scratch_count(directory), 1);
    erx_parameters_close(&checkpoint);
}
END_TEST

/* A bias that nobody trained has no ratio; numbers beyond floats have no error. */
START_TEST(test_numbers_without_a_ratio)
{
    erx_parameters_fixture(&erx_fixture_micro, 1, &checkpoint);
    float *bias =
        checkpoint.tensors[erx_parameters_find(&checkpoint, "ctrl_proj.bias") - checkpoint.tensors]
            .values;
    memset(bias, 0, erx_fixture_micro.d_model * sizeof *bias);
    ck_assert_int_eq(publish(&erx_fixture_micro), ERX_OK);
    json_t *json = manifest();
    const json_t *projections = json_object_get(json_object_get(json, "weights"), "projections");
    const json_t *entry = json_object_get(projections, "ctrl_proj.bias");
    ck_assert(json_is_null(json_object_get(entry, "snr_db")));
    ck_assert(json_is_null(json_object_get(json_object_get(entry, "error"), "snr_db")));
    json_decref(json);
    erx_scratch_remove(target);
    bias[0] = 1e30f; /* the second is not a whole number of steps */
    bias[1] = 1e29f;
    ck_assert_int_eq(publish(&erx_fixture_micro), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "tensor ctrl_proj.bias holds values whose squares"));
    ck_assert_int_eq(erx_scratch_count(directory), 0);
    erx_parameters_close(&checkpoint);
}
END_TEST

START_TEST(test_halves_are_rounded_to_even)
{
    float values[] = {127.0f, 0.5f, 1.5f, -2.5f};
    const erx_parameters_tensor_t tensor = {
        .name = "x", .rank = 1, .dimensions = {4}, .count = 4, .values = values};
    int8_t steps[4];
    double scale;
    float scratch[4];
    (void)erx_published_quantize(&tensor, steps, &scale, scratch);
    ck_assert_double_eq(scale, 1.0);
    ck_assert_mem_eq(steps, ((int8_t[]){127, 0, 2, -2}), 4);
}
END_TEST

static void expect_refused(json_t *json, const char *text)
{
    erx_parameters_t read;
    ck_assert_int_eq(json_dump_file(json, erx_scratch_file(target, "manifest.json"), 0), 0);
    ck_assert_int_lt(erx_published_read(&read, target, &error), 0);
    ck_assert_ptr_null(read.tensors);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

START_TEST(test_damaged_directories_are_refused)
{
    erx_parameters_fixture(&erx_fixture_micro, 1, &checkpoint);
    ck_assert_int_eq(publish(&erx_fixture_micro), ERX_OK);
    erx_parameters_close(&checkpoint);
    json_t *json = manifest();
    json_t *layers = json_object_get(json_object_get(json, "weights"), "layer_weights");
    json_t *entry = json_object_get(layers, "layers.0.mamba.in_proj.weight");
    json_object_set_new(entry, "offset", json_integer(1 << 30));
    expect_refused(json, "layers.0.mamba.in_proj.weight: offset and size");
    json_object_set_new(entry, "offset", json_integer(0));
    json_object_set_new(entry, "scales", json_pack("[f]", 1.0));
    expect_refused(json, "scales must have one number a row");
    json_object_set_new(json_object_get(layers, "layers.0.mamba.D"), "scale", json_real(-1.0));
    json_object_del(layers, "layers.0.mamba.in_proj.weight");
    expect_refused(json, "layers.0.mamba.D: a scale");
    json_object_set_new(json, "total_weight_bytes", json_integer(5));
    expect_refused(json, "total_weight_bytes");
    json_object_set_new(json, "format", json_string("gru_int8_v1"));
    expect_refused(json, "format is gru_int8_v1");
    json_decref(json);
}
END_TEST

Suite *published_suite(void)
{
    Suite *suite = suite_create("published");
    TCase *tests = tcase_create("format");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_output_equals_the_published_pipeline);
    tcase_add_test(tests, test_what_was_written_reads_back);
    tcase_add_test(tests, test_numbers_without_a_ratio);
    tcase_add_test(tests, test_halves_are_rounded_to_even);
    tcase_add_test(tests, test_damaged_directories_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
