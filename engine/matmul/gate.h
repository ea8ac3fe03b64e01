/* The gate of a block: programs that run on different threads and multiply by
 * the same matrix at about the same time are answered by one product, in which
 * every weight is read once for all of them.
 *
 * A program takes a seat before it runs and gives it back when it ends. A
 * product from a seat waits for others by the same matrix until every seat that
 * is not waiting itself has arrived, at most for the window; the last to arrive
 * computes, and while it does, one of those who wait may help it. A lone seat
 * never waits. A seat whose program left, faulted or computes something else
 * for long delays the others by the window at most, one that left or faulted
 * not at all. Results are those without a gate, bit for bit.
 *
 * Threads: a seat belongs to one thread at a time; everything else may be
 * called by any. Nothing allocates after open. */
#ifndef ERX_ENGINE_MATMUL_GATE_H
#define ERX_ENGINE_MATMUL_GATE_H

#include "kernels/kernel.h"
#include "mem/status.h"

#define ERX_GATE_SEATS_MAX 64u

/* Different matrices that seats can wait for at once; whoever comes with one
 * more computes alone. */
#define ERX_GATE_GROUPS 8u

typedef struct {
    const erx_kernel_t *kernel;
    uint64_t window_ns; /* longest wait for others; at most ERX_GATE_WINDOW_MAX_NS */
    uint32_t seats;     /* 1 .. ERX_GATE_SEATS_MAX */
    const void *owner;  /* whose matrices its seats multiply by; only told, may be NULL */
} erx_gate_config_t;

/* A wait of seconds is a mistake of units, not a window. */
#define ERX_GATE_WINDOW_MAX_NS UINT64_C(1000000000)

/* Some products' time: a late program is worth waiting for no longer. */
#define ERX_GATE_WINDOW_DEFAULT_NS UINT64_C(200000)

typedef struct {
    uint64_t products; /* batched products, also of one seat */
    uint64_t answers;  /* calls that they answered */
    uint64_t late;     /* products that the window's end started */
} erx_gate_counters_t;

typedef struct erx_gate erx_gate_t;
typedef struct erx_gate_seat erx_gate_seat_t;

/* Errors: ERX_ERR_RANGE (the message names the field), ERX_ERR_MEMORY. */
erx_status_t erx_gate_open(const erx_gate_config_t *config, erx_gate_t **gate_out,
                           erx_error_t *error);

/* No seat may be taken. NULL is allowed. */
void erx_gate_close(erx_gate_t *gate);

/* Takes a seat. Errors: ERX_ERR_FULL. */
erx_status_t erx_gate_join(erx_gate_t *gate, erx_gate_seat_t **seat_out, erx_error_t *error);

/* Gives the seat back; not while it multiplies. */
void erx_gate_leave(erx_gate_seat_t *seat);

/* The seat's program will not multiply for a while (it faulted, or does
 * something else): nobody waits for it until its next product. */
void erx_gate_rest(erx_gate_seat_t *seat);

/* output[rows] = matrix x input, together with others or alone. The matrix
 * stays packed until this returns; seats that are to share a product pass the
 * same one. output has no alignment and may not overlap input. */
void erx_gate_multiply(erx_gate_seat_t *seat, const erx_matrix_t *matrix, uint32_t rows,
                       const int8_t *input, void *output);

/* The owner that the seat's gate was opened with. */
const void *erx_gate_owner(const erx_gate_seat_t *seat);

/* Seats that are taken now. */
uint32_t erx_gate_seats_taken(erx_gate_t *gate);

erx_gate_counters_t erx_gate_counters(erx_gate_t *gate);

#endif
