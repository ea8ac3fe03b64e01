/* Fuzzes the memory map and the arguments of sol_matmul_i8. An input describes
 * regions, a budget and calls; a model of the rules, written from their text,
 * says what each call must do. Regions are as large as they say and no larger,
 * so that a sanitizer sees every byte beyond. */
#include "engine/matmul/matmul.h"
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 4u
#define CALLS_MAX   4u
#define CACHE_BYTES ((size_t)1 << 21)

/* Bits of the first byte of an input. */
enum { FLAG_DIMENSIONS = 1, FLAG_SEAT = 2, FLAG_NAMED = 4, FLAG_CACHED = 8 };

/* Bits of a region's flags. */
enum { REGION_WRITABLE = 1, REGION_ALIAS = 2 };

typedef struct {
    const uint8_t *at;
    size_t left;
} reader_t;

typedef struct {
    uint64_t address;
    uint16_t bytes;
    bool is_writable;
    uint8_t *memory; /* another region's where it is an alias */
    bool is_owner;
} region_t;

typedef struct {
    region_t regions[REGIONS_MAX];
    uint32_t region_count;
    uint8_t flags;
    uint64_t budget;
    erx_matmul_machine_t machine;
} world_t;

typedef struct {
    uint64_t weights, input, output, rows, columns, dimensions;
} arguments_t;

static erx_matmul_t *matmuls[2]; /* without a cache, and with one */
static erx_gate_t *gate;
static erx_gate_seat_t *seat;

static uint64_t take(reader_t *reader, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && reader->left > 0; i++, reader->at++, reader->left--)
        value |= (uint64_t)*reader->at << (8 * i);
    return value;
}

static void open_once(void)
{
    erx_error_t error;
    if (seat != NULL)
        return;
    for (uint32_t i = 0; i < 2; i++) {
        erx_matmul_config_t config = erx_matmul_config_default();
        config.cache_bytes = i * CACHE_BYTES;
        ERX_ASSERT(erx_matmul_open(&config, &matmuls[i], &error) == ERX_OK);
    }
    const erx_gate_config_t config = {.kernel = erx_matmul_kernel(matmuls[1]), .seats = 1};
    ERX_ASSERT(erx_gate_open(&config, &gate, &error) == ERX_OK);
    ERX_ASSERT(erx_gate_join(gate, &seat, &error) == ERX_OK);
}

static uint8_t *find(const world_t *world, uint64_t address, uint64_t length, bool is_write)
{
    for (uint32_t i = 0; i < world->region_count; i++) {
        const region_t *region = &world->regions[i];
        if (address >= region->address && address - region->address <= region->bytes &&
            length <= region->bytes - (address - region->address) &&
            (region->is_writable || !is_write))
            return region->memory + (address - region->address);
    }
    return NULL;
}

static bool translate(void *context, uint64_t address, uint64_t length, bool is_write,
                      erx_matmul_range_t *range_out)
{
    const world_t *world = context;
    /* What the callback is promised. */
    ERX_ASSERT(length > 0 && address <= UINT64_MAX - (length - 1));
    range_out->bytes = find(world, address, length, is_write);
    range_out->is_named = (world->flags & FLAG_NAMED) != 0;
    range_out->offset = address;
    return range_out->bytes != NULL;
}

static bool charge(void *context, uint64_t units)
{
    world_t *world = context;
    if (units > world->budget)
        return false;
    world->budget -= units;
    return true;
}

static void read_world(reader_t *reader, world_t *world)
{
    *world = (world_t){.flags = (uint8_t)take(reader, 1)};
    world->machine = (erx_matmul_machine_t){.translate = translate,
                                            .charge = charge,
                                            .context = world,
                                            .seat = world->flags & FLAG_SEAT ? seat : NULL};
    world->budget = take(reader, 8);
    world->region_count = (uint32_t)take(reader, 1) % (REGIONS_MAX + 1);
    for (uint32_t i = 0; i < world->region_count; i++) {
        region_t *region = &world->regions[i];
        uint8_t flags = (uint8_t)take(reader, 1);
        region->address = take(reader, 8);
        region->bytes = (uint16_t)take(reader, 2);
        region->is_writable = (flags & REGION_WRITABLE) != 0;
        if (i > 0 && (flags & REGION_ALIAS) != 0) {
            region->memory = world->regions[i - 1].memory;
            region->bytes = world->regions[i - 1].bytes;
            continue;
        }
        region->is_owner = true;
        region->memory = malloc(ERX_MAX(region->bytes, 1));
        ERX_ASSERT(region->memory != NULL);
        for (uint32_t k = 0; k < region->bytes; k++)
            region->memory[k] = (uint8_t)(k * 37 + i * 101);
    }
    /* Content follows for as long as there is input; dimensions, for one. */
    for (uint32_t i = 0; i < world->region_count; i++)
        for (uint32_t k = 0; k < ERX_MIN(world->regions[i].bytes, 16); k++)
            world->regions[i].memory[k] ^= (uint8_t)take(reader, 1);
}

/* The rules in the order of their text. Writes what the output must be to
 * expected (malloc) where the call is to write. */
static erx_matmul_result_t model(world_t world, const arguments_t *arguments, uint8_t **expected,
                                 uint8_t **target)
{
    uint64_t rows = arguments->rows, columns = arguments->columns, base = 100;
    if (world.flags & FLAG_DIMENSIONS) {
        uint32_t sizes[2];
        if (world.budget < base)
            return ERX_MATMUL_COMPUTE_EXHAUSTED;
        world.budget -= base;
        base = 0;
        const uint8_t *dimensions = arguments->dimensions > UINT64_MAX - 7
                                        ? NULL
                                        : find(&world, arguments->dimensions, 8, false);
        if (dimensions == NULL)
            return ERX_MATMUL_ACCESS_VIOLATION;
        memcpy(sizes, dimensions, sizeof sizes);
        rows = sizes[0];
        columns = sizes[1];
    }
    if (columns > 16384 || rows > UINT64_MAX / 4 || (columns != 0 && rows > UINT64_MAX / columns))
        return ERX_MATMUL_INVALID_ARGUMENT;
    if (world.budget < base + rows * columns / 100)
        return ERX_MATMUL_COMPUTE_EXHAUSTED;
    if (rows == 0 || columns == 0)
        return ERX_MATMUL_OK;
    const uint64_t at[3] = {arguments->weights, arguments->input, arguments->output};
    const uint64_t length[3] = {rows * columns, columns, rows * 4};
    uint8_t *memory[3];
    for (uint32_t i = 0; i < 3; i++) {
        bool wraps = at[i] > UINT64_MAX - (length[i] - 1);
        memory[i] = wraps ? NULL : find(&world, at[i], length[i], i == 2);
        if (memory[i] == NULL)
            return ERX_MATMUL_ACCESS_VIOLATION;
    }
    for (uint32_t i = 0; i < 2; i++) {
        bool apart = at[2] > at[i] + (length[i] - 1) || at[i] > at[2] + (length[2] - 1);
        bool memory_apart =
            memory[2] >= memory[i] + length[i] || memory[i] >= memory[2] + length[2];
        if (!apart || !memory_apart)
            return ERX_MATMUL_INVALID_ARGUMENT;
    }
    *target = memory[2];
    *expected = malloc(length[2]);
    ERX_ASSERT(*expected != NULL);
    for (uint64_t i = 0; i < rows; i++) {
        int32_t sum = 0;
        for (uint64_t j = 0; j < columns; j++)
            sum += (int8_t)memory[0][i * columns + j] * (int8_t)memory[1][j];
        memcpy(*expected + 4 * i, &sum, sizeof sum);
    }
    return ERX_MATMUL_OK;
}

static erx_matmul_result_t call(world_t *world, const arguments_t *arguments,
                                erx_matmul_fault_t *fault)
{
    erx_matmul_t *matmul = matmuls[world->flags & FLAG_CACHED ? 1 : 0];
    if (world->flags & FLAG_DIMENSIONS)
        return erx_matmul_i8_dims(matmul, &world->machine, arguments->weights, arguments->input,
                                  arguments->output, arguments->dimensions, fault);
    return erx_matmul_i8(matmul, &world->machine, arguments->weights, arguments->input,
                         arguments->output, arguments->rows, arguments->columns, fault);
}

/* Makes the call and checks it; memory outside of the output stays. */
static void try_call(world_t *world, const arguments_t *arguments)
{
    uint8_t *before[REGIONS_MAX] = {NULL}, *expected = NULL, *target = NULL;
    erx_matmul_fault_t fault;
    char text[128];
    erx_matmul_result_t due = model(*world, arguments, &expected, &target);
    for (uint32_t i = 0; i < world->region_count; i++) {
        region_t *region = &world->regions[i];
        before[i] = malloc(ERX_MAX(region->bytes, 1));
        ERX_ASSERT(before[i] != NULL);
        memcpy(before[i], region->memory, region->bytes);
    }
    ERX_ASSERT(call(world, arguments, &fault) == due && fault.kind == due);
    erx_matmul_fault_text(&fault, text, sizeof text);
    ERX_ASSERT(strnlen(text, sizeof text) > 0);
    for (uint32_t i = 0; i < world->region_count; i++) {
        const region_t *region = &world->regions[i];
        for (uint32_t k = 0; k < region->bytes; k++) {
            const uint8_t *at = region->memory + k;
            bool is_output = target != NULL && at >= target &&
                             (uint64_t)(at - target) < arguments->rows * sizeof(int32_t);
            ERX_ASSERT(*at == (is_output ? expected[at - target] : before[i][k]));
        }
        free(before[i]);
    }
    free(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    world_t world;
    uint8_t account[ERX_ACCOUNT_KEY_BYTES] = {0};
    open_once();
    read_world(&reader, &world);
    for (uint32_t i = 0; i < CALLS_MAX && reader.left > 0; i++) {
        arguments_t arguments = {take(&reader, 8), take(&reader, 8), take(&reader, 8),
                                 take(&reader, 8), take(&reader, 8), 0};
        arguments.dimensions = arguments.rows;
        if (world.flags & FLAG_DIMENSIONS) {
            const uint8_t *dimensions = find(&world, arguments.dimensions, 8, false);
            uint32_t sizes[2] = {0};
            if (dimensions != NULL)
                memcpy(sizes, dimensions, sizeof sizes);
            arguments.rows = sizes[0];
        }
        try_call(&world, &arguments);
        erx_matrix_cache_settle(erx_matmul_cache(matmuls[1]));
        try_call(&world, &arguments);
        /* An output may have changed what was named. */
        erx_matrix_cache_forget(erx_matmul_cache(matmuls[1]), account);
    }
    for (uint32_t i = 0; i < world.region_count; i++)
        if (world.regions[i].is_owner)
            free(world.regions[i].memory);
    return 0;
}
