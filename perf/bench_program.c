#include "perf/bench_program.h"

#include <string.h>

#include "mem/assert.h"
#include "perf/bench.h"

/* Where a program finds things. */
#define WEIGHTS_ADDRESS UINT64_C(0x400000000)
#define INPUT_ADDRESS   UINT64_C(0x500000000)
#define OUTPUT_ADDRESS  UINT64_C(0x600000000)

static size_t plan(erx_bench_account_t *account, const erx_shape_t *shape)
{
    size_t offset = 0;
    account->call_count = 2 * shape->layer_count;
    for (uint32_t i = 0; i < account->call_count; i++) {
        bool project = i % 2 == 0;
        erx_bench_call_t *call = &account->calls[i];
        call->rows = project ? 2 * shape->d_inner : shape->d_model;
        call->columns = project ? shape->d_model : shape->d_inner;
        call->offset = offset;
        offset += (size_t)call->rows * call->columns;
        account->width = ERX_MAX(account->width, call->columns);
        account->height = ERX_MAX(account->height, call->rows);
    }
    return offset;
}

erx_status_t erx_bench_account_open(erx_bench_account_t *account_out, const erx_shape_t *shape,
                                    erx_error_t *error)
{
    *account_out = (erx_bench_account_t){0};
    size_t bytes = plan(account_out, shape);
    erx_status_t status = erx_region_open(&account_out->region, bytes, ERX_NODE_ANY, error);
    if (status == ERX_OK)
        erx_bench_fill(account_out->region.base, bytes, bytes);
    return status;
}

void erx_bench_account_close(erx_bench_account_t *account)
{
    erx_region_close(&account->region);
}

static size_t output_place(const erx_bench_account_t *account)
{
    return ERX_ALIGN_UP((size_t)account->width, ERX_CACHE_LINE);
}

static bool is_within(uint64_t address, uint64_t length, uint64_t begin, uint64_t bytes)
{
    return address >= begin && address - begin <= bytes && length <= bytes - (address - begin);
}

static bool translate(void *context, uint64_t address, uint64_t length, bool is_write,
                      erx_matmul_range_t *range_out)
{
    const erx_bench_program_t *program = context;
    const erx_bench_account_t *account = program->account;
    if (!is_write && is_within(address, length, WEIGHTS_ADDRESS, account->region.bytes)) {
        range_out->offset = address - WEIGHTS_ADDRESS;
        range_out->bytes = account->region.base + range_out->offset;
        range_out->is_named = true;
        return true;
    }
    if (!is_write && is_within(address, length, INPUT_ADDRESS, account->width))
        range_out->bytes = program->region.base + (address - INPUT_ADDRESS);
    else if (is_within(address, length, OUTPUT_ADDRESS, account->height * sizeof(int32_t)))
        range_out->bytes =
            program->region.base + output_place(account) + (address - OUTPUT_ADDRESS);
    return range_out->bytes != NULL;
}

static bool charge(void *context, uint64_t units)
{
    erx_bench_program_t *program = context;
    program->units += units;
    return true;
}

erx_status_t erx_bench_program_open(erx_bench_program_t *program_out,
                                    const erx_bench_account_t *account, uint64_t seed,
                                    erx_error_t *error)
{
    *program_out = (erx_bench_program_t){
        .account = account,
        .machine = {.translate = translate, .charge = charge, .context = program_out},
    };
    size_t bytes = output_place(account) + account->height * sizeof(int32_t);
    erx_status_t status = erx_region_open(&program_out->region, bytes, ERX_NODE_ANY, error);
    if (status == ERX_OK)
        erx_bench_fill(program_out->region.base, account->width, seed);
    return status;
}

void erx_bench_program_close(erx_bench_program_t *program)
{
    erx_region_close(&program->region);
}

void erx_bench_program_call(erx_bench_program_t *program, erx_matmul_t *matmul, uint32_t index)
{
    const erx_bench_call_t *call = &program->account->calls[index];
    erx_matmul_fault_t fault;
    ERX_ASSERT(erx_matmul_i8(matmul, &program->machine, WEIGHTS_ADDRESS + call->offset,
                             INPUT_ADDRESS, OUTPUT_ADDRESS, call->rows, call->columns,
                             &fault) == ERX_MATMUL_OK);
}

const int8_t *erx_bench_program_input(const erx_bench_program_t *program)
{
    return (const int8_t *)program->region.base;
}

const int32_t *erx_bench_program_output(const erx_bench_program_t *program)
{
    return (const int32_t *)(const void *)(program->region.base + output_place(program->account));
}
