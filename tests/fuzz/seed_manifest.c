/* Writes the seeds of fuzz_manifest into the files named on the command line:
 * a one-layer manifest, one with several shards, a two-layer manifest, and a
 * run of value changes. */
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void write_seed(const char *path, int kind, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    ERX_ASSERT(file != NULL);
    ERX_ASSERT(fputc(kind, file) == kind);
    ERX_ASSERT(fwrite(data, 1, bytes, file) == bytes);
    ERX_ASSERT(fclose(file) == 0);
}

static void write_manifest(const char *path, const erx_shape_t *shape, size_t shard_bytes)
{
    erx_fixture_t fixture;
    erx_fixture_model(shape, 1, &fixture); /* the weights that fuzz_manifest binds to */
    if (shard_bytes != 0) {
        fixture.shard_bytes = shard_bytes;
        erx_fixture_seal(&fixture);
    }
    write_seed(path, ERX_FUZZ_MANIFEST_TEXT, fixture.text, fixture.text_bytes);
    erx_fixture_free(&fixture);
}

int main(int argument_count, char **arguments)
{
    /* place, value: each scalar of sc, layers.0.sc and the epsilons once. */
    enum { CHANGES = 24 };
    uint32_t changes[CHANGES][2];
    for (uint32_t i = 0; i < CHANGES; i++) {
        changes[i][0] = UINT32_C(1) << 31 | i;
        changes[i][1] = 16;
    }
    if (argument_count != 5) {
        (void)fprintf(stderr, "usage: %s ONE_LAYER SHARDS TWO_LAYERS VALUES\n", arguments[0]);
        return EXIT_FAILURE;
    }
    write_manifest(arguments[1], &erx_fixture_micro, 0);
    write_manifest(arguments[2], &erx_fixture_micro, (size_t)8 * ERX_SHARD_ALIGN);
    write_manifest(arguments[3], &erx_fixture_small, 0);
    write_seed(arguments[4], ERX_FUZZ_MANIFEST_VALUES, changes, sizeof changes);
    return EXIT_SUCCESS;
}
