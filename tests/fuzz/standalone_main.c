/* Runs a fuzz target without libFuzzer: every input that is named on the
 * command line, then changed copies of it. The changes follow from the input
 * alone, so that a failure can be had again. */
#include "mem/base.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)
#define CHANGED_COPIES  400

/* Changes a few places of input[0, size): a bit, a byte, a run moved over
 * another, or a shorter size. Returns the new size. */
static size_t change(erx_rng_t *rng, uint8_t *input, size_t size)
{
    for (int64_t i = erx_rng_range(rng, 1, 4); i > 0 && size > 1; i--) {
        size_t at = (size_t)erx_rng_range(rng, 1, (int64_t)size - 1); /* 0 says what it is */
        size_t from = (size_t)erx_rng_range(rng, 1, (int64_t)size - 1);
        size_t run = (size_t)erx_rng_range(rng, 1, 64);
        switch (erx_rng_range(rng, 0, 4)) {
        case 0:
            input[at] ^= (uint8_t)(1u << erx_rng_range(rng, 0, 7));
            break;
        case 1:
            input[at] = (uint8_t)erx_rng_range(rng, 0, 255);
            break;
        case 2:
            input[at] = (uint8_t)erx_rng_range(rng, '0', '9');
            break;
        case 3:
            memmove(input + at, input + from, ERX_MIN(run, size - ERX_MAX(at, from)));
            break;
        default:
            size = at > size / 2 ? at : size;
        }
    }
    return size;
}

static int run_file(const char *path, uint8_t *input, uint8_t *copy)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "cannot open %s\n", path);
        return EXIT_FAILURE;
    }
    size_t size = fread(input, 1, INPUT_BYTES_MAX, file);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(input, size);
    erx_rng_t rng = {.state = size};
    for (int i = 0; i < CHANGED_COPIES; i++) {
        memcpy(copy, input, size);
        (void)LLVMFuzzerTestOneInput(copy, change(&rng, copy, size));
    }
    printf("%s: %zu bytes, %d changed copies\n", path, size, CHANGED_COPIES);
    return EXIT_SUCCESS;
}

int main(int argument_count, char **arguments)
{
    int status = argument_count > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    uint8_t *input = malloc(INPUT_BYTES_MAX);
    uint8_t *copy = malloc(INPUT_BYTES_MAX);
    if (input == NULL || copy == NULL || argument_count < 2)
        (void)fprintf(stderr, "usage: %s INPUT...\n", arguments[0]);
    for (int i = 1; i < argument_count && status == EXIT_SUCCESS; i++)
        status = run_file(arguments[i], input, copy);
    free(input);
    free(copy);
    return status;
}
