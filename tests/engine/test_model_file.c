#include "engine/model_file.h"

#include "tests/engine/engine_suites.h"
#include "tests/support/file.h"
#include "tests/support/model_fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static erx_fixture_t fixture;
static char directory[ERX_SCRATCH_PATH_MAX];

static void setup(void)
{
    erx_fixture_model(&erx_fixture_micro, 3, &fixture);
    erx_scratch_make(directory);
    erx_fixture_write(&fixture, directory);
}

static void teardown(void)
{
    erx_scratch_remove(directory);
    erx_fixture_free(&fixture);
}

static const char *path_of(const char *name)
{
    return erx_scratch_file(directory, name);
}

static void write_file(const char *name, const void *data, size_t bytes)
{
    erx_file_write(path_of(name), data, bytes);
}

/* Opening fails with this status; the text names the file and holds part. */
static void expect_refused(erx_status_t status, const char *name, const char *part)
{
    static const erx_model_file_t empty;
    erx_model_file_t file;
    erx_error_t error;
    ck_assert_int_eq(erx_model_file_open(directory, &file, &error), status);
    ck_assert_mem_eq(&file, &empty, sizeof file);
    const char *path = path_of(name);
    ck_assert_msg(strncmp(error.text, path, strlen(path)) == 0, "%s", error.text);
    ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" lacks \"%s\"", error.text, part);
}

/* Opens what must open. */
static erx_model_file_t open_good(const char *path)
{
    erx_model_file_t file;
    erx_error_t error;
    ck_assert_msg(erx_model_file_open(path, &file, &error) == ERX_OK, "%s", error.text);
    return file;
}

START_TEST(test_a_directory_opens_with_all_it_holds)
{
    erx_model_file_t file = open_good(directory);
    ck_assert_str_eq(file.manifest.name, "fixture");
    ck_assert_mem_eq(file.weights, fixture.weights, fixture.weight_bytes);
    ck_assert_ptr_eq(file.tensors.Wl,
                     file.weights + erx_manifest_find(&file.manifest, "Wl")->offset);
    ck_assert_int_eq(file.tensors.layers[0].Wo_s, fixture.tensors.layers[0].Wo_s);
    ck_assert(!file.has_luts);
    erx_model_file_close(&file);
    erx_model_file_close(&file); /* all zero by now */

    uint8_t luts[ERX_LUTS_BYTES];
    for (size_t i = 0; i < sizeof luts; i++)
        luts[i] = (uint8_t)(i * 7);
    write_file("luts.bin", luts, sizeof luts);
    file = open_good(directory);
    ck_assert(file.has_luts);
    ck_assert_mem_eq(file.luts, luts, sizeof luts);
    erx_model_file_close(&file);
}
END_TEST

START_TEST(test_the_model_hash_covers_manifest_and_weights)
{
    erx_model_file_t file = open_good(directory);
    uint8_t before[ERX_SHA256_BYTES];
    memcpy(before, file.model_hash, sizeof before);
    erx_error_t error;
    uint8_t expected[ERX_SHA256_BYTES];
    const erx_sha256_part_t parts[] = {{fixture.text, fixture.text_bytes},
                                       {fixture.manifest.weight_sha256, ERX_SHA256_BYTES}};
    ck_assert_int_eq(erx_sha256(parts, 2, expected, &error), ERX_OK);
    ck_assert_mem_eq(before, expected, sizeof before);
    erx_model_file_close(&file);

    ((int8_t *)erx_fixture_tensor(&fixture, "Wl"))[0] ^= 1;
    erx_fixture_seal(&fixture);
    erx_fixture_write(&fixture, directory);
    file = open_good(directory);
    ck_assert_mem_ne(file.model_hash, before, sizeof before);
    erx_model_file_close(&file);
}
END_TEST

START_TEST(test_missing_and_foreign_files_are_named)
{
    write_file("luts.bin", "short", 5);
    expect_refused(ERX_ERR_FORMAT, "luts.bin", "must be 1024");
    ck_assert_int_eq(remove(path_of("luts.bin")), 0);
    ck_assert_int_eq(mkdir(path_of("luts.bin"), 0700), 0);
    expect_refused(ERX_ERR_FORMAT, "luts.bin", "not a regular file");

    ck_assert_int_eq(remove(path_of("weights_int8.bin")), 0);
    expect_refused(ERX_ERR_NOT_FOUND, "weights_int8.bin", "cannot open");
    ck_assert_int_eq(mkfifo(path_of("weights_int8.bin"), 0600), 0);
    expect_refused(ERX_ERR_FORMAT, "weights_int8.bin", "not a regular file");

    write_file("manifest.json", "{", 1);
    expect_refused(ERX_ERR_FORMAT, "manifest.json", "line 1");
    ck_assert_int_eq(truncate(path_of("manifest.json"), ERX_MANIFEST_BYTES_MAX + 1), 0);
    expect_refused(ERX_ERR_RANGE, "manifest.json", "must be at most");
    ck_assert_int_eq(remove(path_of("manifest.json")), 0);
    expect_refused(ERX_ERR_NOT_FOUND, "manifest.json", "cannot open");
}
END_TEST

START_TEST(test_long_directories_keep_the_reason)
{
    char path[5000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    erx_model_file_t file;
    erx_error_t error;
    ck_assert_int_eq(erx_model_file_open(path, &file, &error), ERX_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "manifest.json: the path is too long"));
}
END_TEST

START_TEST(test_weights_of_another_length_are_refused)
{
    write_file("weights_int8.bin", fixture.weights, fixture.weight_bytes - 1);
    expect_refused(ERX_ERR_FORMAT, "weights_int8.bin", "total_weight_bytes");
    write_file("weights_int8.bin", fixture.weights, 0);
    expect_refused(ERX_ERR_FORMAT, "weights_int8.bin", "total_weight_bytes");
    ck_assert_int_eq(truncate(path_of("weights_int8.bin"), (off_t)fixture.weight_bytes + 1), 0);
    expect_refused(ERX_ERR_FORMAT, "weights_int8.bin", "total_weight_bytes");
}
END_TEST

START_TEST(test_values_are_checked_behind_good_hashes)
{
    ((int8_t *)erx_fixture_tensor(&fixture, "layers.0.Wo"))[64] = -128;
    erx_fixture_seal(&fixture);
    erx_fixture_write(&fixture, directory);
    expect_refused(ERX_ERR_RANGE, "weights_int8.bin", "layers.0.Wo row 1: holds -128");
}
END_TEST

/* ---- binding ---- */

START_TEST(test_every_flipped_bit_is_found_in_its_shard)
{
    fixture.shard_bytes = 8 * ERX_SHARD_ALIGN;
    erx_fixture_seal(&fixture);
    ck_assert_uint_gt(fixture.manifest.shard_count, 1);
    for (size_t at = 0; at < fixture.weight_bytes; at += fixture.weight_bytes / 61) {
        fixture.weights[at] ^= (uint8_t)(1u << at % 8);
        char expected[64];
        (void)snprintf(expected, sizeof expected,
                       "shard_map.shards.%zu.sha256:", at / fixture.shard_bytes);
        erx_error_t error;
        ck_assert_int_eq(erx_manifest_bind(&fixture.manifest, fixture.weights, fixture.weight_bytes,
                                           &fixture.tensors, &error),
                         ERX_ERR_HASH);
        ck_assert_msg(strncmp(error.text, expected, strlen(expected)) == 0, "%s", error.text);
        fixture.weights[at] ^= (uint8_t)(1u << at % 8);
    }
}
END_TEST

START_TEST(test_the_file_hash_is_checked_besides_the_shards)
{
    fixture.manifest.weight_sha256[31] ^= 1;
    erx_error_t error;
    ck_assert_int_eq(erx_manifest_bind(&fixture.manifest, fixture.weights, fixture.weight_bytes,
                                       &fixture.tensors, &error),
                     ERX_ERR_HASH);
    ck_assert_int_eq(strncmp(error.text, "sha256:", 7), 0);
}
END_TEST

START_TEST(test_binding_wants_aligned_weights_of_the_right_size)
{
    erx_error_t error;
    erx_tensors_t tensors;
    ck_assert_int_eq(erx_manifest_bind(&fixture.manifest, fixture.weights + 8, fixture.weight_bytes,
                                       &tensors, &error),
                     ERX_ERR_ARGUMENT);
    ck_assert_int_eq(erx_manifest_bind(&fixture.manifest, fixture.weights,
                                       fixture.weight_bytes - 64, &tensors, &error),
                     ERX_ERR_FORMAT);
}
END_TEST

/* ---- the bundled models ---- */

static void expect_shared_model(const char *relative, const char *name)
{
    char path[ERX_SHARED_PATH_MAX];
    if (!erx_shared_path(relative, path))
        return;
    erx_model_file_t file = open_good(path);
    ck_assert_str_eq(file.manifest.name, name);
    static const erx_shape_t shape = {.d_model = 128,
                                      .d_inner = 256,
                                      .d_state = 16,
                                      .layer_count = 6,
                                      .head_count = 4,
                                      .head_dim = 64};
    ck_assert_mem_eq(&file.manifest.shape, &shape, sizeof shape);
    ck_assert(file.has_luts);
    ck_assert_ptr_nonnull(file.manifest.provenance);
    /* The plan lays tensors out as these directories have them. */
    static erx_tensor_entry_t entries[ERX_TENSORS_MAX];
    uint64_t bytes = 0;
    uint32_t count = erx_manifest_plan(&shape, entries, &bytes);
    ck_assert_uint_eq(bytes, file.manifest.weight_bytes);
    ck_assert_uint_eq(count, file.manifest.tensor_count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_str_eq(file.manifest.tensors[i].name, entries[i].name);
        ck_assert_uint_eq(file.manifest.tensors[i].offset, entries[i].offset);
    }
    erx_model_file_close(&file);
}

START_TEST(test_trained_models_load)
{
    expect_shared_model("models/world", "melee-world");
    expect_shared_model("models/melee-tiny", "melee-tiny");
}
END_TEST

Suite *model_file_suite(void)
{
    Suite *suite = suite_create("model_file");
    TCase *tcase = tcase_create("model_file");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_a_directory_opens_with_all_it_holds);
    tcase_add_test(tcase, test_the_model_hash_covers_manifest_and_weights);
    tcase_add_test(tcase, test_missing_and_foreign_files_are_named);
    tcase_add_test(tcase, test_long_directories_keep_the_reason);
    tcase_add_test(tcase, test_weights_of_another_length_are_refused);
    tcase_add_test(tcase, test_values_are_checked_behind_good_hashes);
    tcase_add_test(tcase, test_every_flipped_bit_is_found_in_its_shard);
    tcase_add_test(tcase, test_the_file_hash_is_checked_besides_the_shards);
    tcase_add_test(tcase, test_binding_wants_aligned_weights_of_the_right_size);
    tcase_add_test(tcase, test_trained_models_load);
    suite_add_tcase(suite, tcase);
    return suite;
}
