/* A manifest that is taken apart: helpers of the manifest's suites. They fail
 * the test that calls them. */
#ifndef ERX_TESTS_ENGINE_MANIFEST_TRIAL_H
#define ERX_TESTS_ENGINE_MANIFEST_TRIAL_H

#include "tests/support/model_fixture.h"

#include <jansson.h>

/* The fixture's manifest as JSON, to be changed and freed. */
json_t *trial_json(const erx_fixture_t *fixture);

/* The member at keys, terminated by NULL; array indices count as numbers. */
json_t *trial_member(json_t *root, const char *const *keys);

#define TRIAL_MEMBER(root, ...) trial_member(root, (const char *const[]){__VA_ARGS__, NULL})

/* Parses; what is refused must leave nothing behind. */
erx_status_t trial_parse(const char *text, size_t bytes, erx_error_t *error);
erx_status_t trial_parse_json(const json_t *root, erx_error_t *error);

/* Refused, with an error that begins with the path of the member, or, where it
 * lost its own members, of the first that it lacks. */
void trial_expect_refused(const json_t *root, const char *path);

void trial_expect_accepted(const json_t *root);

#endif
