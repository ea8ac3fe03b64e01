/* Writes seeds for fuzz_syscall: a good call of either signature, cached and
 * gated, and one whose regions are aliases. */
#include "mem/base.h"
#include "tests/support/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS    65u
#define COLUMNS 33u

typedef struct {
    uint8_t bytes[512];
    size_t size;
} seed_t;

static void put(seed_t *seed, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        seed->bytes[seed->size++] = i < sizeof value ? (uint8_t)(value >> (8 * i)) : 0;
}

static void put_region(seed_t *seed, uint8_t flags, uint64_t address, uint16_t bytes)
{
    put(seed, flags, 1);
    put(seed, address, 8);
    put(seed, bytes, 2);
}

static seed_t seed_make(uint8_t flags, uint8_t alias)
{
    bool dimensions = (flags & 1) != 0;
    seed_t seed = {.size = 0};
    put(&seed, flags, 1);
    put(&seed, 1000000, 8); /* budget */
    put(&seed, 4, 1);
    put_region(&seed, 0, 0x100000000, ROWS * COLUMNS);
    put_region(&seed, 0, 0x200000000, COLUMNS);
    put_region(&seed, 1, 0x300000000, ROWS * sizeof(int32_t));
    put_region(&seed, alias, 0x400000000, 8);
    put(&seed, 0, 48); /* what the first three begin with */
    /* The model fills byte k of region 3 with k * 37 + 303; sizes are what is left. */
    const uint32_t sizes[2] = {ROWS, COLUMNS};
    uint8_t wanted[8];
    memcpy(wanted, sizes, sizeof sizes);
    for (uint32_t k = 0; k < 8; k++)
        put(&seed, (uint8_t)(wanted[k] ^ (uint8_t)(k * 37 + 3 * 101)), 1);
    for (uint32_t call = 0; call < 2; call++) {
        put(&seed, 0x100000000, 8);
        put(&seed, 0x200000000, 8);
        put(&seed, 0x300000000, 8);
        put(&seed, dimensions ? 0x400000000 : ROWS - call, 8);
        put(&seed, COLUMNS, 8);
    }
    return seed;
}

int main(int argument_count, char **arguments)
{
    const uint8_t flags[] = {0, 1, 2 | 4 | 8, 0};
    for (int i = 1; i < argument_count; i++) {
        seed_t seed = seed_make(flags[(size_t)(i - 1) % sizeof flags], i == 4 ? 2 | 1 : 0);
        erx_file_write(arguments[i], seed.bytes, seed.size);
    }
    return EXIT_SUCCESS;
}
