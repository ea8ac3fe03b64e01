/* Policy directories: what is read, and that everything else is refused with the
 * key or tensor at fault. */
#include "engine/policy_file.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/policy_fixture.h"
#include "tests/support/scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_policy_fixture_t fixture;
static erx_policy_file_t file;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    erx_policy_fixture_make(&erx_policy_fixture_small, 1, &fixture);
}

static void teardown(void)
{
    erx_policy_fixture_free(&fixture);
    erx_scratch_remove(directory);
}

/* Opening fails with this status and a message that holds text; nothing is
 * left open. */
static void expect_refused(erx_status_t status, const char *text)
{
    static const erx_policy_file_t nothing;
    ck_assert_int_eq(erx_policy_file_open(directory, &file, &error), status);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' does not say '%s'", error.text, text);
    ck_assert_mem_eq(&file, &nothing, sizeof file);
}

START_TEST(test_a_written_policy_is_read)
{
    erx_policy_fixture_write(&fixture, directory);
    ck_assert_msg(erx_policy_file_open(directory, &file, &error) == ERX_OK, "%s", error.text);
    ck_assert_str_eq(file.manifest.name, "fixture");
    ck_assert_str_eq(file.manifest.provenance, "{\"made\":\"up\"}");
    ck_assert_ptr_null(file.manifest.fidelity);
    ck_assert_mem_eq(&file.tensors.shape, &erx_policy_fixture_small, sizeof file.tensors.shape);
    ck_assert_int_eq(file.tensors.Wc_s, 24);
    ck_assert_int_eq(file.tensors.Wo_s, 16);
    ck_assert_mem_eq(file.tensors.bo, erx_policy_fixture_tensor(&fixture, "bo"),
                     ERX_POLICY_OUTPUTS * sizeof(int32_t));
    ck_assert_mem_eq(file.tensors.E[7], erx_policy_fixture_tensor(&fixture, "E.7"), 33 * 2);
    erx_policy_file_close(&file);
    ck_assert(erx_policy_file_applies(directory));
}
END_TEST

START_TEST(test_tensors_do_not_overlap_and_fill_the_file)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes, end = 0;
    erx_policy_plan(&erx_policy_fixture_small, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++) {
        ck_assert_uint_eq(entries[i].offset % ERX_TENSOR_ALIGN, 0);
        ck_assert_uint_ge(entries[i].offset, end);
        ck_assert_uint_lt(entries[i].offset - end, ERX_TENSOR_ALIGN);
        end = entries[i].offset + entries[i].bytes;
    }
    ck_assert_uint_lt(bytes - end, ERX_TENSOR_ALIGN);
}
END_TEST

/* A manifest with one member changed; the place is "key" or "outer.key". */
typedef struct {
    const char *place;
    const char *value; /* JSON; NULL: the member is removed */
    erx_status_t status;
    const char *text;
} change_t;

static const change_t changes[] = {
    {"format", "\"policy_int8_v1\"", ERX_ERR_UNSUPPORTED, "format: must be \"erx_policy_v1\""},
    {"format", "\"erx_model_v1\"", ERX_ERR_UNSUPPORTED, "format"},
    {"format", "7", ERX_ERR_FORMAT, "format"},
    {"profile", "\"i16ssm-1\"", ERX_ERR_UNSUPPORTED, "profile: must be \"i8mlp-1\""},
    {"profile", NULL, ERX_ERR_FORMAT, "profile"},
    {"name", "\"\"", ERX_ERR_RANGE, "name"},
    {"name", "\"a\\u0007\"", ERX_ERR_FORMAT, "name"},
    {"name", "\"123456789012345678901234567890123\"", ERX_ERR_RANGE, "name"},
    {"architecture", "[]", ERX_ERR_FORMAT, "architecture"},
    {"architecture.model_type", "\"mamba2\"", ERX_ERR_UNSUPPORTED, "architecture.model_type"},
    {"architecture.context_len", "0", ERX_ERR_RANGE, "architecture.context_len"},
    {"architecture.context_len", "17", ERX_ERR_RANGE, "architecture.context_len"},
    {"architecture.context_len", "3.0", ERX_ERR_FORMAT, "architecture.context_len"},
    {"architecture.context_len", "4", ERX_ERR_RANGE, "total_weight_bytes"},
    {"architecture.hidden_dim", "2049", ERX_ERR_RANGE, "architecture.hidden_dim"},
    {"architecture.trunk_dim", "-1", ERX_ERR_RANGE, "architecture.trunk_dim"},
    {"architecture.trunk_dim", NULL, ERX_ERR_FORMAT, "architecture.trunk_dim"},
    {"architecture.embed_widths", "[4,2,3,1,2,2,3]", ERX_ERR_RANGE, "embed_widths"},
    {"architecture.embed_widths", "[4,2,3,1,2,2,3,65]", ERX_ERR_RANGE, "embed_widths"},
    {"architecture.embed_widths", "[4,2,3,1,2,2,3,0]", ERX_ERR_RANGE, "embed_widths"},
    {"architecture.embed_widths", "[4,2,3,1,2,2,3,null]", ERX_ERR_RANGE, "embed_widths"},
    {"architecture.unheard", "1", ERX_ERR_FORMAT, "architecture.unheard"},
    {"total_weight_bytes", "64", ERX_ERR_RANGE, "total_weight_bytes"},
    {"total_weight_bytes", "9223372036854775807", ERX_ERR_RANGE, "total_weight_bytes"},
    {"sha256", "\"00\"", ERX_ERR_FORMAT, "sha256"},
    {"sha256", "\"0000000000000000000000000000000000000000000000000000000000000000\"", ERX_ERR_HASH,
     "SHA-256"},
    {"tables_sha256", "\"0000000000000000000000000000000000000000000000000000000000000000\"",
     ERX_ERR_UNSUPPORTED, "tables_sha256"},
};

START_TEST(test_manifests_that_are_wrong_are_refused_by_key)
{
    const change_t *change = &changes[_i];
    const char *dot = strchr(change->place, '.');
    json_t *owner = fixture.manifest;
    if (dot != NULL)
        owner = json_object_get(owner, "architecture");
    const char *key = dot == NULL ? change->place : dot + 1;
    if (change->value == NULL)
        json_object_del(owner, key);
    else
        json_object_set_new(owner, key, json_loads(change->value, JSON_DECODE_ANY, NULL));
    erx_policy_fixture_write(&fixture, directory);
    expect_refused(change->status, change->text);
}
END_TEST

START_TEST(test_too_many_columns_are_refused)
{
    /* 16 frames of 180 columns: more than a product takes. */
    json_t *architecture = json_object_get(fixture.manifest, "architecture");
    json_object_set_new(architecture, "context_len", json_integer(16));
    json_object_set_new(architecture, "embed_widths", json_loads("[64,2,3,1,2,2,3,2]", 0, NULL));
    erx_policy_fixture_write(&fixture, directory);
    expect_refused(ERX_ERR_RANGE, "architecture.context_len");
}
END_TEST

/* A value of a tensor that breaks a rule. */
static const struct {
    const char *tensor;
    uint32_t index;
    bool is_i8;
    int32_t value;
    const char *text;
} values[] = {
    {"sc", 0, false, 15, "sc Wc_s: 15"},
    {"sc", 1, false, 31, "sc Wd_s: 31"},
    {"sc", 2, false, -1, "sc Wt_s"},
    {"sc", 3, false, INT32_MAX, "sc Wo_s"},
    {"fm", 12, false, -1, "fm row 12"},
    {"E.3", 2, true, INT8_MIN, "E.3 row 2: holds -128"},
    {"Wc", 3 * 26 + 5, true, INT8_MIN, "Wc row 1: holds -128"},
    {"Wd", 0, true, INT8_MIN, "Wd row 0: holds -128"},
    {"Wt", 40 * 23, true, INT8_MIN, "Wt row 23: holds -128"},
    {"Wo", 24 * 12, true, INT8_MIN, "Wo row 12: holds -128"},
    {"Wc_m", 39, false, INT32_MAX, "b1 row 39"},
    {"Wd_m", 7, false, INT32_MIN, "b1 row 7"},
    {"b1", 3, false, INT32_MIN, "b1 row 3"},
    {"Wt_m", 1, false, INT32_MAX, "bt row 1"},
    {"bo", 0, false, INT32_MAX, "bo row 0"},
    {"Wo_m", 12, false, INT32_MIN, "bo row 12"},
};

START_TEST(test_values_that_could_overflow_are_refused_by_tensor)
{
    void *tensor = erx_policy_fixture_tensor(&fixture, values[_i].tensor);
    if (values[_i].is_i8)
        ((int8_t *)tensor)[values[_i].index] = (int8_t)values[_i].value;
    else
        ((int32_t *)tensor)[values[_i].index] = values[_i].value;
    erx_policy_fixture_seal(&fixture);
    erx_policy_fixture_write(&fixture, directory);
    expect_refused(ERX_ERR_RANGE, values[_i].text);
}
END_TEST

START_TEST(test_damaged_files_are_refused)
{
    erx_policy_fixture_write(&fixture, directory);
    fixture.weights[100] ^= 1; /* the manifest keeps the hash of what was */
    erx_policy_fixture_write(&fixture, directory);
    expect_refused(ERX_ERR_HASH, "weights_int8.bin");
    const char *path = erx_scratch_file(directory, ERX_POLICY_WEIGHTS);
    ck_assert_int_eq(truncate(path, (off_t)fixture.weight_bytes - 1), 0);
    expect_refused(ERX_ERR_FORMAT, "total_weight_bytes");
    ck_assert_int_eq(truncate(path, (off_t)fixture.weight_bytes + 1), 0);
    expect_refused(ERX_ERR_FORMAT, "total_weight_bytes");
    ck_assert_int_eq(truncate(path, (off_t)fixture.weight_bytes + 2), 0);
    expect_refused(ERX_ERR_RANGE, "weights_int8.bin: is");
    ck_assert_int_eq(unlink(path), 0);
    expect_refused(ERX_ERR_NOT_FOUND, "weights_int8.bin: cannot open");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refused(ERX_ERR_FORMAT, "not a regular file");
    path = erx_scratch_file(directory, ERX_POLICY_MANIFEST);
    ck_assert_int_eq(truncate(path, 20), 0);
    expect_refused(ERX_ERR_FORMAT, "manifest.json");
    ck_assert(!erx_policy_file_applies(directory));
    ck_assert_int_eq(unlink(path), 0);
    expect_refused(ERX_ERR_NOT_FOUND, "manifest.json: cannot open");
    ck_assert(!erx_policy_file_applies(directory));
}
END_TEST

Suite *policy_file_suite(void)
{
    Suite *suite = suite_create("policy_file");
    TCase *all = tcase_create("policy_file");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, test_a_written_policy_is_read);
    tcase_add_test(all, test_tensors_do_not_overlap_and_fill_the_file);
    tcase_add_loop_test(all, test_manifests_that_are_wrong_are_refused_by_key, 0,
                        (int)ERX_COUNT(changes));
    tcase_add_test(all, test_too_many_columns_are_refused);
    tcase_add_loop_test(all, test_values_that_could_overflow_are_refused_by_tensor, 0,
                        (int)ERX_COUNT(values));
    tcase_add_test(all, test_damaged_files_are_refused);
    suite_add_tcase(suite, all);
    return suite;
}
