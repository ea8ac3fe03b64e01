/* A program in a virtual machine: a memory map of some regions and a meter,
 * both of which note what they were asked. */
#ifndef ERX_TESTS_ENGINE_MATMUL_MATMUL_PROGRAM_H
#define ERX_TESTS_ENGINE_MATMUL_MATMUL_PROGRAM_H

#include "engine/matmul/matmul.h"

#define ERX_PROGRAM_REGIONS_MAX 4u

/* Where the tests' programs have their regions. */
#define ERX_PROGRAM_WEIGHTS UINT64_C(0x100000000)
#define ERX_PROGRAM_INPUT   UINT64_C(0x200000000)
#define ERX_PROGRAM_OUTPUT  UINT64_C(0x300000000)

typedef struct {
    uint64_t address;
    uint64_t bytes;
    uint8_t *memory;
    bool is_writable;
    bool is_named;
    uint8_t account; /* every byte of its key */
    uint64_t version;
} erx_program_region_t;

typedef struct {
    erx_program_region_t regions[ERX_PROGRAM_REGIONS_MAX];
    uint32_t region_count;
    uint64_t budget;
    uint64_t charged;
    uint32_t charges;
    uint32_t translations;
    erx_matmul_machine_t machine;
} erx_program_t;

/* A program without regions and with a budget without end. It stays where it is. */
void erx_program_open(erx_program_t *program);

erx_program_region_t *erx_program_map(erx_program_t *program, uint64_t address, void *memory,
                                      uint64_t bytes, bool is_writable);

/* Weights as a named account, input and output at the addresses above. */
void erx_program_map_product(erx_program_t *program, const int8_t *weights, const int8_t *input,
                             void *output, uint32_t rows, uint32_t columns, uint8_t account,
                             uint64_t version);

/* Calls with the addresses above. */
erx_matmul_result_t erx_program_multiply(erx_program_t *program, erx_matmul_t *matmul,
                                         uint64_t rows, uint64_t columns,
                                         erx_matmul_fault_t *fault_out);

/* The plain loop. */
void erx_plain_product(const int8_t *weights, const int8_t *input, int32_t *output, uint64_t rows,
                       uint64_t columns);

#endif
