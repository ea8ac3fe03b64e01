#include "tools/random.h"

#define STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: splitmix64's increment */

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void erx_random_seed(erx_random_t *random, uint64_t seed, uint64_t stream)
{
    random->state = mix(mix(seed + STEP) ^ (stream + 1) * STEP);
}

uint64_t erx_random_next(erx_random_t *random)
{
    random->state += STEP;
    return mix(random->state);
}

uint32_t erx_random_below(erx_random_t *random, uint32_t bound)
{
    return (uint32_t)(((erx_random_next(random) >> 32) * bound) >> 32);
}

int32_t erx_random_between(erx_random_t *random, int32_t low, int32_t high)
{
    return low + (int32_t)erx_random_below(random, (uint32_t)(high - low) + 1);
}

bool erx_random_once_in(erx_random_t *random, uint32_t one_in_256)
{
    return erx_random_below(random, one_in_256) < 256;
}
