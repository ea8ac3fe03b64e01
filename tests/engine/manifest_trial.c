#include "tests/engine/manifest_trial.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

json_t *trial_json(const erx_fixture_t *fixture)
{
    json_t *root = json_loadb(fixture->text, fixture->text_bytes, 0, NULL);
    ck_assert_ptr_nonnull(root);
    return root;
}

erx_status_t trial_parse(const char *text, size_t bytes, erx_error_t *error)
{
    erx_manifest_t manifest;
    erx_status_t status = erx_manifest_parse(text, bytes, &manifest, error);
    if (status != ERX_OK) {
        static const erx_manifest_t empty;
        ck_assert_int_eq(error->status, status);
        ck_assert_mem_eq(&manifest, &empty, sizeof manifest);
    }
    erx_manifest_free(&manifest);
    return status;
}

erx_status_t trial_parse_json(const json_t *root, erx_error_t *error)
{
    char *text = json_dumps(root, 0);
    erx_status_t status = trial_parse(text, strlen(text), error);
    free(text);
    return status;
}

void trial_expect_refused(const json_t *root, const char *path)
{
    erx_error_t error;
    ck_assert_msg(trial_parse_json(root, &error) != ERX_OK, "accepted a bad %s", path);
    size_t length = strlen(path);
    bool named = strncmp(error.text, path, length) == 0 &&
                 (error.text[length] == ':' || error.text[length] == '.');
    ck_assert_msg(named, "for %s the error is \"%s\"", path, error.text);
}

void trial_expect_accepted(const json_t *root)
{
    erx_error_t error;
    ck_assert_msg(trial_parse_json(root, &error) == ERX_OK, "%s", error.text);
}

json_t *trial_member(json_t *root, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        root = json_is_array(root) ? json_array_get(root, strtoul(*keys, NULL, 10))
                                   : json_object_get(root, *keys);
        ck_assert_ptr_nonnull(root);
    }
    return root;
}
