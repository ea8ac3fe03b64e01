#include "node/base_backoff.h"

#include <sys/random.h>

#define DOUBLINGS_MAX 16u /* beyond the greatest wait */

uint64_t erx_backoff_wait(uint32_t failures)
{
    uint32_t doublings = failures > 0 ? ERX_LESSER(failures - 1, DOUBLINGS_MAX) : 0;
    uint64_t wait = ERX_LESSER(ERX_BACKOFF_LEAST_NS << doublings, ERX_BACKOFF_GREATEST_NS);
    uint64_t random = 0; /* without random numbers: no jitter */
    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return wait / 2 + random % (wait / 2);
}
