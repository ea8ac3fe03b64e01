#include "node/arrivals.h"

#include <string.h>

static uint64_t number_of(const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    uint64_t number;
    memcpy(&number, signature, sizeof number);
    return number;
}

void erx_arrivals_add(erx_arrivals_t *arrivals, const uint8_t signature[ERX_SIGNATURE_SIZE],
                      uint64_t since_ns)
{
    uint64_t number = number_of(signature);
    arrivals->places[number % ERX_ARRIVAL_PLACES].signature = number;
    arrivals->places[number % ERX_ARRIVAL_PLACES].since_ns = since_ns;
}

uint64_t erx_arrivals_take(erx_arrivals_t *arrivals, const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    uint64_t number = number_of(signature);
    if (arrivals->places[number % ERX_ARRIVAL_PLACES].signature != number)
        return 0;
    uint64_t since_ns = arrivals->places[number % ERX_ARRIVAL_PLACES].since_ns;
    arrivals->places[number % ERX_ARRIVAL_PLACES].since_ns = 0;
    return since_ns;
}
