/* A whole model made up in memory: legal by every rule, with values of the size
 * that a trained model has, so that activations neither vanish nor saturate.
 * The same shape and seed give the same bytes on every machine. */
#ifndef ERX_TESTS_SUPPORT_MODEL_FIXTURE_H
#define ERX_TESTS_SUPPORT_MODEL_FIXTURE_H

#include "engine/manifest.h"

typedef struct {
    erx_shape_t shape;
    uint8_t *weights; /* 64-byte aligned, laid out by erx_manifest_plan */
    size_t weight_bytes;
    size_t shard_bytes; /* greatest size of a shard; a multiple of 4096 */
    char *text;         /* manifest.json, terminated */
    size_t text_bytes;
    erx_manifest_t manifest; /* parsed from text */
    erx_tensors_t tensors;   /* bound to weights */
} erx_fixture_t;

/* Shapes that are quick to run: one layer of the least sizes, and one where
 * every dimension differs from every other. */
extern const erx_shape_t erx_fixture_micro;
extern const erx_shape_t erx_fixture_small;
extern const erx_shape_t erx_fixture_wide; /* of profile i16ssm-2 */
extern const erx_shape_t erx_fixture_mlp;  /* an MLP world model */

/* Makes a model that passes erx_tensors_check; any shape that passes
 * erx_shape_check. Free it with erx_fixture_free. */
void erx_fixture_model(const erx_shape_t *shape, uint64_t seed, erx_fixture_t *fixture_out);

/* Values of a tensor by its name in the manifest, to change them in place. */
void *erx_fixture_tensor(erx_fixture_t *fixture, const char *name);

/* Makes manifest and hashes anew after weights or shard_bytes were changed.
 * Scalars (sc, eps) reach tensors only through this. */
void erx_fixture_seal(erx_fixture_t *fixture);

/* Writes manifest.json and weights_int8.bin into an existing directory. */
void erx_fixture_write(const erx_fixture_t *fixture, const char *directory);

void erx_fixture_free(erx_fixture_t *fixture);

#endif
