#include "node/crank.h"

__extension__ typedef unsigned __int128 erx_wide_t;

uint64_t erx_crank_tick_ns(erx_rate_t rate, uint64_t tick)
{
    /* 64 + 32 + 30 bits: cannot overflow. */
    return (uint64_t)((erx_wide_t)tick * rate.denominator * ERX_SECOND_NS / rate.numerator);
}

/* Greatest tick that is due at or before an offset from the start. */
static uint64_t tick_at(erx_rate_t rate, uint64_t offset_ns)
{
    erx_wide_t scaled = (erx_wide_t)offset_ns * rate.numerator;
    uint64_t tick = (uint64_t)(scaled / ((erx_wide_t)rate.denominator * ERX_SECOND_NS));
    /* Due times are rounded down: the next one may be due within this nanosecond. */
    return erx_crank_tick_ns(rate, tick + 1) <= offset_ns ? tick + 1 : tick;
}

void erx_crank_start(erx_crank_grid_t *grid_out, erx_rate_t rate, uint64_t block_ns,
                     uint64_t start_ns)
{
    *grid_out = (erx_crank_grid_t){
        .rate = rate,
        .block_ns = block_ns,
        .start_ns = start_ns,
        .block_due_ns = start_ns + block_ns,
    };
}

erx_crank_step_t erx_crank_next(erx_crank_grid_t *grid, uint64_t now_ns)
{
    uint64_t offset = now_ns > grid->start_ns ? now_ns - grid->start_ns : 0;
    uint64_t newest = tick_at(grid->rate, offset);
    if (newest > grid->tick) {
        grid->missed += newest - grid->tick;
        grid->tick = newest;
    }
    uint64_t tick_due = grid->start_ns + erx_crank_tick_ns(grid->rate, grid->tick);
    if (grid->block_due_ns < now_ns) /* late: one block now, not one for each that was due */
        grid->block_due_ns += (now_ns - grid->block_due_ns) / grid->block_ns * grid->block_ns;
    if (grid->block_due_ns + grid->block_ns / 2 <= tick_due) {
        erx_crank_step_t step = {.due_ns = grid->block_due_ns};
        grid->block_due_ns += grid->block_ns;
        return step;
    }
    erx_crank_step_t step = {.due_ns = tick_due, .tick = grid->tick, .is_tick = true};
    grid->tick++;
    grid->block_due_ns = tick_due + grid->block_ns;
    return step;
}
