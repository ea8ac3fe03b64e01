#include "perf/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/assert.h"
#include "tools/fnv.h"
#include "tools/random.h"

void erx_samples_add(erx_samples_t *samples, double value)
{
    ERX_ASSERT(samples->count < ERX_BENCH_REPEATS_MAX);
    samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

double erx_samples_median(erx_samples_t *samples)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->values, samples->count, sizeof samples->values[0], compare);
    return samples->values[samples->count / 2];
}

void erx_bench_fill(void *bytes, size_t size, uint64_t seed)
{
    uint8_t *at = bytes;
    erx_random_t random;
    erx_random_seed(&random, seed, 0);
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(erx_random_next(&random) >> 56);
}

/* Whether a preset is to be measured. */
static bool wants(const erx_bench_options_t *options, uint32_t i)
{
    if (options->preset != NULL)
        return strcmp(options->preset, erx_presets[i].name) == 0;
    return !options->smoke || i == 0;
}

erx_status_t erx_bench_shapes(erx_bench_shape_fn measure, const erx_bench_options_t *options,
                              json_t *json, bool quiet, erx_error_t *error)
{
    erx_status_t status = ERX_OK;
    uint64_t hash = ERX_FNV_BASIS;
    char text[17];
    json_t *shapes = json_array();
    for (uint32_t i = 0; status == ERX_OK && i < ERX_PRESETS; i++) {
        erx_preset_t preset = erx_presets[i];
        preset.shape.profile = options->profile;
        if (wants(options, i))
            status = measure(&preset, options, shapes, quiet, &hash, error);
    }
    (void)snprintf(text, sizeof text, "%016" PRIx64, hash);
    (void)json_object_set_new(json, "shapes", shapes);
    (void)json_object_set_new(json, "hash", json_string(text));
    return status;
}
