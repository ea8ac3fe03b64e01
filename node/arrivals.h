/* When transactions arrived, for as long as they wait for a block. It is made for
 * a measurement: it is bounded, and forgets the older of two transactions that
 * fall in the same place. Belongs to the network thread. */
#ifndef ERX_NODE_ARRIVALS_H
#define ERX_NODE_ARRIVALS_H

#include "abi/erx.h"
#include "node/common.h"

#define ERX_ARRIVAL_PLACES 8192u /* a power of two, twice what a default queue holds */

/* Its owner embeds it, zeroed. */
typedef struct {
    struct {
        uint64_t signature; /* eight of its bytes: they are as good as random */
        uint64_t since_ns;  /* 0: nothing is here */
    } places[ERX_ARRIVAL_PLACES];
} erx_arrivals_t;

/* A transaction was handed over that arrived at since_ns (not 0). */
void erx_arrivals_add(erx_arrivals_t *arrivals, const uint8_t signature[ERX_SIGNATURE_SIZE],
                      uint64_t since_ns);

/* When it arrived, once; 0 where that is not known. */
uint64_t erx_arrivals_take(erx_arrivals_t *arrivals, const uint8_t signature[ERX_SIGNATURE_SIZE]);

#endif
