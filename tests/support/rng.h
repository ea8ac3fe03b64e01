/* Random numbers that can be had again: one seed a test program, printed when
 * it starts and taken from ERX_SEED where that is set. */
#ifndef ERX_TESTS_SUPPORT_RNG_H
#define ERX_TESTS_SUPPORT_RNG_H

#include "mem/base.h"

typedef struct {
    uint64_t state;
} erx_rng_t;

/* This run's seed. */
uint64_t erx_test_seed(void);

/* A generator for one test; stream tells the generators of a run apart. */
erx_rng_t erx_rng_open(uint64_t stream);

uint64_t erx_rng_next(erx_rng_t *rng);

/* Uniform in [low, high]. */
int64_t erx_rng_range(erx_rng_t *rng, int64_t low, int64_t high);

void erx_rng_fill(erx_rng_t *rng, void *bytes, size_t size);

#endif
