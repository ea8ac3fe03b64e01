#include "engine/model_file.h"
#include "tests/support/file.h"
#include "tests/support/scratch.h"
#include "tests/tools/tools_suites.h"
#include "tools/model_writer.h"
#include "tools/presets.h"
#include "tools/synth.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char directory[ERX_SCRATCH_PATH_MAX];
static erx_model_draft_t draft;
static erx_error_t error;

static void setup(void)
{
    erx_scratch_make(directory);
    const erx_shape_t *shape = &erx_preset_find("micro")->shape;
    ck_assert_int_eq(erx_model_draft_open(&draft, shape, "a name", &error), ERX_OK);
    erx_synth_fill(&draft, 1, 0);
    ck_assert_int_eq(erx_model_draft_seal(&draft, &error), ERX_OK);
}

static void teardown(void)
{
    erx_model_draft_close(&draft);
    erx_scratch_remove(directory);
}

START_TEST(test_written_model_is_read_back)
{
    const char *path = erx_scratch_file(directory, "model/");
    json_t *provenance = json_pack("{s:s}", "made_by", "a test");
    ck_assert_int_eq(erx_model_write(&draft, path, provenance, NULL, &error), ERX_OK);
    json_decref(provenance);
    ck_assert_int_eq(erx_scratch_count(path), 3);
    erx_model_file_t file;
    erx_status_t status = erx_model_file_open(path, &file, &error);
    ck_assert_msg(status == ERX_OK, "%s", error.text);
    ck_assert_str_eq(file.manifest.name, "a name");
    ck_assert_mem_eq(&file.manifest.shape, &draft.manifest.shape, sizeof file.manifest.shape);
    ck_assert_uint_eq(file.manifest.weight_bytes, draft.manifest.weight_bytes);
    ck_assert_mem_eq(file.weights, draft.weights, draft.manifest.weight_bytes);
    ck_assert(file.has_luts);
    ck_assert_ptr_nonnull(strstr(file.manifest.provenance, "a test"));
    ck_assert_ptr_null(file.manifest.fidelity);
    erx_model_file_close(&file);
}
END_TEST

/* The greatest shard that fits an account and starts at a page. */
START_TEST(test_large_model_is_cut_into_shards)
{
    const erx_shape_t *shape = &erx_preset_find("target")->shape;
    erx_model_draft_t large;
    ck_assert_int_eq(erx_model_draft_open(&large, shape, "large", &error), ERX_OK);
    erx_synth_fill(&large, 1, 0);
    ck_assert_int_eq(erx_model_draft_seal(&large, &error), ERX_OK);
    ck_assert_uint_eq(large.manifest.shard_count, 3);
    uint64_t end = 0;
    for (uint32_t i = 0; i < large.manifest.shard_count; i++) {
        ck_assert_uint_eq(large.manifest.shards[i].offset, end);
        ck_assert_uint_eq(end % 4096, 0);
        ck_assert_uint_le(large.manifest.shards[i].bytes, 10 * 1024 * 1024 - 82);
        end += large.manifest.shards[i].bytes;
    }
    ck_assert_uint_eq(end, large.manifest.weight_bytes);
    erx_model_draft_close(&large);
}
END_TEST

START_TEST(test_empty_directory_is_filled)
{
    const char *path = erx_scratch_file(directory, "model");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(erx_model_write(&draft, path, NULL, NULL, &error), ERX_OK);
    ck_assert_int_eq(erx_scratch_count(path), 3);
    ck_assert_int_eq(erx_scratch_count(directory), 1);
}
END_TEST

START_TEST(test_directory_that_holds_something_is_left_alone)
{
    const char *path = erx_scratch_file(directory, "model");
    ck_assert_int_eq(erx_model_write(&draft, path, NULL, NULL, &error), ERX_OK);
    ck_assert_int_eq(erx_model_write(&draft, path, NULL, NULL, &error), ERX_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(error.text, "model exists and is not empty"));
    ck_assert_int_eq(erx_scratch_count(path), 3);
    ck_assert_int_eq(erx_scratch_count(directory), 1);
}
END_TEST

START_TEST(test_target_that_is_no_directory_is_refused)
{
    const char *path = erx_scratch_file(directory, "model");
    erx_file_write(path, "", 0);
    ck_assert_int_eq(erx_model_write(&draft, path, NULL, NULL, &error), ERX_ERR_IO);
    path = erx_scratch_file(directory, "absent/model");
    ck_assert_int_eq(erx_model_write(&draft, path, NULL, NULL, &error), ERX_ERR_IO);
    ck_assert_int_eq(erx_scratch_count(directory), 1);
}
END_TEST

START_TEST(test_rule_that_is_broken_is_found_on_sealing)
{
    int8_t *Win = erx_model_draft_layer(&draft, 1, "Win");
    Win[0] = INT8_MIN;
    ck_assert_int_eq(erx_model_draft_seal(&draft, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "layers.1.Win"));
}
END_TEST

Suite *model_writer_suite(void)
{
    Suite *suite = suite_create("model_writer");
    TCase *tcase = tcase_create("directories");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_written_model_is_read_back);
    tcase_add_test(tcase, test_large_model_is_cut_into_shards);
    tcase_add_test(tcase, test_empty_directory_is_filled);
    tcase_add_test(tcase, test_directory_that_holds_something_is_left_alone);
    tcase_add_test(tcase, test_target_that_is_no_directory_is_refused);
    tcase_add_test(tcase, test_rule_that_is_broken_is_found_on_sealing);
    suite_add_tcase(suite, tcase);
    return suite;
}
