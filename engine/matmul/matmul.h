/* sol_matmul_i8: the matrix product that virtual machines of programs call.
 *
 *   y[i] = sum over j < columns of W[i * columns + j] * x[j]     i8 x i8 -> i32
 *
 * The virtual machine stays the embedder's: its memory map and its meter are
 * callbacks, a fault comes back in a struct. Order of what a call does, and
 * with it which of several faults is reported:
 *
 *   1. columns above ERX_MATMUL_COLUMNS_MAX, rows * columns or rows * 4 beyond
 *      64 bits: invalid argument
 *   2. base + rows * columns / divisor units are charged: compute exhausted
 *   3. rows or columns 0: success, nothing is translated or written
 *   4. weights, input (readable), output (writable), in this order: a range
 *      that wraps around or that the map refuses is an access violation
 *   5. output overlaps weights or input, as addresses or in memory: invalid
 *      argument
 *   6. the product
 *
 * No fault writes anything. Addresses need no alignment. Every i8 value is
 * exact, -128 * -128 included, and every kernel, the cache and the gate give
 * the same bytes. */
#ifndef ERX_ENGINE_MATMUL_MATMUL_H
#define ERX_ENGINE_MATMUL_MATMUL_H

#include "engine/matmul/compute_units.h"
#include "engine/matmul/gate.h"
#include "engine/matmul/matrix_cache.h"

/* 16384 * 128 * 128 is far from the end of i32. */
#define ERX_MATMUL_COLUMNS_MAX UINT64_C(16384)

/* The matrices of three 15M models, packed. */
#define ERX_MATMUL_CACHE_BYTES_DEFAULT ((size_t)64 << 20)

/* Some frames at 60 a second: what is used in each stays packed. */
#define ERX_MATMUL_CACHE_IDLE_NS_DEFAULT UINT64_C(200000000)

typedef enum {
    ERX_MATMUL_OK = 0,
    ERX_MATMUL_ACCESS_VIOLATION = 1,
    ERX_MATMUL_COMPUTE_EXHAUSTED = 2,
    ERX_MATMUL_INVALID_ARGUMENT = 3
} erx_matmul_result_t;

/* Which operand a fault is about. */
typedef enum {
    ERX_MATMUL_OPERAND_NONE = 0,
    ERX_MATMUL_OPERAND_WEIGHTS = 1,
    ERX_MATMUL_OPERAND_INPUT = 2,
    ERX_MATMUL_OPERAND_OUTPUT = 3,
    ERX_MATMUL_OPERAND_ROWS = 4,
    ERX_MATMUL_OPERAND_COLUMNS = 5,
    ERX_MATMUL_OPERAND_DIMENSIONS = 6
} erx_matmul_operand_t;

typedef struct {
    erx_matmul_result_t kind;
    erx_matmul_operand_t operand;
    uint64_t address; /* access violation: the range; overlap: the output's */
    uint64_t length;
    uint64_t units; /* compute exhausted: what was asked for */
} erx_matmul_fault_t;

/* Memory behind a range of the program's addresses, valid until the call
 * returns. */
typedef struct {
    void *bytes;
    /* Whether the range lies in an account whose bytes obey the rule of
     * matrix_cache.h, which one that the program itself may write to does not;
     * account, version and offset are read only then, and only for weights. */
    bool is_named;
    uint8_t account[ERX_ACCOUNT_KEY_BYTES];
    uint64_t version;
    uint64_t offset; /* of the range's first byte in the account's data */
} erx_matmul_range_t;

/* A virtual machine while it is in the call. */
typedef struct {
    /* Fills range_out (zeroed) for [address, address + length), length > 0, no
     * wrap-around; false where any byte of it is not mapped, or not writable
     * although is_write. */
    bool (*translate)(void *context, uint64_t address, uint64_t length, bool is_write,
                      erx_matmul_range_t *range_out);
    /* Takes units from the meter; false where it holds fewer (what becomes of
     * them then is the embedder's affair). */
    bool (*charge)(void *context, uint64_t units);
    void *context;
    erx_gate_seat_t *seat; /* of a gate of the same kernel; NULL: alone */
} erx_matmul_machine_t;

typedef struct {
    const erx_kernel_t *kernel; /* NULL: the best that runs here */
    uint64_t base_units;
    uint64_t divisor;   /* at least 1 */
    size_t cache_bytes; /* taken at once; 0: no cache, and no thread */
    uint64_t cache_idle_ns;
} erx_matmul_config_t;

typedef struct erx_matmul erx_matmul_t;

erx_matmul_config_t erx_matmul_config_default(void);

/* One for all machines of a process is enough. Errors: ERX_ERR_RANGE,
 * ERX_ERR_MEMORY. */
erx_status_t erx_matmul_open(const erx_matmul_config_t *config, erx_matmul_t **matmul_out,
                             erx_error_t *error);

/* No call may be under way. NULL is allowed. */
void erx_matmul_close(erx_matmul_t *matmul);

/* The syscall: r1 .. r5. Returns ERX_MATMUL_OK (the program's r0 is 0) or the
 * fault's kind; fault_out is always filled. A seat whose call faults rests.
 * Allocates nothing. Any thread. */
erx_matmul_result_t erx_matmul_i8(erx_matmul_t *matmul, const erx_matmul_machine_t *machine,
                                  uint64_t weights, uint64_t input, uint64_t output, uint64_t rows,
                                  uint64_t columns, erx_matmul_fault_t *fault_out);

/* sol_matmul_i8_dims: r4 is the address of {rows u32, columns u32}. The base is
 * charged before these are read, the rest after. */
erx_matmul_result_t erx_matmul_i8_dims(erx_matmul_t *matmul, const erx_matmul_machine_t *machine,
                                       uint64_t weights, uint64_t input, uint64_t output,
                                       uint64_t dimensions, erx_matmul_fault_t *fault_out);

/* One line for a program's log, without a final newline: "access violation of
 * weights at 0x... of size ..."; at most bytes long, zero included. */
void erx_matmul_fault_text(const erx_matmul_fault_t *fault, char *text, size_t bytes);

const erx_kernel_t *erx_matmul_kernel(const erx_matmul_t *matmul);

/* To release and forget accounts, and for counters; NULL where cache_bytes is
 * 0. Owned by matmul. */
erx_matrix_cache_t *erx_matmul_cache(erx_matmul_t *matmul);

#endif
