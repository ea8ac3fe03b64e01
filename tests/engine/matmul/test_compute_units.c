/* Units against figures that were published or computed by hand. */
#include "engine/matmul/compute_units.h"
#include "tests/engine/matmul/matmul_suites.h"

#include <string.h>

static const erx_shape_t target = {.d_model = 512,
                                   .d_inner = 1024,
                                   .d_state = 16,
                                   .layer_count = 12,
                                   .head_count = 16,
                                   .head_dim = 64};

START_TEST(test_calls_cost_what_is_published)
{
    const erx_compute_table_t *table = &erx_compute_table_default;
    ck_assert_uint_eq(erx_compute_units_matmul(table, 2048 * 512), 10585);
    ck_assert_uint_eq(erx_compute_units_matmul(table, 512 * 1024), 5342);
    ck_assert_uint_eq(erx_compute_units_matmul(table, 0), 100);
    ck_assert_uint_eq(erx_compute_units_matmul(table, 99), 100);
    ck_assert_uint_eq(erx_compute_units_matmul(table, 100), 101);
    ck_assert_uint_eq(erx_compute_units_frame(table, &target).matmul, 191124);
}
END_TEST

START_TEST(test_units_do_not_wrap)
{
    erx_compute_table_t table = erx_compute_table_default;
    table.matmul_divisor = 1;
    ck_assert_uint_eq(erx_compute_units_matmul(&table, UINT64_MAX), UINT64_MAX);
    ck_assert_uint_eq(erx_compute_units_matmul(&table, UINT64_MAX - 100), UINT64_MAX);
    ck_assert_uint_eq(erx_compute_units_matmul(&table, UINT64_MAX - 101), UINT64_MAX - 1);
}
END_TEST

START_TEST(test_frame_of_the_15M_model)
{
    erx_compute_units_t units = erx_compute_units_frame(&erx_compute_table_default, &target);
    ck_assert_uint_eq(units.scan, UINT64_C(12) * 1024 * 616);
    /* SiLU of z, x, B, C; softplus and decay of each head. */
    ck_assert_uint_eq(units.lookup, UINT64_C(12) * 13 * (1024 + 1024 + 16 + 16 + 16 + 16));
    ck_assert_uint_eq(units.elementwise, UINT64_C(12) * 512 * 30 * 3);
    ck_assert_uint_eq(units.coding, 10000);
    ck_assert_uint_eq(erx_compute_units_total(&units), 8652964);
}
END_TEST

/* Each byte of its activations is a call. */
START_TEST(test_profile_2_multiplies_twice)
{
    const erx_compute_table_t *table = &erx_compute_table_default;
    erx_shape_t shape = target;
    shape.profile = ERX_PROFILE_2;
    erx_compute_units_t units = erx_compute_units_frame(table, &shape);
    ck_assert_uint_eq(units.matmul, 2 * 191124);
    ck_assert_uint_eq(erx_compute_units_total(&units), 8652964 + 191124);
}
END_TEST

START_TEST(test_frame_of_an_mlp)
{
    const erx_shape_t mlp = {.stack = {10, 512, 256, {32, 4, 8, 2, 2, 4, 8, 4}, 1}};
    erx_compute_units_t units = erx_compute_units_frame(&erx_compute_table_default, &mlp);
    /* 260 columns of 16 bits, 1,586 of 8; 1,050 outputs. */
    ck_assert_uint_eq(units.matmul, (100 + 9451) + (100 + 1310) + (100 + 2688));
    ck_assert_uint_eq(units.scan + units.lookup, 0);
    ck_assert_uint_eq(units.elementwise, (512 + 256) * 30);
    ck_assert_uint_eq(units.coding, 10000);
}
END_TEST

START_TEST(test_odd_scan_rounds_down_a_layer)
{
    erx_compute_table_t table = erx_compute_table_default;
    erx_shape_t shape = target;
    table.scan_denominator = 7;
    ck_assert_uint_eq(erx_compute_units_layer(&table, &shape).scan, 1024 * 16 * 77 / 7);
    table.scan_numerator = 1;
    ck_assert_uint_eq(erx_compute_units_frame(&table, &shape).scan, UINT64_C(12) * 2340);
}
END_TEST

START_TEST(test_chunks_cost_together_what_the_frame_costs)
{
    const erx_compute_table_t *table = &erx_compute_table_default;
    erx_compute_units_t frame = erx_compute_units_frame(table, &target);
    for (uint32_t size = 1; size <= target.layer_count; size++) {
        uint64_t sum = 0;
        for (uint32_t first = 0; first < target.layer_count; first += size) {
            uint32_t count = ERX_MIN(size, target.layer_count - first);
            erx_compute_units_t chunk = erx_compute_units_chunk(table, &target, first, count);
            sum += erx_compute_units_total(&chunk);
        }
        ck_assert_uint_eq(sum, erx_compute_units_total(&frame));
    }
    ck_assert_uint_eq(erx_compute_units_chunk(table, &target, 0, 3).coding, table->encode);
    ck_assert_uint_eq(erx_compute_units_chunk(table, &target, 3, 3).coding, 0);
    ck_assert_uint_eq(erx_compute_units_chunk(table, &target, 9, 3).coding, table->decode);
}
END_TEST

START_TEST(test_impossible_tables_are_refused)
{
    erx_error_t error;
    erx_compute_table_t table = erx_compute_table_default;
    ck_assert_int_eq(erx_compute_table_check(&table, &error), ERX_OK);
    table.matmul_divisor = 0;
    ck_assert_int_eq(erx_compute_table_check(&table, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "matmul_divisor"));
    table.matmul_divisor = UINT64_MAX;
    table.scan_denominator = 0;
    ck_assert_int_eq(erx_compute_table_check(&table, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "scan_denominator"));
    table.scan_denominator = 1;
    table.lookup = ERX_COMPUTE_PRICE_MAX + 1;
    ck_assert_int_eq(erx_compute_table_check(&table, &error), ERX_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(error.text, "lookup"));
}
END_TEST

START_TEST(test_greatest_shape_at_greatest_prices_fits)
{
    const uint64_t most = ERX_COMPUTE_PRICE_MAX;
    const erx_compute_table_t table = {most, 1, most, 1, most, most, most, most, most, most};
    const erx_shape_t shape = {.profile = ERX_PROFILE_2,
                               .d_model = ERX_D_MODEL_MAX,
                               .d_inner = 2 * ERX_D_MODEL_MAX,
                               .d_state = ERX_D_STATE_MAX,
                               .layer_count = ERX_LAYERS_MAX,
                               .head_count = ERX_HEADS_MAX,
                               .head_dim = 16};
    erx_compute_units_t units = erx_compute_units_frame(&table, &shape);
    uint64_t scan = most * 2048 * 128 * 64;
    uint64_t lookup = most * (2048 + 2048 + 256 + 256) * 64;
    uint64_t matmul = 2 * (most * 2 + 3 * 2048 * 1024) * 64; /* profile 2: each twice */
    uint64_t rest = most * 3 * 1024 * 64 + 2 * most;
    ck_assert(erx_compute_units_total(&units) == scan + lookup + matmul + rest);
}
END_TEST

Suite *compute_units_suite(void)
{
    Suite *suite = suite_create("compute_units");
    TCase *tcase = tcase_create("units");
    tcase_add_test(tcase, test_calls_cost_what_is_published);
    tcase_add_test(tcase, test_units_do_not_wrap);
    tcase_add_test(tcase, test_frame_of_the_15M_model);
    tcase_add_test(tcase, test_profile_2_multiplies_twice);
    tcase_add_test(tcase, test_frame_of_an_mlp);
    tcase_add_test(tcase, test_odd_scan_rounds_down_a_layer);
    tcase_add_test(tcase, test_chunks_cost_together_what_the_frame_costs);
    tcase_add_test(tcase, test_impossible_tables_are_refused);
    tcase_add_test(tcase, test_greatest_shape_at_greatest_prices_fits);
    suite_add_tcase(suite, tcase);
    return suite;
}
