/* What native execution charges, in the compute units of the bytecode that it
 * replaces, so that a validator's budgets keep their meaning.
 *
 * The defaults are the published measurements of the bytecode version. A matrix
 * product costs what the syscall charges. The two products of a layer are
 * counted as that version calls them, 2 d_inner x d_model and d_model x
 * d_inner; the few rows of B, C and dt belong to the scan's figure. Profile
 * i16ssm-2 calls each twice: its activations are two bytes (NUMERICS 13). */
#ifndef ERX_ENGINE_MATMUL_COMPUTE_UNITS_H
#define ERX_ENGINE_MATMUL_COMPUTE_UNITS_H

#include "kernels/tensors.h"
#include "mem/status.h"

/* Every price at most this, so that no sum over a legal shape overflows. */
#define ERX_COMPUTE_PRICE_MAX UINT32_C(1000000)

typedef struct {
    uint64_t matmul_base;      /* of a call */
    uint64_t matmul_divisor;   /* multiply-adds for one unit; at least 1 */
    uint64_t scan_numerator;   /* scan_numerator / scan_denominator for each ... */
    uint64_t scan_denominator; /* ... of the d_inner * d_state state elements; at least 1 */
    uint64_t lookup;           /* of an activation: SiLU of x, B, C and z; dt and decay of a head */
    uint64_t norm;             /* these three of an element of d_model, once a layer */
    uint64_t requantize;
    uint64_t residual;
    uint64_t encode; /* of a frame */
    uint64_t decode; /* of a frame */
} erx_compute_table_t;

extern const erx_compute_table_t erx_compute_table_default;

/* Units of one layer or frame, by what they are charged for. */
typedef struct {
    uint64_t matmul;
    uint64_t scan;
    uint64_t lookup;
    uint64_t elementwise; /* norm, requantization and residual */
    uint64_t coding;      /* encode and decode; 0 for a layer */
} erx_compute_units_t;

/* Refuses a table with a divisor of 0 or a price above ERX_COMPUTE_PRICE_MAX:
 * ERX_ERR_RANGE, and the message names the field. Divisors have no maximum. */
erx_status_t erx_compute_table_check(const erx_compute_table_t *table, erx_error_t *error);

/* The functions below want a checked table and shape; pure, any thread. */

/* Units of one sol_matmul_i8: base + multiply_adds / divisor, rounded down and
 * saturated at UINT64_MAX. */
uint64_t erx_compute_units_matmul(const erx_compute_table_t *table, uint64_t multiply_adds);

erx_compute_units_t erx_compute_units_layer(const erx_compute_table_t *table,
                                            const erx_shape_t *shape);

/* An MLP world model has frames but no layers: its three products, the
 * requantization of its units, and the coding. */
erx_compute_units_t erx_compute_units_frame(const erx_compute_table_t *table,
                                            const erx_shape_t *shape);

/* Layers [first_layer, first_layer + layer_count) of a frame that is executed
 * in chunks: the first chunk pays for encoding, the last for decoding, so that
 * the chunks of a frame cost together what the frame costs. The run lies within
 * the shape's layers. */
erx_compute_units_t erx_compute_units_chunk(const erx_compute_table_t *table,
                                            const erx_shape_t *shape, uint32_t first_layer,
                                            uint32_t layer_count);

uint64_t erx_compute_units_total(const erx_compute_units_t *units);

#endif
