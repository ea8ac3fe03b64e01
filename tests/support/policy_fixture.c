#include "tests/support/policy_fixture.h"

#include "kernels/tables.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "tests/support/file.h"
#include "tests/support/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const erx_policy_shape_t erx_policy_fixture_small = {3, 40, 24, {4, 2, 3, 1, 2, 2, 3, 2}};

void *erx_policy_fixture_tensor(erx_policy_fixture_t *fixture, const char *name)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(&fixture->shape, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++)
        if (strcmp(entries[i].name, name) == 0)
            return fixture->weights + entries[i].offset;
    ERX_ASSERT(false);
    return NULL;
}

static void fill(erx_policy_fixture_t *fixture, erx_rng_t *rng, const char *name, uint32_t count,
                 int32_t low, int32_t high)
{
    int32_t *values = erx_policy_fixture_tensor(fixture, name);
    for (uint32_t i = 0; i < count; i++)
        values[i] = (int32_t)erx_rng_range(rng, low, high);
}

static void fill_weights(erx_policy_fixture_t *fixture, erx_rng_t *rng)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(&fixture->shape, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++)
        for (uint64_t k = 0; entries[i].dtype == ERX_DTYPE_I8 && k < entries[i].bytes; k++)
            fixture->weights[entries[i].offset + k] = (uint8_t)erx_rng_range(rng, -127, 127);
}

void erx_policy_fixture_make(const erx_policy_shape_t *shape, uint64_t seed,
                             erx_policy_fixture_t *fixture_out)
{
    erx_policy_fixture_t *fixture = fixture_out;
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    erx_rng_t rng = {seed};
    *fixture = (erx_policy_fixture_t){.shape = *shape};
    erx_policy_plan(shape, entries, &fixture->weight_bytes);
    fixture->weights = erx_alloc(fixture->weight_bytes, 1);
    ERX_ASSERT(fixture->weights != NULL);
    const int32_t shifts[] = {24, 20, 20, 16};
    memcpy(erx_policy_fixture_tensor(fixture, "sc"), shifts, sizeof shifts);
    fill_weights(fixture, &rng);
    fill(fixture, &rng, "fm", ERX_CONTINUOUS, 10000, 80000);
    fill(fixture, &rng, "Wc_m", shape->hidden, 1 << 15, 1 << 16);
    fill(fixture, &rng, "Wd_m", shape->hidden, 1 << 15, 1 << 16);
    fill(fixture, &rng, "b1", shape->hidden, -4000, 8000);
    fill(fixture, &rng, "Wt_m", shape->trunk, 1 << 17, 1 << 18);
    fill(fixture, &rng, "bt", shape->trunk, -4000, 8000);
    fill(fixture, &rng, "Wo_m", ERX_POLICY_OUTPUTS, 1 << 17, 1 << 18);
    fill(fixture, &rng, "bo", ERX_POLICY_OUTPUTS, -60000, 60000);
    json_t *widths = json_array();
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        json_array_append_new(widths, json_integer(shape->embed_widths[i]));
    char tables[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(erx_tables_sha256, tables);
    fixture->manifest =
        json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:i, s:i, s:o}, s:I, s:s, s:{s:s}}", "format",
                  ERX_POLICY_FORMAT, "profile", ERX_POLICY_PROFILE, "name", "fixture",
                  "architecture", "model_type", "policy", "context_len", (int)shape->context,
                  "hidden_dim", (int)shape->hidden, "trunk_dim", (int)shape->trunk, "embed_widths",
                  widths, "total_weight_bytes", (json_int_t)fixture->weight_bytes, "tables_sha256",
                  tables, "provenance", "made", "up");
    ERX_ASSERT(fixture->manifest != NULL);
    erx_policy_fixture_seal(fixture);
}

void erx_policy_fixture_seal(erx_policy_fixture_t *fixture)
{
    const erx_sha256_part_t part = {fixture->weights, fixture->weight_bytes};
    uint8_t digest[ERX_SHA256_BYTES];
    char text[ERX_SHA256_TEXT_MAX];
    erx_error_t error;
    ERX_ASSERT(erx_sha256(&part, 1, digest, &error) == ERX_OK);
    erx_sha256_text(digest, text);
    json_object_set_new(fixture->manifest, "sha256", json_string(text));
}

void erx_policy_fixture_write(const erx_policy_fixture_t *fixture, const char *directory)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/" ERX_POLICY_MANIFEST, directory);
    ERX_ASSERT(json_dump_file(fixture->manifest, path, 0) == 0);
    (void)snprintf(path, sizeof path, "%s/" ERX_POLICY_WEIGHTS, directory);
    erx_file_write(path, fixture->weights, fixture->weight_bytes);
}

void erx_policy_fixture_free(erx_policy_fixture_t *fixture)
{
    erx_free(fixture->weights);
    json_decref(fixture->manifest);
    *fixture = (erx_policy_fixture_t){0};
}
