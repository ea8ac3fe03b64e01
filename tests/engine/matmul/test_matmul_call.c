/* The rules of the call, each with the fault that it reports, and its results
 * against the plain loop. */
#include "engine/matmul/matmul.h"
#include "kernels/select.h"
#include "tests/engine/matmul/matmul_program.h"
#include "tests/engine/matmul/matmul_suites.h"
#include "tests/kernels/fence.h"
#include "tests/support/rng.h"

#include <stdlib.h>
#include <string.h>

#define ROWS    70u
#define COLUMNS 130u

typedef struct {
    erx_matmul_t *matmul;
    erx_program_t program;
    erx_matmul_fault_t fault;
    int8_t weights[ROWS * COLUMNS];
    int8_t input[COLUMNS];
    int32_t output[ROWS];
} rig_t;

static rig_t rig; /* large */

static erx_matmul_t *open_matmul(const erx_kernel_t *kernel, size_t cache_bytes)
{
    erx_matmul_config_t config = erx_matmul_config_default();
    erx_matmul_t *matmul;
    erx_error_t error;
    config.kernel = kernel;
    config.cache_bytes = cache_bytes;
    ck_assert_int_eq(erx_matmul_open(&config, &matmul, &error), ERX_OK);
    return matmul;
}

static void setup(void)
{
    erx_rng_t rng = erx_rng_open(70);
    memset(&rig, 0, sizeof rig);
    rig.matmul = open_matmul(NULL, 0);
    erx_rng_fill(&rng, rig.weights, sizeof rig.weights);
    erx_rng_fill(&rng, rig.input, sizeof rig.input);
    memset(rig.output, 0x5a, sizeof rig.output);
    erx_program_open(&rig.program);
    erx_program_map_product(&rig.program, rig.weights, rig.input, rig.output, ROWS, COLUMNS, 1, 1);
}

static void teardown(void)
{
    erx_matmul_close(rig.matmul);
}

static void expect_untouched(void)
{
    for (uint32_t i = 0; i < ROWS; i++)
        ck_assert_int_eq(rig.output[i], 0x5a5a5a5a);
}

static erx_matmul_result_t call(uint64_t weights, uint64_t input, uint64_t output, uint64_t rows,
                                uint64_t columns)
{
    return erx_matmul_i8(rig.matmul, &rig.program.machine, weights, input, output, rows, columns,
                         &rig.fault);
}

static erx_matmul_result_t call_sizes(uint64_t rows, uint64_t columns)
{
    return erx_program_multiply(&rig.program, rig.matmul, rows, columns, &rig.fault);
}

static void expect_product(void)
{
    int32_t expected[ROWS];
    erx_plain_product(rig.weights, rig.input, expected, ROWS, COLUMNS);
    ck_assert_mem_eq(rig.output, expected, sizeof expected);
}

START_TEST(test_product_is_written_and_charged)
{
    ck_assert_int_eq(call_sizes(ROWS, COLUMNS), ERX_MATMUL_OK);
    expect_product();
    ck_assert_uint_eq(rig.program.charged, 100 + ROWS * COLUMNS / 100);
    ck_assert_uint_eq(rig.program.charges, 1);
    ck_assert_int_eq(rig.fault.kind, ERX_MATMUL_OK);
}
END_TEST

START_TEST(test_too_many_columns)
{
    ck_assert_int_eq(call_sizes(1, ERX_MATMUL_COLUMNS_MAX + 1), ERX_MATMUL_INVALID_ARGUMENT);
    ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_COLUMNS);
    ck_assert_int_eq(call_sizes(0, UINT64_MAX), ERX_MATMUL_INVALID_ARGUMENT);
    ck_assert_uint_eq(rig.program.charges, 0);
    ck_assert_uint_eq(rig.program.translations, 0);
    expect_untouched();
}
END_TEST

START_TEST(test_sizes_that_overflow)
{
    ck_assert_int_eq(call_sizes(UINT64_MAX, 2), ERX_MATMUL_INVALID_ARGUMENT);
    ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_ROWS);
    ck_assert_int_eq(call_sizes(UINT64_MAX / 4 + 1, 1), ERX_MATMUL_INVALID_ARGUMENT);
    ck_assert_uint_eq(rig.program.charges, 0);
    /* The greatest that does not overflow gets as far as the map. */
    ck_assert_int_eq(call_sizes(UINT64_MAX / 4, 1), ERX_MATMUL_ACCESS_VIOLATION);
    ck_assert_uint_eq(rig.fault.length, UINT64_MAX / 4);
    expect_untouched();
}
END_TEST

START_TEST(test_nothing_to_do_is_a_success)
{
    ck_assert_int_eq(call(0, 0, 0, 0, COLUMNS), ERX_MATMUL_OK);
    ck_assert_int_eq(call(0, 0, 0, ROWS, 0), ERX_MATMUL_OK);
    ck_assert_int_eq(call(0, 0, 0, 0, 0), ERX_MATMUL_OK);
    ck_assert_uint_eq(rig.program.translations, 0);
    ck_assert_uint_eq(rig.program.charged, 300);
    expect_untouched();
}
END_TEST

START_TEST(test_meter_comes_before_memory)
{
    rig.program.budget = 100 + ROWS * COLUMNS / 100 - 1;
    ck_assert_int_eq(call(1, 2, 3, ROWS, COLUMNS), ERX_MATMUL_COMPUTE_EXHAUSTED);
    ck_assert_uint_eq(rig.fault.units, 100 + ROWS * COLUMNS / 100);
    ck_assert_uint_eq(rig.program.translations, 0);
    rig.program.budget++;
    ck_assert_int_eq(call_sizes(ROWS, COLUMNS), ERX_MATMUL_OK);
    expect_product();
}
END_TEST

START_TEST(test_prices_are_configurable)
{
    erx_matmul_config_t config = erx_matmul_config_default();
    erx_matmul_t *matmul;
    erx_error_t error;
    config.cache_bytes = 0;
    config.base_units = 7;
    config.divisor = 3;
    ck_assert_int_eq(erx_matmul_open(&config, &matmul, &error), ERX_OK);
    ck_assert_int_eq(erx_program_multiply(&rig.program, matmul, ROWS, COLUMNS, &rig.fault),
                     ERX_MATMUL_OK);
    ck_assert_uint_eq(rig.program.charged, 7 + ROWS * COLUMNS / 3);
    erx_matmul_close(matmul);
    config.divisor = 0;
    ck_assert_int_eq(erx_matmul_open(&config, &matmul, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "matmul_divisor"));
}
END_TEST

/* Each operand out of its region by one byte, at either end, and nowhere. */
START_TEST(test_every_operand_is_translated)
{
    const uint64_t addresses[] = {ERX_PROGRAM_WEIGHTS, ERX_PROGRAM_INPUT, ERX_PROGRAM_OUTPUT};
    const uint64_t lengths[] = {ROWS * COLUMNS, COLUMNS, ROWS * sizeof(int32_t)};
    const uint64_t moves[] = {1, UINT64_MAX, 1 << 20, UINT64_C(1) << 40};
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t m = 0; m < ERX_COUNT(moves); m++) {
            uint64_t at[] = {addresses[0], addresses[1], addresses[2]};
            at[i] += moves[m];
            ck_assert_int_eq(call(at[0], at[1], at[2], ROWS, COLUMNS), ERX_MATMUL_ACCESS_VIOLATION);
            ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_WEIGHTS + i);
            ck_assert_uint_eq(rig.fault.address, at[i]);
            ck_assert_uint_eq(rig.fault.length, lengths[i]);
            expect_untouched();
        }
    }
}
END_TEST

START_TEST(test_output_must_be_writable)
{
    rig.program.regions[2].is_writable = false;
    ck_assert_int_eq(call_sizes(ROWS, COLUMNS), ERX_MATMUL_ACCESS_VIOLATION);
    ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_OUTPUT);
    expect_untouched();
}
END_TEST

START_TEST(test_ranges_do_not_wrap_around)
{
    ck_assert_int_eq(call(UINT64_MAX - 5, ERX_PROGRAM_INPUT, ERX_PROGRAM_OUTPUT, ROWS, COLUMNS),
                     ERX_MATMUL_ACCESS_VIOLATION);
    ck_assert_uint_eq(rig.program.translations, 0);
    ck_assert_int_eq(call(ERX_PROGRAM_WEIGHTS, ERX_PROGRAM_INPUT, UINT64_MAX - 3, ROWS, COLUMNS),
                     ERX_MATMUL_ACCESS_VIOLATION);
    ck_assert_uint_eq(rig.program.translations, 2);
    expect_untouched();
}
END_TEST

/* The last byte of the address space is an address like any other. */
START_TEST(test_region_at_the_end_of_the_addresses)
{
    uint64_t address = 0 - (uint64_t)sizeof rig.input;
    (void)erx_program_map(&rig.program, address, rig.input, sizeof rig.input, false);
    ck_assert_int_eq(call(ERX_PROGRAM_WEIGHTS, address, ERX_PROGRAM_OUTPUT, ROWS, COLUMNS),
                     ERX_MATMUL_OK);
    expect_product();
}
END_TEST

/* One region, all operands in it; the output moves over weights and input. */
START_TEST(test_output_overlaps_nothing)
{
    enum { W = ROWS * COLUMNS, X = COLUMNS, Y = ROWS * sizeof(int32_t), BYTES = Y + W + Y + X + Y };
    static uint8_t memory[BYTES], before[BYTES];
    const uint64_t base = 0x7000;
    erx_rng_t rng = erx_rng_open(71);
    rig.program.region_count = 0;
    (void)erx_program_map(&rig.program, base, memory, BYTES, true);
    const uint64_t weights = base + Y, input = weights + W + Y;
    for (uint64_t at = 0; at <= BYTES - Y; at++) {
        uint64_t output = base + at;
        bool apart = (output + Y <= weights || output >= weights + W) &&
                     (output + Y <= input || output >= input + X);
        erx_rng_fill(&rng, memory, BYTES);
        memcpy(before, memory, BYTES);
        erx_matmul_result_t result = call(weights, input, output, ROWS, COLUMNS);
        if (result != (apart ? ERX_MATMUL_OK : ERX_MATMUL_INVALID_ARGUMENT))
            ck_abort_msg("output at %zu gives %d", (size_t)at, (int)result);
        if (!apart && memcmp(before, memory, BYTES) != 0)
            ck_abort_msg("output at %zu wrote", (size_t)at);
    }
}
END_TEST

START_TEST(test_output_overlaps_nothing_under_another_address)
{
    const uint64_t other = 0x900000000;
    (void)erx_program_map(&rig.program, other, rig.weights, sizeof rig.weights, true);
    ck_assert_int_eq(call(ERX_PROGRAM_WEIGHTS, ERX_PROGRAM_INPUT, other + 8, ROWS, COLUMNS),
                     ERX_MATMUL_INVALID_ARGUMENT);
    ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_OUTPUT);
    ck_assert_uint_eq(rig.fault.address, other + 8);
}
END_TEST

START_TEST(test_weights_and_input_may_be_the_same)
{
    int32_t output, expected;
    rig.program.region_count = 0;
    (void)erx_program_map(&rig.program, 0x1000, rig.input, COLUMNS, false);
    (void)erx_program_map(&rig.program, 0x2000, &output, sizeof output, true);
    ck_assert_int_eq(call(0x1000, 0x1000, 0x2000, 1, COLUMNS), ERX_MATMUL_OK);
    erx_plain_product(rig.input, rig.input, &expected, 1, COLUMNS);
    ck_assert_int_eq(output, expected);
}
END_TEST

static erx_matmul_result_t call_dims(uint64_t dimensions)
{
    return erx_matmul_i8_dims(rig.matmul, &rig.program.machine, ERX_PROGRAM_WEIGHTS,
                              ERX_PROGRAM_INPUT, ERX_PROGRAM_OUTPUT, dimensions, &rig.fault);
}

START_TEST(test_dimensions_in_memory)
{
    uint8_t memory[9];
    const uint32_t sizes[2] = {ROWS, COLUMNS};
    memcpy(memory + 1, sizes, sizeof sizes);
    (void)erx_program_map(&rig.program, 0x5000, memory, sizeof memory, false);
    ck_assert_int_eq(call_dims(0x5001), ERX_MATMUL_OK);
    expect_product();
    ck_assert_uint_eq(rig.program.charged, 100 + ROWS * COLUMNS / 100);
    ck_assert_int_eq(call_dims(0x5002), ERX_MATMUL_ACCESS_VIOLATION);
    ck_assert_int_eq(rig.fault.operand, ERX_MATMUL_OPERAND_DIMENSIONS);
    ck_assert_uint_eq(rig.fault.length, 8);
    ck_assert_int_eq(call_dims(UINT64_MAX - 6), ERX_MATMUL_ACCESS_VIOLATION);
}
END_TEST

START_TEST(test_dimensions_are_read_after_the_base_is_paid)
{
    const uint32_t sizes[2] = {ROWS, COLUMNS};
    (void)erx_program_map(&rig.program, 0x5000, (void *)sizes, sizeof sizes, false);
    rig.program.budget = 99;
    ck_assert_int_eq(call_dims(0x5000), ERX_MATMUL_COMPUTE_EXHAUSTED);
    ck_assert_uint_eq(rig.program.translations, 0);
    rig.program.budget = 100 + ROWS * COLUMNS / 100 - 1;
    ck_assert_int_eq(call_dims(0x5000), ERX_MATMUL_COMPUTE_EXHAUSTED);
    ck_assert_uint_eq(rig.program.translations, 1);
    expect_untouched();
}
END_TEST

START_TEST(test_faults_have_words)
{
    char text[128];
    (void)call(1, 2, 3, ROWS, COLUMNS);
    erx_matmul_fault_text(&rig.fault, text, sizeof text);
    ck_assert_str_eq(text, "access violation: weights at 0x1 of size 9100");
    rig.program.budget = rig.program.charged;
    (void)call_sizes(ROWS, COLUMNS);
    erx_matmul_fault_text(&rig.fault, text, sizeof text);
    ck_assert_str_eq(text, "compute budget exhausted: 191 units needed");
    (void)call_sizes(1, UINT64_MAX);
    erx_matmul_fault_text(&rig.fault, text, sizeof text);
    ck_assert_str_eq(text, "invalid argument: too many columns");
    erx_matmul_fault_text(&rig.fault, text, 8);
    ck_assert_str_eq(text, "invalid");
}
END_TEST

/* Results */

/* Operands at odd addresses that end where memory ends. */
static void try_shape(erx_matmul_t *matmul, erx_rng_t *rng, uint32_t rows, uint32_t columns,
                      bool extreme)
{
    erx_fence_t fence;
    erx_fence_open(&fence);
    size_t count = (size_t)rows * columns;
    int8_t *weights = erx_fence_take(&fence, count);
    int8_t *input = erx_fence_take(&fence, columns);
    uint8_t *output = erx_fence_take(&fence, rows * sizeof(int32_t) + 1);
    int32_t *expected = erx_fence_i32(&fence, rows);
    erx_rng_fill(rng, weights, count);
    erx_rng_fill(rng, input, columns);
    if (extreme) {
        memset(weights, -128, count);
        memset(input, erx_rng_next(rng) % 2 == 0 ? -128 : 127, columns);
    }
    erx_program_t program;
    erx_program_open(&program);
    erx_program_map_product(&program, weights, input, output + 1, rows, columns, 3,
                            erx_rng_next(rng));
    erx_plain_product(weights, input, expected, rows, columns);
    /* Twice: row-major, and then packed where there is a cache. */
    for (uint32_t i = 0; i < 2; i++) {
        erx_matmul_fault_t fault;
        memset(output + 1, 0, rows * sizeof(int32_t));
        erx_matmul_result_t result = erx_program_multiply(&program, matmul, rows, columns, &fault);
        if (result != ERX_MATMUL_OK || memcmp(output + 1, expected, rows * sizeof(int32_t)) != 0)
            ck_abort_msg("%u x %u differs in turn %u", rows, columns, i);
        if (erx_matmul_cache(matmul) != NULL)
            erx_matrix_cache_settle(erx_matmul_cache(matmul));
    }
    if (erx_matmul_cache(matmul) != NULL) {
        uint8_t account[ERX_ACCOUNT_KEY_BYTES];
        memset(account, 3, sizeof account);
        erx_matrix_cache_forget(erx_matmul_cache(matmul), account);
    }
    erx_fence_close(&fence);
}

/* Every kernel, with a cache and without. */
START_TEST(test_results_equal_the_plain_loop)
{
    static const uint32_t sizes[][2] = {{1, 1},      {1, 16384}, {64, 16384}, {16384, 1},
                                        {16384, 64}, {65, 4097}, {63, 63},    {64, 64},
                                        {129, 257},  {600, 640}};
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(72);
    for (uint32_t k = 0; k < 2 * kernel_count; k++) {
        erx_matmul_t *matmul = open_matmul(kernels[k / 2], k % 2 == 0 ? 0 : (size_t)4 << 20);
        for (uint32_t i = 0; i < ERX_COUNT(sizes); i++)
            try_shape(matmul, &rng, sizes[i][0], sizes[i][1], i % 2 == 1);
        for (uint32_t i = 0; i < 40; i++)
            try_shape(matmul, &rng, (uint32_t)erx_rng_range(&rng, 1, 300),
                      (uint32_t)erx_rng_range(&rng, 1, 600), i % 8 == 0);
        if (k % 2 == 1)
            ck_assert_uint_gt(erx_matrix_cache_counters(erx_matmul_cache(matmul)).hits, 40);
        erx_matmul_close(matmul);
    }
}
END_TEST

/* As large as an account: 10 MiB, and as few columns as make many rows. */
START_TEST(test_largest_account)
{
    const size_t bytes = (size_t)10 << 20;
    int8_t *weights = malloc(bytes), *input = malloc(16384);
    int32_t *output = malloc(bytes * sizeof(int32_t)), *expected = malloc(bytes * sizeof(int32_t));
    erx_rng_t rng = erx_rng_open(73);
    erx_rng_fill(&rng, weights, bytes);
    erx_rng_fill(&rng, input, 16384);
    for (uint32_t columns = 1; columns <= 16384; columns *= 128) {
        uint32_t rows = (uint32_t)(bytes / columns);
        erx_program_t program;
        erx_program_open(&program);
        erx_program_map_product(&program, weights, input, output, rows, columns, 1, 1);
        ck_assert_int_eq(erx_program_multiply(&program, rig.matmul, rows, columns, &rig.fault),
                         ERX_MATMUL_OK);
        erx_plain_product(weights, input, expected, rows, columns);
        ck_assert(memcmp(output, expected, rows * sizeof(int32_t)) == 0);
    }
    free(weights);
    free(input);
    free(output);
    free(expected);
}
END_TEST

static void add_rules(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_product_is_written_and_charged);
    tcase_add_test(tcase, test_too_many_columns);
    tcase_add_test(tcase, test_sizes_that_overflow);
    tcase_add_test(tcase, test_nothing_to_do_is_a_success);
    tcase_add_test(tcase, test_meter_comes_before_memory);
    tcase_add_test(tcase, test_prices_are_configurable);
    tcase_add_test(tcase, test_every_operand_is_translated);
    tcase_add_test(tcase, test_output_must_be_writable);
    tcase_add_test(tcase, test_ranges_do_not_wrap_around);
    tcase_add_test(tcase, test_region_at_the_end_of_the_addresses);
    tcase_add_test(tcase, test_output_overlaps_nothing);
    tcase_add_test(tcase, test_output_overlaps_nothing_under_another_address);
    tcase_add_test(tcase, test_weights_and_input_may_be_the_same);
    tcase_add_test(tcase, test_dimensions_in_memory);
    tcase_add_test(tcase, test_dimensions_are_read_after_the_base_is_paid);
    tcase_add_test(tcase, test_faults_have_words);
}

Suite *matmul_call_suite(void)
{
    Suite *suite = suite_create("matmul_call");
    TCase *rules = tcase_create("rules");
    TCase *results = tcase_create("results");
    add_rules(rules);
    tcase_set_timeout(rules, 60);
    suite_add_tcase(suite, rules);
    tcase_add_checked_fixture(results, setup, teardown);
    tcase_set_timeout(results, 120);
    tcase_add_test(results, test_results_equal_the_plain_loop);
    tcase_add_test(results, test_largest_account);
    suite_add_tcase(suite, results);
    return suite;
}
