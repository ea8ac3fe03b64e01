/* Reads Prometheus' text format: what `erx top` shows is what every other
 * monitor sees. */
#ifndef ERX_NODE_METRICS_TEXT_H
#define ERX_NODE_METRICS_TEXT_H

#include "node/common.h"

/* The value of a metric without labels; 0 where there is none. */
double erx_metrics_text_value(const char *text, size_t length, const char *name);

/* A bound in seconds under which the given share of a histogram's observations
 * stay that came between two readings (before may be empty); 0 without any. */
double erx_metrics_text_quantile(const char *text, size_t length, const char *before,
                                 size_t before_length, const char *name, double share);

#endif
