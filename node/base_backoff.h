/* Waits between attempts that fail: each about twice the one before, up to a
 * limit, and partly random, so that many validators do not come back at once. */
#ifndef ERX_NODE_BASE_BACKOFF_H
#define ERX_NODE_BASE_BACKOFF_H

#include "node/common.h"

#define ERX_BACKOFF_LEAST_NS    (100 * ERX_MILLISECOND_NS)
#define ERX_BACKOFF_GREATEST_NS (10 * ERX_SECOND_NS)

/* How long to wait after so many failures in a row (at least 1). */
uint64_t erx_backoff_wait(uint32_t failures);

#endif
