/* Programs that call sol_matmul_i8 as the published model does: 2 d_inner x
 * d_model and d_model x d_inner, layer by layer. What 'erx bench syscall' and
 * 'erx bench gate' share. */
#ifndef ERX_PERF_BENCH_PROGRAM_H
#define ERX_PERF_BENCH_PROGRAM_H

#include "engine/matmul/matmul.h"
#include "mem/region.h"

#define ERX_BENCH_CALLS_MAX (2 * ERX_LAYERS_MAX)

typedef struct {
    uint32_t rows;
    uint32_t columns;
    size_t offset; /* of its weights in the account */
} erx_bench_call_t;

/* One account with the matrices of a shape, row-major, one after the other. */
typedef struct {
    erx_bench_call_t calls[ERX_BENCH_CALLS_MAX];
    uint32_t call_count;
    uint32_t width;  /* most columns of a call */
    uint32_t height; /* most rows */
    erx_region_t region;
} erx_bench_account_t;

erx_status_t erx_bench_account_open(erx_bench_account_t *account_out, const erx_shape_t *shape,
                                    erx_error_t *error);
void erx_bench_account_close(erx_bench_account_t *account);

/* One virtual machine: an input and an output of its own in one region. */
typedef struct {
    const erx_bench_account_t *account;
    erx_region_t region;
    uint64_t units; /* that it was charged */
    erx_matmul_machine_t machine;
} erx_bench_program_t;

/* The program's place stays the same while it is open. */
erx_status_t erx_bench_program_open(erx_bench_program_t *program_out,
                                    const erx_bench_account_t *account, uint64_t seed,
                                    erx_error_t *error);
void erx_bench_program_close(erx_bench_program_t *program);

/* Makes call index through the syscall; a fault ends the process. */
void erx_bench_program_call(erx_bench_program_t *program, erx_matmul_t *matmul, uint32_t index);

/* The program's vector, and what the last call wrote. */
const int8_t *erx_bench_program_input(const erx_bench_program_t *program);
const int32_t *erx_bench_program_output(const erx_bench_program_t *program);

#endif
