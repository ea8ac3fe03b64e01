/* What the benchmarks share: repetition, medians, shapes, and the hash of
 * their results, which proves that the work was done and is the same under
 * every instruction set. */
#ifndef ERX_PERF_BENCH_H
#define ERX_PERF_BENCH_H

#include <jansson.h>

#include "kernels/kernel.h"
#include "mem/region.h"
#include "tools/presets.h"
#include "tools/progress.h"

#define ERX_BENCH_REPEATS_MAX 101u

typedef struct {
    const erx_kernel_t *kernel; /* of the profile */
    const char *preset;         /* NULL: all */
    erx_profile_t profile;
    uint32_t repeats; /* of every measurement; medians are reported */
    bool smoke;       /* smallest sizes, once: for tests */
    bool phases;      /* frame only: what each operation takes */
} erx_bench_options_t;

/* Samples of one measurement. */
typedef struct {
    uint32_t count;
    double values[ERX_BENCH_REPEATS_MAX];
} erx_samples_t;

void erx_samples_add(erx_samples_t *samples, double value);

/* Median; 0 without samples. Orders the samples. */
double erx_samples_median(erx_samples_t *samples);

/* Deterministic filling with every byte value. */
void erx_bench_fill(void *bytes, size_t size, uint64_t seed);

/* Measures one shape: prints its table unless quiet, adds its row to shapes, and
 * goes on with the hash of results. */
typedef erx_status_t (*erx_bench_shape_fn)(const erx_preset_t *preset,
                                           const erx_bench_options_t *options, json_t *shapes,
                                           bool quiet, uint64_t *hash, erx_error_t *error);

/* Measures the presets that are wanted, and puts "shapes" and "hash" into json. */
erx_status_t erx_bench_shapes(erx_bench_shape_fn measure, const erx_bench_options_t *options,
                              json_t *json, bool quiet, erx_error_t *error);

/* Each prints a table to stdout unless quiet, and adds its rows to json. */
erx_status_t erx_bench_kernels(const erx_bench_options_t *options, json_t *json, bool quiet,
                               erx_error_t *error);
erx_status_t erx_bench_frame(const erx_bench_options_t *options, json_t *json, bool quiet,
                             erx_error_t *error);
erx_status_t erx_bench_syscall(const erx_bench_options_t *options, json_t *json, bool quiet,
                               erx_error_t *error);
erx_status_t erx_bench_gate(const erx_bench_options_t *options, json_t *json, bool quiet,
                            erx_error_t *error);

#endif
