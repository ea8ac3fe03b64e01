#include "engine/matmul/matmul.h"

#include "engine/matmul/product.h"
#include "kernels/select.h"
#include "mem/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

ERX_STATIC_ASSERT(ERX_MATMUL_COLUMNS_MAX == ERX_MATVEC_COLUMNS_MAX,
                  "kernels take every width that a program may ask for");

/* Row-major rows of one kernel call, which counts them in 32 bits. */
#define ROWS_A_TURN (UINT32_C(1) << 24)

struct erx_matmul {
    const erx_kernel_t *kernel;
    erx_compute_table_t prices;
    erx_matrix_cache_t *cache; /* NULL: none */
};

/* One call on its way through the checks. */
typedef struct {
    erx_matmul_t *matmul;
    const erx_matmul_machine_t *machine;
    uint64_t rows;
    uint64_t columns;
    erx_matmul_fault_t *fault;
} call_t;

typedef struct {
    erx_matmul_operand_t operand;
    uint64_t address;
    uint64_t length;
    erx_matmul_range_t range;
} operand_t;

/* Faults */

static bool fail(const call_t *call, erx_matmul_result_t kind, erx_matmul_operand_t operand)
{
    *call->fault = (erx_matmul_fault_t){.kind = kind, .operand = operand};
    return false;
}

static bool charge(const call_t *call, uint64_t units)
{
    if (call->machine->charge(call->machine->context, units))
        return true;
    (void)fail(call, ERX_MATMUL_COMPUTE_EXHAUSTED, ERX_MATMUL_OPERAND_NONE);
    call->fault->units = units;
    return false;
}

static bool translate(const call_t *call, operand_t *operand, bool is_write)
{
    const erx_matmul_machine_t *machine = call->machine;
    uint64_t last;
    operand->range = (erx_matmul_range_t){0};
    if (!__builtin_add_overflow(operand->address, operand->length - 1, &last) &&
        machine->translate(machine->context, operand->address, operand->length, is_write,
                           &operand->range))
        return true;
    (void)fail(call, ERX_MATMUL_ACCESS_VIOLATION, operand->operand);
    call->fault->address = operand->address;
    call->fault->length = operand->length;
    return false;
}

/* Neither range is empty nor wraps around. */
static bool overlaps(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a <= b ? b - a < a_length : a - b < b_length;
}

/* Two addresses may stand for the same memory: an account that is passed twice. */
static bool check_apart(const call_t *call, const operand_t *output, const operand_t *other)
{
    if (!overlaps(output->address, output->length, other->address, other->length) &&
        !overlaps((uintptr_t)output->range.bytes, output->length, (uintptr_t)other->range.bytes,
                  other->length))
        return true;
    (void)fail(call, ERX_MATMUL_INVALID_ARGUMENT, ERX_MATMUL_OPERAND_OUTPUT);
    call->fault->address = output->address;
    call->fault->length = output->length;
    return false;
}

static bool check_size(const call_t *call, uint64_t *multiply_adds_out)
{
    uint64_t output_bytes;
    if (call->columns > ERX_MATMUL_COLUMNS_MAX)
        return fail(call, ERX_MATMUL_INVALID_ARGUMENT, ERX_MATMUL_OPERAND_COLUMNS);
    if (__builtin_mul_overflow(call->rows, call->columns, multiply_adds_out) ||
        __builtin_mul_overflow(call->rows, sizeof(int32_t), &output_bytes))
        return fail(call, ERX_MATMUL_INVALID_ARGUMENT, ERX_MATMUL_OPERAND_ROWS);
    return true;
}

/* The product */

static void multiply_unpacked(const call_t *call, const int8_t *weights, const int8_t *input,
                              uint8_t *output)
{
    const erx_kernel_t *kernel = call->matmul->kernel;
    for (uint64_t row = 0; row < call->rows; row += ROWS_A_TURN)
        kernel->matvec(weights + row * call->columns,
                       (uint32_t)ERX_MIN(call->rows - row, ROWS_A_TURN), (uint32_t)call->columns,
                       input, output + row * sizeof(int32_t));
}

static const erx_packed_t *take_packed(const call_t *call, const erx_matmul_range_t *weights)
{
    if (call->matmul->cache == NULL || !weights->is_named || call->rows > UINT32_MAX)
        return NULL;
    erx_matrix_name_t name = {
        .version = weights->version,
        .offset = weights->offset,
        .rows = (uint32_t)call->rows,
        .columns = (uint32_t)call->columns,
    };
    memcpy(name.account, weights->account, sizeof name.account);
    return erx_matrix_cache_take(call->matmul->cache, &name, weights->bytes);
}

static void multiply(const call_t *call, const operand_t *weights, const operand_t *input,
                     const operand_t *output)
{
    const erx_packed_t *packed = take_packed(call, &weights->range);
    if (packed == NULL) {
        multiply_unpacked(call, weights->range.bytes, input->range.bytes, output->range.bytes);
        return;
    }
    const erx_matrix_t *matrix = erx_packed_matrix(packed);
    if (call->machine->seat != NULL)
        erx_gate_multiply(call->machine->seat, matrix, (uint32_t)call->rows, input->range.bytes,
                          output->range.bytes);
    else
        erx_product_alone(call->matmul->kernel, matrix, (uint32_t)call->rows, input->range.bytes,
                          output->range.bytes);
    erx_matrix_cache_put(call->matmul->cache, packed);
}

/* Everything after the charge. */
static bool execute(const call_t *call, uint64_t weights, uint64_t input, uint64_t output)
{
    uint64_t rows = call->rows, columns = call->columns;
    if (rows == 0 || columns == 0)
        return true;
    operand_t w = {ERX_MATMUL_OPERAND_WEIGHTS, weights, rows * columns, {0}};
    operand_t x = {ERX_MATMUL_OPERAND_INPUT, input, columns, {0}};
    operand_t y = {ERX_MATMUL_OPERAND_OUTPUT, output, rows * sizeof(int32_t), {0}};
    if (!translate(call, &w, false) || !translate(call, &x, false) || !translate(call, &y, true) ||
        !check_apart(call, &y, &w) || !check_apart(call, &y, &x))
        return false;
    multiply(call, &w, &x, &y);
    return true;
}

static erx_matmul_result_t finish(const call_t *call, bool is_done)
{
    if (!is_done && call->machine->seat != NULL)
        erx_gate_rest(call->machine->seat);
    return call->fault->kind;
}

erx_matmul_result_t erx_matmul_i8(erx_matmul_t *matmul, const erx_matmul_machine_t *machine,
                                  uint64_t weights, uint64_t input, uint64_t output, uint64_t rows,
                                  uint64_t columns, erx_matmul_fault_t *fault_out)
{
    const call_t call = {matmul, machine, rows, columns, fault_out};
    uint64_t multiply_adds;
    *fault_out = (erx_matmul_fault_t){.kind = ERX_MATMUL_OK};
    return finish(&call,
                  check_size(&call, &multiply_adds) &&
                      charge(&call, erx_compute_units_matmul(&matmul->prices, multiply_adds)) &&
                      execute(&call, weights, input, output));
}

erx_matmul_result_t erx_matmul_i8_dims(erx_matmul_t *matmul, const erx_matmul_machine_t *machine,
                                       uint64_t weights, uint64_t input, uint64_t output,
                                       uint64_t dimensions, erx_matmul_fault_t *fault_out)
{
    uint32_t sizes[2];
    call_t call = {matmul, machine, 0, 0, fault_out};
    operand_t operand = {ERX_MATMUL_OPERAND_DIMENSIONS, dimensions, sizeof sizes, {0}};
    *fault_out = (erx_matmul_fault_t){.kind = ERX_MATMUL_OK};
    uint64_t base = matmul->prices.matmul_base, multiply_adds;
    if (!charge(&call, base) || !translate(&call, &operand, false))
        return finish(&call, false);
    memcpy(sizes, operand.range.bytes, sizeof sizes);
    call.rows = sizes[0];
    call.columns = sizes[1];
    return finish(
        &call, check_size(&call, &multiply_adds) &&
                   charge(&call, erx_compute_units_matmul(&matmul->prices, multiply_adds) - base) &&
                   execute(&call, weights, input, output));
}

void erx_matmul_fault_text(const erx_matmul_fault_t *fault, char *text, size_t bytes)
{
    static const char *const operands[] = {"",     "weights", "input",     "output",
                                           "rows", "columns", "dimensions"};
    const char *operand = operands[fault->operand];
    switch (fault->kind) {
    case ERX_MATMUL_OK:
        (void)snprintf(text, bytes, "success");
        return;
    case ERX_MATMUL_ACCESS_VIOLATION:
        (void)snprintf(text, bytes, "access violation: %s at 0x%" PRIx64 " of size %" PRIu64,
                       operand, fault->address, fault->length);
        return;
    case ERX_MATMUL_COMPUTE_EXHAUSTED:
        (void)snprintf(text, bytes, "compute budget exhausted: %" PRIu64 " units needed",
                       fault->units);
        return;
    case ERX_MATMUL_INVALID_ARGUMENT:
        if (fault->operand == ERX_MATMUL_OPERAND_OUTPUT)
            (void)snprintf(text, bytes,
                           "invalid argument: output at 0x%" PRIx64 " of size %" PRIu64
                           " overlaps weights or input",
                           fault->address, fault->length);
        else
            (void)snprintf(text, bytes, "invalid argument: too many %s", operand);
        return;
    }
}

/* The object */

erx_matmul_config_t erx_matmul_config_default(void)
{
    return (erx_matmul_config_t){
        .base_units = erx_compute_table_default.matmul_base,
        .divisor = erx_compute_table_default.matmul_divisor,
        .cache_bytes = ERX_MATMUL_CACHE_BYTES_DEFAULT,
        .cache_idle_ns = ERX_MATMUL_CACHE_IDLE_NS_DEFAULT,
    };
}

static erx_status_t open_cache(const erx_matmul_config_t *config, erx_matmul_t *matmul,
                               erx_error_t *error)
{
    const erx_matrix_cache_config_t cache = {
        .kernel = matmul->kernel,
        .bytes_max = config->cache_bytes,
        .idle_ns = config->cache_idle_ns,
    };
    return config->cache_bytes == 0 ? ERX_OK : erx_matrix_cache_open(&cache, &matmul->cache, error);
}

erx_status_t erx_matmul_open(const erx_matmul_config_t *config, erx_matmul_t **matmul_out,
                             erx_error_t *error)
{
    erx_compute_table_t prices = erx_compute_table_default;
    prices.matmul_base = config->base_units;
    prices.matmul_divisor = config->divisor;
    if (erx_compute_table_check(&prices, error) != ERX_OK)
        return error->status;
    erx_matmul_t *matmul = erx_alloc(1, sizeof *matmul);
    if (matmul == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the matrix product");
    matmul->kernel = config->kernel == NULL ? erx_kernel_best() : config->kernel;
    matmul->prices = prices;
    if (open_cache(config, matmul, error) != ERX_OK) {
        erx_free(matmul);
        return error->status;
    }
    *matmul_out = matmul;
    return ERX_OK;
}

void erx_matmul_close(erx_matmul_t *matmul)
{
    if (matmul == NULL)
        return;
    erx_matrix_cache_close(matmul->cache);
    erx_free(matmul);
}

const erx_kernel_t *erx_matmul_kernel(const erx_matmul_t *matmul)
{
    return matmul->kernel;
}

erx_matrix_cache_t *erx_matmul_cache(erx_matmul_t *matmul)
{
    return matmul->cache;
}
