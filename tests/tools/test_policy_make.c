/* From a policy's checkpoint to a directory that runs: integers beside floats,
 * the published format, and checkpoints that are refused. */
#include "engine/policy_file.h"
#include "tests/support/scratch.h"
#include "tests/tools/imitating_suites.h"
#include "tests/tools/policy_trial.h"
#include "tools/policy_integer.h"
#include "tools/policy_make.h"
#include "tools/policy_quantizer.h"
#include "tools/published.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static char games_path[ERX_SCRATCH_PATH_MAX];
static char out_path[ERX_SCRATCH_PATH_MAX];
static erx_sequences_t sequences;
static erx_parameters_t checkpoint;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    (void)snprintf(games_path, sizeof games_path, "%s", erx_scratch_file(directory, "games"));
    (void)snprintf(out_path, sizeof out_path, "%s", erx_scratch_file(directory, "out"));
    policy_trial_games(games_path);
    ck_assert_int_eq(erx_sequences_open(&sequences, games_path, &error), ERX_OK);
    policy_trial_train(&sequences, 2, 60, 0, &checkpoint);
}

static void teardown(void)
{
    erx_parameters_close(&checkpoint);
    erx_sequences_close(&sequences);
    if (erx_scratch_count(out_path) >= 0)
        erx_scratch_remove(out_path);
    erx_scratch_remove(directory);
}

/* Decibels between a float policy's outputs and an integer one's over the test
 * games. */
static double agreement_db(const erx_policy_float_t *floats, const erx_policy_tensors_t *tensors)
{
    erx_policy_float_answerer_t answerer;
    erx_policy_integer_t integer;
    erx_policy_sample_t *samples;
    uint32_t count;
    double signal = 0.0, noise = 0.0;
    ck_assert_int_eq(erx_policy_samples_list(&sequences, true, 3, &samples, &count, &error),
                     ERX_OK);
    ck_assert_int_eq(erx_policy_float_answerer_open(&answerer, floats, &error), ERX_OK);
    ck_assert_int_eq(erx_policy_integer_open(&integer, tensors, &error), ERX_OK);
    for (uint32_t i = 0; i < count; i++) {
        int32_t wanted[1][ERX_POLICY_OUTPUTS], given[1][ERX_POLICY_OUTPUTS];
        erx_policy_float_answer(&answerer, &sequences, &samples[i], 1, wanted);
        erx_policy_integer_answer(&integer, &sequences, &samples[i], 1, given);
        for (uint32_t k = 0; k < ERX_POLICY_OUTPUTS; k++) {
            double error_of = (double)given[0][k] - wanted[0][k];
            signal += (double)wanted[0][k] * wanted[0][k];
            noise += error_of * error_of;
        }
    }
    erx_policy_integer_close(&integer);
    erx_policy_float_answerer_close(&answerer);
    free(samples);
    return 10.0 * log10(signal / noise);
}

START_TEST(test_integers_stay_near_the_floats)
{
    erx_policy_float_t floats;
    erx_policy_file_t draft;
    ck_assert_int_eq(erx_policy_float_bind(&floats, &checkpoint, &error), ERX_OK);
    ck_assert_msg(erx_policy_quantize(&floats, &sequences, "trial", &draft, &error) == ERX_OK, "%s",
                  error.text);
    double decibels = agreement_db(&floats, &draft.tensors);
    ck_assert_double_gt(decibels, 35.0);
    erx_policy_file_close(&draft);
}
END_TEST

START_TEST(test_the_directory_that_is_made_opens)
{
    const erx_policy_make_t request = {
        .source = "trial.pt", .calibration = games_path, .out = out_path, .name = "trial"};
    erx_policy_file_t file;
    erx_policy_float_t floats;
    ck_assert_msg(erx_policy_make(&request, &checkpoint, &error) == ERX_OK, "%s", error.text);
    ck_assert_msg(erx_policy_file_open(out_path, &file, &error) == ERX_OK, "%s", error.text);
    ck_assert_str_eq(file.manifest.name, "trial");
    ck_assert_ptr_nonnull(strstr(file.manifest.provenance, "\"checkpoint\":\"trial.pt\""));
    ck_assert_ptr_nonnull(strstr(file.manifest.fidelity, "outputs_snr_db"));
    ck_assert_int_eq(erx_policy_float_bind(&floats, &checkpoint, &error), ERX_OK);
    ck_assert_double_gt(agreement_db(&floats, &file.tensors), 35.0);
    erx_policy_file_close(&file);
    ck_assert_int_eq(erx_policy_make(&request, &checkpoint, &error), ERX_ERR_STATE);
}
END_TEST

START_TEST(test_the_published_format_is_written_and_taken_back)
{
    erx_parameters_t read;
    erx_policy_float_t floats, again;
    ck_assert_int_eq(erx_policy_publish(&checkpoint, out_path, &error), ERX_OK);
    json_t *manifest = json_load_file(erx_scratch_file(out_path, "manifest.json"), 0, NULL);
    const json_t *architecture = json_object_get(manifest, "architecture");
    ck_assert_str_eq(json_string_value(json_object_get(manifest, "format")), "policy_int8_v1");
    ck_assert_str_eq(json_string_value(json_object_get(architecture, "model_type")), "policy");
    ck_assert_int_eq(json_integer_value(json_object_get(architecture, "hidden_dim")), 40);
    ck_assert_int_eq(json_integer_value(json_object_get(architecture, "trunk_dim")), 20);
    ck_assert_int_eq(json_integer_value(json_object_get(manifest, "context_len")), 2);
    json_decref(manifest);
    ck_assert_msg(erx_published_read(&read, out_path, &error) == ERX_OK, "%s", error.text);
    ck_assert_int_eq(erx_parameters_kind(&read), ERX_PARAMETERS_POLICY);
    ck_assert_int_eq(erx_policy_float_bind(&floats, &checkpoint, &error), ERX_OK);
    ck_assert_int_eq(erx_policy_float_bind(&again, &read, &error), ERX_OK);
    const erx_policy_layer_t *before = &floats.layers[ERX_POLICY_HIDDEN];
    const erx_policy_layer_t *after = &again.layers[ERX_POLICY_HIDDEN];
    for (uint32_t row = 0; row < before->rows; row++) {
        float greatest = 0.0f;
        for (uint32_t i = 0; i < before->columns; i++)
            greatest = fmaxf(greatest, fabsf(before->weights[row * before->columns + i]));
        for (uint32_t i = 0; i < before->columns; i++)
            ck_assert_float_le(fabsf(before->weights[row * before->columns + i] -
                                     after->weights[row * before->columns + i]),
                               greatest / 127.0f * 0.5001f);
    }
    erx_parameters_close(&read);
}
END_TEST

static void expect_refused(erx_status_t status, const char *text)
{
    erx_policy_float_t floats;
    ck_assert_int_eq(erx_policy_float_bind(&floats, &checkpoint, &error), status);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
}

static erx_parameters_tensor_t *tensor(const char *name)
{
    const erx_parameters_tensor_t *found = erx_parameters_find(&checkpoint, name);
    ck_assert_ptr_nonnull(found);
    return &checkpoint.tensors[found - checkpoint.tensors];
}

START_TEST(test_checkpoints_that_contradict_themselves_are_refused)
{
    erx_parameters_tensor_t *weights = tensor("trunk.0.weight");
    weights->dimensions[1]--;
    expect_refused(ERX_ERR_FORMAT, "trunk.0.weight has");
    weights->dimensions[1]++;
    checkpoint.context_len = 3;
    expect_refused(ERX_ERR_FORMAT, "context_len");
    checkpoint.context_len = 0; /* not said */
    tensor("trunk.3.weight")->dimensions[1]++;
    expect_refused(ERX_ERR_FORMAT, "trunk.3.weight is 20 x 41");
    tensor("trunk.3.weight")->dimensions[1]--;
    tensor("analog_head.weight")->dimensions[0] = 6;
    expect_refused(ERX_ERR_FORMAT, "analog_head.weight");
    tensor("analog_head.weight")->dimensions[0] = 5;
    tensor("button_head.bias")->dimensions[0] = 7;
    expect_refused(ERX_ERR_FORMAT, "button_head.bias has 7");
    tensor("button_head.bias")->dimensions[0] = 8;
    tensor("ground_embed.weight")->dimensions[0] = 31;
    expect_refused(ERX_ERR_UNSUPPORTED, "ground_embed.weight must have 32 rows");
    tensor("ground_embed.weight")->dimensions[0] = 32;
    tensor("trunk.0.bias")->rank = 2;
    expect_refused(ERX_ERR_FORMAT, "trunk.0.bias has 2 dimensions");
}
END_TEST

START_TEST(test_missing_and_extra_tensors_are_refused)
{
    float *values;
    const uint64_t two = 2;
    memcpy(tensor("trunk.3.bias")->name, "trunk.3.bios", sizeof "trunk.3.bios");
    expect_refused(ERX_ERR_FORMAT, "trunk.3.bias is missing");
    memcpy(tensor("trunk.3.bios")->name, "trunk.3.bias", sizeof "trunk.3.bias");
    ck_assert_int_eq(erx_parameters_add(&checkpoint, "value_head.bias", &two, 1, &values, &error),
                     ERX_OK);
    expect_refused(ERX_ERR_FORMAT, "tensor value_head.bias is not part");
}
END_TEST

START_TEST(test_rows_of_zeros_are_named)
{
    erx_parameters_tensor_t *weights = tensor("trunk.3.weight");
    memset(weights->values + 2 * (size_t)weights->dimensions[1], 0,
           weights->dimensions[1] * sizeof(float));
    expect_refused(ERX_ERR_RANGE, "tensor trunk.3.weight: row 2 is all zeros");
}
END_TEST

START_TEST(test_encodings_that_the_profile_lacks_are_refused)
{
    json_object_set_new(checkpoint.encoding_config, "state_age_as_embed", json_true());
    expect_refused(ERX_ERR_UNSUPPORTED, "state_age_as_embed");
    json_object_del(checkpoint.encoding_config, "state_age_as_embed");
    json_object_set_new(checkpoint.encoding_config, "xy_scale", json_string("much"));
    expect_refused(ERX_ERR_FORMAT, "xy_scale");
    json_object_set_new(checkpoint.encoding_config, "xy_scale", json_real(-1.0));
    expect_refused(ERX_ERR_FORMAT, "xy_scale");
}
END_TEST

Suite *policy_make_suite(void)
{
    Suite *suite = suite_create("policy_make");
    TCase *all = tcase_create("policy_make");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_integers_stay_near_the_floats);
    tcase_add_test(all, test_the_directory_that_is_made_opens);
    tcase_add_test(all, test_the_published_format_is_written_and_taken_back);
    tcase_add_test(all, test_checkpoints_that_contradict_themselves_are_refused);
    tcase_add_test(all, test_missing_and_extra_tensors_are_refused);
    tcase_add_test(all, test_rows_of_zeros_are_named);
    tcase_add_test(all, test_encodings_that_the_profile_lacks_are_refused);
    suite_add_tcase(suite, all);
    return suite;
}
