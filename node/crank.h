/* The grid of ticks, and of the blocks between them.
 *
 * Tick k is due at start + k * denominator / numerator seconds, computed from k
 * each time: an exact rational rate without drift. A tick that is over before
 * it could be run is missed: it is counted and never made up for, so ticks do
 * not bunch. Between two ticks blocks for transactions alone are due, a block
 * time after the last block, unless the next tick is nearer than half of one. */
#ifndef ERX_NODE_CRANK_H
#define ERX_NODE_CRANK_H

#include "node/config.h"

typedef struct {
    erx_rate_t rate;
    uint64_t block_ns;
    uint64_t start_ns;
    uint64_t tick;         /* the next one */
    uint64_t block_due_ns; /* of the next block without a tick */
    uint64_t missed;       /* so far */
} erx_crank_grid_t;

typedef struct {
    uint64_t due_ns;
    uint64_t tick; /* where is_tick */
    bool is_tick;  /* frames are due, not only transactions */
} erx_crank_step_t;

/* Due time of tick k after the start, rounded down to a nanosecond. */
uint64_t erx_crank_tick_ns(erx_rate_t rate, uint64_t tick);

/* Starts the grid: tick 0 is due at start_ns. */
void erx_crank_start(erx_crank_grid_t *grid_out, erx_rate_t rate, uint64_t block_ns,
                     uint64_t start_ns);

/* What is due next, seen at now_ns: ticks whose successor is due already are
 * counted as missed and skipped. Calling it again moves on. */
erx_crank_step_t erx_crank_next(erx_crank_grid_t *grid, uint64_t now_ns);

#endif
