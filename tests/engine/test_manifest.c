#include "engine/manifest.h"

#include "mem/alloc.h"
#include "tests/engine/engine_suites.h"
#include "tests/engine/manifest_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static erx_fixture_t fixture;

static void setup(void)
{
    erx_fixture_model(&erx_fixture_micro, 1, &fixture);
}

static void teardown(void)
{
    erx_fixture_free(&fixture);
}

/* ---- the text ---- */

static void expect_text_refused(const char *text, size_t bytes, const char *part)
{
    erx_error_t error;
    ck_assert_int_ne(trial_parse(text, bytes, &error), ERX_OK);
    ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" lacks \"%s\"", error.text, part);
    for (const char *at = error.text; *at != '\0'; at++)
        ck_assert_msg(*at >= ' ' && *at <= '~', "unprintable: %s", error.text);
}

START_TEST(test_malformed_text_is_refused_with_its_place)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "line 1"},
        {"{\n \"format\": }", "line 2"},
        {"[]", "must be a JSON object"},
        {"7", "line 1"},
        {"{\"format\": \"a\", \"format\": \"b\"}", "duplicate"},
        {"{\"format\": 99999999999999999999}", "integer"},
        {"{\"format\": \"\\u0000\"}", "line 1"},
        {"{\"format\": \"\xff\"}", "line 1"},
        {"{} \x01", "line 1"},
    };
    for (size_t i = 0; i < ERX_COUNT(cases); i++)
        expect_text_refused(cases[i].text, strlen(cases[i].text), cases[i].part);
    for (size_t bytes = 0; bytes < fixture.text_bytes; bytes += 61)
        expect_text_refused(fixture.text, bytes, "line");
}
END_TEST

START_TEST(test_size_and_depth_are_bounded)
{
    size_t bytes = ERX_MANIFEST_BYTES_MAX;
    char *text = erx_alloc(bytes + 1, 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '[', bytes + 1);
    expect_text_refused(text, bytes + 1, "must be at most");
    expect_text_refused(text, bytes, "depth");
    memset(text, ' ', bytes);
    memcpy(text, fixture.text, fixture.text_bytes);
    erx_error_t error;
    ck_assert_int_eq(trial_parse(text, bytes, &error), ERX_OK);
    erx_free(text);
}
END_TEST

/* ---- single rules ---- */

START_TEST(test_published_formats_are_told_how_to_run)
{
    static const char *const formats[] = {"mamba2_int8_v1", "mlp_int8_v1", "policy_int8_v1"};
    json_t *root = json_object(); /* they share no other key with a runnable manifest */
    for (size_t i = 0; i < ERX_COUNT(formats); i++) {
        json_object_set_new(root, "format", json_string(formats[i]));
        erx_error_t error;
        ck_assert_int_eq(trial_parse_json(root, &error), ERX_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.text, formats[i]));
        ck_assert_ptr_nonnull(strstr(error.text, "no activation scales"));
        ck_assert_ptr_nonnull(strstr(error.text, "erx quantize --from DIR --calib DATA --out OUT"));
    }
    json_decref(root);
}
END_TEST

START_TEST(test_names_are_short_printable_labels)
{
    json_t *root = trial_json(&fixture);
    json_object_set_new(root, "name", json_string("exactly thirty-two bytes, no more"));
    trial_expect_refused(root, "name");
    json_object_set_new(root, "name", json_string("exactly thirty-two bytes no more"));
    trial_expect_accepted(root);
    json_object_set_new(root, "name", json_string(""));
    trial_expect_refused(root, "name");
    json_object_set_new(root, "name", json_string("two\nlines"));
    trial_expect_refused(root, "name");
    json_object_set_new(root, "name", json_string("delete\x7f"));
    trial_expect_refused(root, "name");
    json_decref(root);
}
END_TEST

START_TEST(test_profiles_belong_to_architectures)
{
    static const char *const refused[] = {"", "i16ssm", "i16ssm-3", "I16SSM-1", "i8mlp-1"};
    erx_error_t error;
    json_t *root = trial_json(&fixture);
    for (uint32_t i = 0; i < ERX_PROFILES; i++) {
        erx_manifest_t manifest;
        json_object_set_new(root, "profile", json_string(erx_profile_names[i]));
        char *text = json_dumps(root, 0);
        ck_assert_int_eq(erx_manifest_parse(text, strlen(text), &manifest, &error), ERX_OK);
        ck_assert_uint_eq(manifest.shape.profile, i);
        erx_manifest_free(&manifest);
        free(text);
    }
    for (size_t i = 0; i < ERX_COUNT(refused); i++) {
        json_object_set_new(root, "profile", json_string(refused[i]));
        ck_assert_int_eq(trial_parse_json(root, &error), ERX_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.text, "profile: must be \"i16ssm-1\" or \"i16ssm-2\""));
    }
    json_decref(root);
}
END_TEST

START_TEST(test_shapes_have_limits_and_relations)
{
    static const struct {
        erx_shape_t shape; /* d, di, N, L, H, P */
        const char *key;   /* NULL: allowed */
    } cases[] = {
        {{32, 64, 2, 1, 1, 64}, NULL},
        {{1024, 2048, 128, 64, 128, 16}, NULL},
        {{1024, 2048, 128, 64, 1, 2048}, NULL},
        {{0, 0, 2, 1, 1, 64}, "architecture.d_model"},
        {{48, 96, 2, 1, 1, 96}, "architecture.d_model"},
        {{1056, 2112, 2, 1, 1, 2112}, "architecture.d_model"},
        {{32, 128, 2, 1, 1, 128}, "architecture.d_inner"},
        {{32, 64, 0, 1, 1, 64}, "architecture.d_state"},
        {{32, 64, 3, 1, 1, 64}, "architecture.d_state"},
        {{32, 64, 130, 1, 1, 64}, "architecture.d_state"},
        {{32, 64, 2, 0, 1, 64}, "architecture.n_layers"},
        {{32, 64, 2, 65, 1, 64}, "architecture.n_layers"},
        {{32, 64, 2, 1, 0, 64}, "architecture.nheads"},
        {{32, 64, 2, 1, 2, 64}, "architecture.nheads"},
        {{32, 64, 2, 1, 129, 16}, "architecture.nheads"},
        {{32, 64, 2, 1, 8, 8}, "architecture.headdim"},
        {{32, 64, 2, 1, 67108865, 64}, "architecture.nheads"},
    };
    for (size_t i = 0; i < ERX_COUNT(cases); i++) {
        erx_error_t error;
        erx_status_t status = erx_shape_check(&cases[i].shape, &error);
        ck_assert_int_eq(status, cases[i].key == NULL ? ERX_OK : ERX_ERR_RANGE);
        if (cases[i].key != NULL)
            ck_assert_msg(strncmp(error.text, cases[i].key, strlen(cases[i].key)) == 0,
                          "case %zu: %s", i, error.text);
    }
}
END_TEST

START_TEST(test_heads_keep_their_order)
{
    json_t *root = trial_json(&fixture);
    json_t *heads = json_object_get(root, "heads");
    json_object_del(heads, "binary");
    json_object_set_new(heads, "binary", json_integer(6)); /* now the last */
    trial_expect_refused(root, "heads.velocity");
    json_decref(root);
}
END_TEST

START_TEST(test_other_exponents_and_tables_are_refused)
{
    json_t *root = trial_json(&fixture);
    json_t *limits = json_object_get(root, "block_exponent");
    json_array_set_new(limits, 1, json_integer(6));
    trial_expect_refused(root, "block_exponent");
    json_array_set_new(limits, 1, json_integer(5));
    json_array_append_new(limits, json_integer(5));
    trial_expect_refused(root, "block_exponent");
    json_array_remove(limits, 2);
    trial_expect_accepted(root);
    const char *hash = json_string_value(json_object_get(root, "sha256"));
    json_object_set_new(root, "tables_sha256", json_string(hash));
    trial_expect_refused(root, "tables_sha256");
    json_decref(root);
}
END_TEST

START_TEST(test_digests_are_lower_case_hexadecimal)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefF";
    json_t *root = trial_json(&fixture);
    json_object_set_new(root, "sha256", json_string(digits));
    trial_expect_refused(root, "sha256");
    json_object_set_new(root, "sha256", json_stringn(digits, 63));
    trial_expect_refused(root, "sha256");
    json_object_set_new(root, "sha256", json_stringn(digits, 62));
    trial_expect_refused(root, "sha256");
    json_decref(root);
}
END_TEST

START_TEST(test_tensors_are_aligned_inside_and_apart)
{
    json_t *root = trial_json(&fixture);
    json_t *Gh = TRIAL_MEMBER(root, "tensors", "Gh");
    json_t *offset = json_object_get(Gh, "offset");
    json_int_t before = json_integer_value(offset);
    json_integer_set(offset, before + 1);
    trial_expect_refused(root, "tensors.Gh.offset");
    json_integer_set(offset, before + ERX_TENSOR_ALIGN);
    trial_expect_refused(root, "tensors.T.0"); /* begins inside of it */
    json_integer_set(offset, (json_int_t)fixture.weight_bytes);
    trial_expect_refused(root, "tensors.Gh.offset");
    json_integer_set(offset, before);
    trial_expect_accepted(root);
    /* Where a tensor lies is free otherwise: Gf and Gh may change places. */
    json_t *other = TRIAL_MEMBER(root, "tensors", "Gf", "offset");
    json_integer_set(offset, json_integer_value(other));
    trial_expect_refused(root, "tensors.Gh");
    json_integer_set(other, before);
    trial_expect_accepted(root);
    json_decref(root);
}
END_TEST

/* ---- the shard map ---- */

START_TEST(test_shards_follow_each_other_to_the_end)
{
    fixture.shard_bytes = 4 * ERX_SHARD_ALIGN;
    erx_fixture_seal(&fixture);
    ck_assert_uint_gt(fixture.manifest.shard_count, 2);
    json_t *root = trial_json(&fixture);
    static const struct {
        const char *key;
        json_int_t change;
        const char *path;
    } cases[] = {
        {"index", 1, "shard_map.shards.1.index"},
        {"offset", 64, "shard_map.shards.1.offset"},                           /* a gap */
        {"offset", -(json_int_t)ERX_SHARD_ALIGN, "shard_map.shards.1.offset"}, /* an overlap */
        {"size", -64, "shard_map.shards.2.offset"},               /* the next one misses it */
        {"size", ERX_SHARD_BYTES_MAX, "shard_map.shards.1.size"}, /* too large for an account */
        {"size", ERX_SHARD_ALIGN, "shard_map.shards.2.offset"},
    };
    for (size_t i = 0; i < ERX_COUNT(cases); i++) {
        json_t *value = TRIAL_MEMBER(root, "shard_map", "shards", "1", cases[i].key);
        json_int_t before = json_integer_value(value);
        json_integer_set(value, before + cases[i].change);
        trial_expect_refused(root, cases[i].path);
        json_integer_set(value, before);
    }
    trial_expect_accepted(root);
    json_decref(root);
}
END_TEST

START_TEST(test_shards_are_aligned_and_cover_the_file)
{
    fixture.shard_bytes = 4 * ERX_SHARD_ALIGN;
    erx_fixture_seal(&fixture);
    json_t *root = trial_json(&fixture);
    json_t *size = TRIAL_MEMBER(root, "shard_map", "shards", "0", "size");
    json_t *offset = TRIAL_MEMBER(root, "shard_map", "shards", "1", "offset");
    /* Contiguous, but the second begins in the middle of a page. */
    json_integer_set(size, json_integer_value(size) - 64);
    json_integer_set(offset, json_integer_value(offset) - 64);
    trial_expect_refused(root, "shard_map.shards.1.offset");
    json_decref(root);

    root = trial_json(&fixture);
    json_t *map = json_object_get(root, "shard_map");
    json_t *shards = json_object_get(map, "shards");
    json_array_remove(shards, json_array_size(shards) - 1);
    trial_expect_refused(root, "shard_map.shards"); /* num_shards says more */
    json_object_set_new(map, "num_shards", json_integer((json_int_t)json_array_size(shards)));
    trial_expect_refused(root, "shard_map.shards"); /* the end is not covered */
    json_decref(root);
}
END_TEST

/* ---- what a good manifest gives ---- */

START_TEST(test_a_manifest_reads_back_what_was_written)
{
    const erx_manifest_t *manifest = &fixture.manifest;
    ck_assert_str_eq(manifest->name, "fixture");
    ck_assert_mem_eq(&manifest->shape, &fixture.shape, sizeof fixture.shape);
    ck_assert_uint_eq(manifest->weight_bytes, fixture.weight_bytes);
    ck_assert_uint_eq(manifest->shard_count, 1);
    ck_assert_uint_eq(manifest->shards[0].bytes, fixture.weight_bytes);
    ck_assert_mem_eq(manifest->shards[0].sha256, manifest->weight_sha256, ERX_SHA256_BYTES);
    ck_assert_str_eq(manifest->provenance, "{\"made\":\"by a test fixture\"}");
    ck_assert_ptr_null(manifest->fidelity);
    ck_assert_uint_eq(manifest->tensor_count, ERX_GLOBAL_TENSORS + ERX_LAYER_TENSORS);
    const erx_tensor_entry_t *entry = erx_manifest_find(manifest, "layers.0.Wc");
    ck_assert_ptr_nonnull(entry);
    ck_assert_int_eq(entry->dtype, ERX_DTYPE_I16);
    ck_assert_uint_eq(entry->dimension_count, 2);
    ck_assert_uint_eq(entry->dimensions[0], 64 + 2 * 2);
    ck_assert_uint_eq(entry->dimensions[1], 4);
    ck_assert_uint_eq(entry->bytes, 68 * 4 * 2);
    ck_assert_ptr_null(erx_manifest_find(manifest, "layers.1.Wc"));
    for (uint32_t i = 1; i < manifest->tensor_count; i++)
        ck_assert_uint_lt(manifest->tensors[i - 1].offset, manifest->tensors[i].offset);
}
END_TEST

START_TEST(test_free_form_parts_are_any_json)
{
    json_t *root = trial_json(&fixture);
    json_object_set_new(root, "provenance", json_string("by hand"));
    json_object_set_new(root, "fidelity", json_pack("[f, i]", 44.3, 7));
    char *text = json_dumps(root, 0);
    erx_manifest_t manifest;
    erx_error_t error;
    ck_assert_int_eq(erx_manifest_parse(text, strlen(text), &manifest, &error), ERX_OK);
    ck_assert_str_eq(manifest.provenance, "\"by hand\"");
    ck_assert_str_eq(manifest.fidelity, "[44.3,7]");
    erx_manifest_free(&manifest);
    free(text);
    json_decref(root);
}
END_TEST

START_TEST(test_the_greatest_shape_fits_the_limits)
{
    static const erx_shape_t greatest = {.d_model = ERX_D_MODEL_MAX,
                                         .d_inner = 2 * ERX_D_MODEL_MAX,
                                         .d_state = ERX_D_STATE_MAX,
                                         .layer_count = ERX_LAYERS_MAX,
                                         .head_count = ERX_HEADS_MAX,
                                         .head_dim = 2 * ERX_D_MODEL_MAX / ERX_HEADS_MAX};
    erx_tensor_entry_t *entries = erx_alloc(ERX_TENSORS_MAX, sizeof *entries);
    uint64_t bytes = 0;
    ck_assert_uint_eq(erx_manifest_plan(&greatest, entries, &bytes), ERX_TENSORS_MAX);
    ck_assert_uint_le(bytes, ERX_WEIGHT_BYTES_MAX);
    ck_assert_uint_le(ERX_CEIL_DIV(bytes, ERX_SHARD_BYTES_MAX / ERX_SHARD_ALIGN * ERX_SHARD_ALIGN),
                      ERX_SHARDS_MAX);
    uint64_t end = 0;
    for (uint32_t i = 0; i < ERX_TENSORS_MAX; i++) {
        ck_assert_uint_eq(entries[i].offset, ERX_ALIGN_UP(end, ERX_TENSOR_ALIGN));
        end = entries[i].offset + entries[i].bytes;
        for (uint32_t k = 0; k < i; k++)
            ck_assert_str_ne(entries[i].name, entries[k].name);
    }
    erx_free(entries);
}
END_TEST

Suite *manifest_suite(void)
{
    Suite *suite = suite_create("manifest");
    TCase *tcase = tcase_create("manifest");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_malformed_text_is_refused_with_its_place);
    tcase_add_test(tcase, test_size_and_depth_are_bounded);
    tcase_add_test(tcase, test_published_formats_are_told_how_to_run);
    tcase_add_test(tcase, test_names_are_short_printable_labels);
    tcase_add_test(tcase, test_profiles_belong_to_architectures);
    tcase_add_test(tcase, test_shapes_have_limits_and_relations);
    tcase_add_test(tcase, test_heads_keep_their_order);
    tcase_add_test(tcase, test_other_exponents_and_tables_are_refused);
    tcase_add_test(tcase, test_digests_are_lower_case_hexadecimal);
    tcase_add_test(tcase, test_tensors_are_aligned_inside_and_apart);
    tcase_add_test(tcase, test_shards_follow_each_other_to_the_end);
    tcase_add_test(tcase, test_shards_are_aligned_and_cover_the_file);
    tcase_add_test(tcase, test_a_manifest_reads_back_what_was_written);
    tcase_add_test(tcase, test_free_form_parts_are_any_json);
    tcase_add_test(tcase, test_the_greatest_shape_fits_the_limits);
    suite_add_tcase(suite, tcase);
    return suite;
}
