#include "tests/support/model_fixture.h"
#include "tests/tools/parameters_fixture.h"
#include "tests/tools/quantizing_suites.h"
#include "tools/float_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static erx_parameters_t checkpoint;
static erx_float_model_t model;
static erx_error_t error;

static void setup(void)
{
    erx_parameters_fixture(&erx_fixture_small, 1, &checkpoint);
}

static void teardown(void)
{
    erx_parameters_close(&checkpoint);
}

static erx_parameters_tensor_t *tensor(const char *name)
{
    const erx_parameters_tensor_t *found = erx_parameters_find(&checkpoint, name);
    ck_assert_ptr_nonnull(found);
    return &checkpoint.tensors[found - checkpoint.tensors];
}

static void expect_refused(const char *text)
{
    ck_assert_int_lt(erx_float_model_bind(&model, &checkpoint, &error), 0);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

/* Takes a tensor out of the checkpoint. */
static void drop(const char *name)
{
    erx_parameters_tensor_t *gone = tensor(name);
    free(gone->values);
    erx_parameters_tensor_t *last = &checkpoint.tensors[--checkpoint.count];
    memmove(gone, gone + 1, (size_t)(last - gone) * sizeof *gone);
}

START_TEST(test_a_complete_model_is_bound)
{
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_mem_eq(&model.shape, &erx_fixture_small, sizeof model.shape);
    ck_assert_uint_eq(model.input_width, 58 + 15 * 4);
    ck_assert_float_eq(model.output_scale[0], 100.0f); /* percent */
    ck_assert_float_eq(model.output_scale[8], 1.0f);   /* binary */
    ck_assert_float_eq(model.output_scale[29], 10.0f); /* combo */
}
END_TEST

START_TEST(test_files_give_what_was_put_in)
{
    size_t size;
    erx_parameters_t read;
    uint8_t *bytes = erx_parameters_fixture_file(&checkpoint, &size);
    ck_assert_int_eq(erx_parameters_read(&read, bytes, size, &error), ERX_OK);
    ck_assert_uint_eq(read.count, checkpoint.count);
    ck_assert_int_eq((int)read.context_len, 64);
    ck_assert(json_equal(read.encoding_config, checkpoint.encoding_config));
    for (uint32_t i = 0; i < read.count; i++)
        ck_assert_mem_eq(read.tensors[i].values, checkpoint.tensors[i].values,
                         read.tensors[i].count * sizeof(float));
    erx_parameters_close(&read);
    free(bytes);
}
END_TEST

START_TEST(test_numbers_that_are_not_finite_are_named)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (uint32_t i = 0; i < ERX_COUNT(bad); i++) {
        tensor("layers.1.mamba.D")->values[2] = bad[i];
        ck_assert_int_eq(erx_parameters_seal(&checkpoint, &error), ERX_ERR_RANGE);
        ck_assert_ptr_nonnull(strstr(error.text, "layers.1.mamba.D holds"));
        ck_assert_ptr_nonnull(strstr(error.text, "value 2"));
    }
}
END_TEST

START_TEST(test_missing_and_extra_tensors_are_named)
{
    drop("p1_ground_head.bias");
    expect_refused("tensor p1_ground_head.bias is missing");
    teardown();
    setup();
    drop("layers.0.mamba.A_log");
    expect_refused("tensor layers.0.mamba.A_log is missing");
    teardown();
    setup();
    float *values;
    uint64_t one = 1;
    ck_assert_int_eq(erx_parameters_add(&checkpoint, "optimizer.step", &one, 1, &values, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_parameters_seal(&checkpoint, &error), ERX_OK);
    expect_refused("tensor optimizer.step is not part");
}
END_TEST

START_TEST(test_shapes_that_contradict_are_named)
{
    tensor("layers.1.mamba.out_proj.weight")->dimensions[1]--;
    expect_refused("tensor layers.1.mamba.out_proj.weight is 96 x 191");
    teardown();
    setup();
    tensor("frame_proj.weight")->dimensions[0] = 31;
    expect_refused("2 d_model");
    teardown();
    setup();
    tensor("action_embed.weight")->dimensions[0] = 399;
    expect_refused("tensor action_embed.weight must have 400 rows");
    teardown();
    setup();
    checkpoint.arch = json_pack("{s:i}", "n_layers", 3);
    expect_refused("arch.n_layers contradicts");
}
END_TEST

START_TEST(test_rows_of_zeros_are_named)
{
    erx_parameters_tensor_t *weights = tensor("layers.0.mamba.in_proj.weight");
    memset(weights->values + 5 * (size_t)weights->dimensions[1], 0,
           weights->dimensions[1] * sizeof(float));
    expect_refused("tensor layers.0.mamba.in_proj.weight: row 5 is all zeros");
}
END_TEST

START_TEST(test_encodings_that_the_profile_lacks_are_named)
{
    json_object_set_new(checkpoint.encoding_config, "hitstun", json_true());
    expect_refused("encoding_config.hitstun is set");
    json_object_set_new(checkpoint.encoding_config, "hitstun", json_false());
    json_object_set_new(checkpoint.encoding_config, "lookahead", json_integer(2));
    expect_refused("encoding_config.lookahead is set");
    json_object_set_new(checkpoint.encoding_config, "lookahead", json_integer(0));
    json_object_set_new(checkpoint.encoding_config, "xy_scale", json_real(0.0));
    expect_refused("encoding_config.xy_scale must be");
    json_object_set_new(checkpoint.encoding_config, "xy_scale", json_null());
    expect_refused("encoding_config.xy_scale must be");
    json_decref(checkpoint.encoding_config);
    checkpoint.encoding_config = NULL;
    expect_refused("encoding_config is missing");
}
END_TEST

START_TEST(test_encodings_that_run_as_any_other_are_taken)
{
    json_object_set_new(checkpoint.encoding_config, "multi_position", json_true());
    json_object_del(checkpoint.encoding_config, "xy_scale"); /* the published one */
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_float_eq(model.input_scale[ERX_S_X], 0.05f);
    json_object_set_new(checkpoint.encoding_config, "xy_scale", json_real(0.25));
    ck_assert_int_eq(erx_float_model_bind(&model, &checkpoint, &error), ERX_OK);
    ck_assert_float_eq(model.input_scale[ERX_S_X], 0.25f);
}
END_TEST

START_TEST(test_a_layer_that_is_missing_between_others_is_named)
{
    drop("layers.0.mamba.in_proj.weight");
    expect_refused("tensor layers.0.mamba.in_proj.weight is missing from the checkpoint, which has "
                   "layers.1.mamba.in_proj.weight");
}
END_TEST

/* A checkpoint of one tensor of this name, and sometimes a second. */
static void expect_kind(const char *first, const char *second, const char *text)
{
    float *values;
    uint64_t two = 2;
    teardown();
    ck_assert_int_eq(erx_parameters_add(&checkpoint, first, &two, 1, &values, &error), ERX_OK);
    if (second != NULL)
        ck_assert_int_eq(erx_parameters_add(&checkpoint, second, &two, 1, &values, &error), ERX_OK);
    expect_refused(text);
}

START_TEST(test_other_networks_are_recognized)
{
    expect_kind("trunk.0.weight", "analog_head.weight", "a policy network");
    expect_kind("trunk.0.weight", NULL, "encoding_config is missing"); /* an MLP: accepted */
    expect_kind("encoder.weight", NULL, "no world model");
    expect_kind("module.layers.0.mamba.D", NULL, "the first tensor is module.layers.0.mamba.D");
}
END_TEST

Suite *parameters_suite(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("bind");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_a_complete_model_is_bound);
    tcase_add_test(tests, test_files_give_what_was_put_in);
    tcase_add_test(tests, test_numbers_that_are_not_finite_are_named);
    tcase_add_test(tests, test_missing_and_extra_tensors_are_named);
    tcase_add_test(tests, test_shapes_that_contradict_are_named);
    tcase_add_test(tests, test_rows_of_zeros_are_named);
    tcase_add_test(tests, test_encodings_that_the_profile_lacks_are_named);
    tcase_add_test(tests, test_encodings_that_run_as_any_other_are_taken);
    tcase_add_test(tests, test_a_layer_that_is_missing_between_others_is_named);
    tcase_add_test(tests, test_other_networks_are_recognized);
    suite_add_tcase(suite, tests);
    return suite;
}
