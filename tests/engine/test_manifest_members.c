#include "tests/engine/engine_suites.h"
#include "tests/engine/manifest_trial.h"

#include <stdio.h>
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

/* ---- every member, each way that it can be wrong ---- */

/* Each of them is wrong for every member of a manifest but name, which may be
 * any text. */
static json_t *wrong_value(size_t kind)
{
    switch (kind) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_real(1.5);
    case 3:
        return json_string("text");
    case 4:
        return json_array();
    case 5:
        return json_object();
    case 6:
        return json_integer(-1);
    case 7:
        return json_integer(INT64_MAX);
    case 8:
        return json_real(1e30);
    default:
        return NULL;
    }
}

static void expect_all_wrong(json_t *root, json_t *container, const char *path);

static void expect_removal_refused(json_t *root, json_t *object, const char *key, const char *path)
{
    json_t *before = json_copy(object);
    json_object_del(object, key);
    trial_expect_refused(root, path);
    json_object_clear(object);
    json_object_update(object, before); /* in the order it had */
    json_decref(before);
}

static void expect_member_wrong(json_t *root, json_t *object, const char *key, const char *path)
{
    bool free_text = strcmp(path, "name") == 0;
    json_t *value = json_incref(json_object_get(object, key));
    json_t *wrong = NULL;
    for (size_t kind = 0; (wrong = wrong_value(kind)) != NULL; kind++) {
        bool skipped = free_text && json_is_string(wrong);
        json_object_set_new(object, key, wrong);
        if (!skipped)
            trial_expect_refused(root, path);
    }
    json_object_set_new(object, key, value);
}

static void expect_element_wrong(json_t *root, json_t *array, size_t index, const char *path)
{
    json_t *value = json_incref(json_array_get(array, index));
    json_t *wrong = NULL;
    for (size_t kind = 0; (wrong = wrong_value(kind)) != NULL; kind++) {
        json_array_set_new(array, index, wrong);
        erx_error_t error;
        ck_assert_msg(trial_parse_json(root, &error) != ERX_OK, "accepted a bad %s[%zu]", path,
                      index);
        ck_assert_msg(strncmp(error.text, path, strlen(path)) == 0, "for %s[%zu]: \"%s\"", path,
                      index, error.text);
    }
    json_array_set_new(array, index, value);
    char element[128];
    (void)snprintf(element, sizeof element, "%s.%zu", path, index);
    expect_all_wrong(root, json_array_get(array, index), element);
}

static void expect_all_wrong(json_t *root, json_t *container, const char *path)
{
    for (size_t i = 0; i < json_array_size(container); i++)
        expect_element_wrong(root, container, i, path);
    /* Over a copy, because removal and restoring end an iteration. */
    json_t *members = json_copy(container);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(members, key, value)
    {
        if (strcmp(key, "provenance") == 0)
            continue; /* optional and free-form */
        char inner[128];
        (void)snprintf(inner, sizeof inner, "%s%s%s", path, path[0] != '\0' ? "." : "", key);
        expect_removal_refused(root, container, key, inner);
        expect_member_wrong(root, container, key, inner);
        expect_all_wrong(root, value, inner);
    }
    json_decref(members);
}

START_TEST(test_every_member_is_required_typed_and_ranged)
{
    json_t *root = trial_json(&fixture);
    expect_all_wrong(root, root, "");
    trial_expect_accepted(root);
    json_decref(root);
}
END_TEST

START_TEST(test_unknown_members_are_allowed_at_the_top_only)
{
    static const char *const objects[][4] = {
        {"architecture"}, {"heads"},
        {"shard_map"},    {"shard_map", "shards", "0"},
        {"tensors"},      {"tensors", "layers.0.Win"},
    };
    static const char *const paths[] = {
        "architecture.extra",       "heads.extra",   "shard_map.extra",
        "shard_map.shards.0.extra", "tensors.extra", "tensors.layers.0.Win.extra",
    };
    json_t *root = trial_json(&fixture);
    json_object_set_new(root, "extra", json_object());
    trial_expect_accepted(root);
    for (size_t i = 0; i < ERX_COUNT(objects); i++) {
        json_t *object = trial_member(root, objects[i]);
        json_object_set_new(object, "extra", json_integer(1));
        trial_expect_refused(root, paths[i]);
        json_object_del(object, "extra");
    }
    json_object_set_new(json_object_get(root, "tensors"), "a\n\x7f", json_null());
    trial_expect_refused(root, "tensors.a??");
    json_decref(root);
}
END_TEST

Suite *manifest_members_suite(void)
{
    Suite *suite = suite_create("manifest_members");
    TCase *tcase = tcase_create("manifest_members");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_every_member_is_required_typed_and_ranged);
    tcase_add_test(tcase, test_unknown_members_are_allowed_at_the_top_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
