/* Statistics of integers that flow through a network: size, spread, and how
 * many are lost at either end of their range. Sums are doubles in a fixed
 * order, so equal values give equal statistics on every machine. */
#ifndef ERX_TOOLS_GAUGE_H
#define ERX_TOOLS_GAUGE_H

#include "mem/base.h"

typedef struct {
    double sum;
    double squares;
    uint64_t count;
    uint64_t zeros;
    uint64_t saturated;
    int64_t greatest; /* of the magnitudes */
} erx_gauge_t;

/* Adds values; one whose magnitude reaches limit counts as saturated. At most
 * 2^16 values a call. */
void erx_gauge_add_i16(erx_gauge_t *gauge, const int16_t *values, uint32_t count, int32_t limit);
void erx_gauge_add_i32(erx_gauge_t *gauge, const int32_t *values, uint32_t count, int32_t limit);

/* Adds what another gauge has seen. */
void erx_gauge_merge(erx_gauge_t *gauge, const erx_gauge_t *other);

/* 0 where nothing was added. */
double erx_gauge_mean(const erx_gauge_t *gauge);
double erx_gauge_rms(const erx_gauge_t *gauge);
double erx_gauge_deviation(const erx_gauge_t *gauge); /* rms around the mean */
double erx_gauge_zeros(const erx_gauge_t *gauge);     /* share in [0, 1] */
double erx_gauge_saturated(const erx_gauge_t *gauge); /* share in [0, 1] */

#endif
