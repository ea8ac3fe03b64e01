#include "tests/support/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The increment of SplitMix64: 2^64 divided by the golden ratio, odd. */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t read_seed(void)
{
    const char *text = getenv("ERX_SEED");
    if (text == NULL || *text == '\0')
        return 0;
    char *end;
    errno = 0;
    uint64_t seed = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0' || seed == 0) {
        (void)fprintf(stderr, "ERX_SEED=%s is not a number from 1 to 2^64-1\n", text);
        exit(EXIT_FAILURE);
    }
    return seed;
}

uint64_t erx_test_seed(void)
{
    static uint64_t seed; /* 0: not chosen yet */
    if (seed == 0)
        seed = read_seed();
    while (seed == 0)
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
            abort();
    return seed;
}

/* The finalizer of SplitMix64: every bit of the input moves every bit of the
 * output. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

erx_rng_t erx_rng_open(uint64_t stream)
{
    return (erx_rng_t){.state = mix(erx_test_seed() ^ mix(stream + GOLDEN))};
}

uint64_t erx_rng_next(erx_rng_t *rng)
{
    rng->state += GOLDEN;
    return mix(rng->state);
}

int64_t erx_rng_range(erx_rng_t *rng, int64_t low, int64_t high)
{
    /* The remainder favours small values by at most span / 2^64: no test can
     * see it. A span of 0 is the whole range of 64 bits. */
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    uint64_t value = erx_rng_next(rng);
    return (int64_t)((uint64_t)low + (span == 0 ? value : value % span));
}

void erx_rng_fill(erx_rng_t *rng, void *bytes, size_t size)
{
    uint8_t *next = bytes;
    while (size > 0) {
        uint64_t value = erx_rng_next(rng);
        size_t part = ERX_MIN(size, sizeof value);
        memcpy(next, &value, part);
        next += part;
        size -= part;
    }
}
