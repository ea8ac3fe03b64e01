/* Seeded random numbers for generators (splitmix64): integers only, the same
 * on every machine. Not for secrets. */
#ifndef ERX_TOOLS_RANDOM_H
#define ERX_TOOLS_RANDOM_H

#include "mem/base.h"

typedef struct {
    uint64_t state;
} erx_random_t;

/* Streams of one seed are independent: one for each thing that is generated,
 * so that adding one changes no other. */
void erx_random_seed(erx_random_t *random, uint64_t seed, uint64_t stream);

uint64_t erx_random_next(erx_random_t *random);

/* Uniform in [0, bound); bound >= 1. */
uint32_t erx_random_below(erx_random_t *random, uint32_t bound);

/* Uniform in [low, high]. */
int32_t erx_random_between(erx_random_t *random, int32_t low, int32_t high);

/* True once in one_in_256 / 256 calls on average; one_in_256 >= 256. */
bool erx_random_once_in(erx_random_t *random, uint32_t one_in_256);

#endif
