/* A small policy made up in memory: legal by every rule, and it does different
 * things in different states. The same seed gives the same bytes everywhere. */
#ifndef ERX_TESTS_SUPPORT_POLICY_FIXTURE_H
#define ERX_TESTS_SUPPORT_POLICY_FIXTURE_H

#include "engine/policy_file.h"

#include <jansson.h>

typedef struct {
    erx_policy_shape_t shape;
    uint8_t *weights; /* laid out by erx_policy_plan */
    uint64_t weight_bytes;
    json_t *manifest; /* to be changed by tests */
} erx_policy_fixture_t;

extern const erx_policy_shape_t erx_policy_fixture_small;

/* Makes a policy that passes erx_policy_tensors_check. Free it. */
void erx_policy_fixture_make(const erx_policy_shape_t *shape, uint64_t seed,
                             erx_policy_fixture_t *fixture_out);

/* Values of a tensor, to change them in place. */
void *erx_policy_fixture_tensor(erx_policy_fixture_t *fixture, const char *name);

/* Makes the manifest's hash that of the weights. */
void erx_policy_fixture_seal(erx_policy_fixture_t *fixture);

/* Writes both files into an existing directory. */
void erx_policy_fixture_write(const erx_policy_fixture_t *fixture, const char *directory);

void erx_policy_fixture_free(erx_policy_fixture_t *fixture);

#endif
