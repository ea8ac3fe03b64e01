#include "tests/engine/matmul/matmul_program.h"

#include <string.h>

static bool translate(void *context, uint64_t address, uint64_t length, bool is_write,
                      erx_matmul_range_t *range_out)
{
    erx_program_t *program = context;
    program->translations++;
    for (uint32_t i = 0; i < program->region_count; i++) {
        const erx_program_region_t *region = &program->regions[i];
        uint64_t offset = address - region->address;
        if (address < region->address || offset > region->bytes ||
            length > region->bytes - offset || (is_write && !region->is_writable))
            continue;
        range_out->bytes = region->memory + offset;
        range_out->is_named = region->is_named;
        memset(range_out->account, region->account, sizeof range_out->account);
        range_out->version = region->version;
        range_out->offset = offset;
        return true;
    }
    return false;
}

static bool charge(void *context, uint64_t units)
{
    erx_program_t *program = context;
    program->charges++;
    if (units > program->budget - program->charged)
        return false;
    program->charged += units;
    return true;
}

void erx_program_open(erx_program_t *program)
{
    *program = (erx_program_t){
        .budget = UINT64_MAX,
        .machine = {.translate = translate, .charge = charge, .context = program},
    };
}

erx_program_region_t *erx_program_map(erx_program_t *program, uint64_t address, void *memory,
                                      uint64_t bytes, bool is_writable)
{
    erx_program_region_t *region = &program->regions[program->region_count++];
    *region = (erx_program_region_t){
        .address = address, .bytes = bytes, .memory = memory, .is_writable = is_writable};
    return region;
}

void erx_program_map_product(erx_program_t *program, const int8_t *weights, const int8_t *input,
                             void *output, uint32_t rows, uint32_t columns, uint8_t account,
                             uint64_t version)
{
    /* The map never hands a region that is not writable out for writing. */
    erx_program_region_t *region = erx_program_map(program, ERX_PROGRAM_WEIGHTS, (void *)weights,
                                                   (uint64_t)rows * columns, false);
    region->is_named = true;
    region->account = account;
    region->version = version;
    (void)erx_program_map(program, ERX_PROGRAM_INPUT, (void *)input, columns, false);
    (void)erx_program_map(program, ERX_PROGRAM_OUTPUT, output, (uint64_t)rows * sizeof(int32_t),
                          true);
}

erx_matmul_result_t erx_program_multiply(erx_program_t *program, erx_matmul_t *matmul,
                                         uint64_t rows, uint64_t columns,
                                         erx_matmul_fault_t *fault_out)
{
    return erx_matmul_i8(matmul, &program->machine, ERX_PROGRAM_WEIGHTS, ERX_PROGRAM_INPUT,
                         ERX_PROGRAM_OUTPUT, rows, columns, fault_out);
}

void erx_plain_product(const int8_t *weights, const int8_t *input, int32_t *output, uint64_t rows,
                       uint64_t columns)
{
    for (uint64_t i = 0; i < rows; i++) {
        output[i] = 0;
        for (uint64_t j = 0; j < columns; j++)
            output[i] += weights[i * columns + j] * input[j];
    }
}
