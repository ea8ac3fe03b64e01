/* Rounding, saturation, scale and the sigmoid against their definitions. */
#include "kernels/requant.h"
#include "kernels/silu.h"
#include "kernels/tensors.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/suites.h"

#define DRAWS 20000

/* floor(dividend / 2^shift), by division. */
static int64_t floor_divided(int64_t dividend, int32_t shift)
{
    int64_t divisor = INT64_C(1) << shift;
    return dividend / divisor - (dividend % divisor < 0);
}

START_TEST(test_round_shift_rounds_halves_up)
{
    ERX_EXPECT(erx_round_shift(-7, 0), ==, -7);
    ERX_EXPECT(erx_round_shift(1, 1), ==, 1);
    ERX_EXPECT(erx_round_shift(-1, 1), ==, 0);
    ERX_EXPECT(erx_round_shift(-3, 1), ==, -1);
    ERX_EXPECT(erx_round_shift(INT64_C(1) << 61, 62), ==, 1);
    ERX_EXPECT(erx_round_shift(-(INT64_C(1) << 61), 62), ==, 0);
    ERX_EXPECT(erx_round_shift(-(INT64_C(1) << 61) - 1, 62), ==, -1);
    erx_rng_t rng = erx_rng_open(0);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t shift = (int32_t)erx_rng_range(&rng, 1, 61);
        int64_t limit = INT64_C(1) << 61;
        int64_t value = erx_draw_value(&rng, erx_draw_style(&rng), -limit, limit);
        int64_t half = INT64_C(1) << (shift - 1);
        ERX_EXPECT(erx_round_shift(value, shift), ==, floor_divided(value + half, shift));
    }
}
END_TEST

START_TEST(test_requantize)
{
    ERX_EXPECT(erx_requantize(INT32_MIN, INT32_MAX, 32), ==, -1073741823);
    ERX_EXPECT(erx_requantize(INT32_MAX, INT32_MAX, 32), ==, 1073741823);
    erx_rng_t rng = erx_rng_open(1);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t shift = (int32_t)erx_rng_range(&rng, 1, 32);
        int64_t accumulator = erx_draw_value(&rng, erx_draw_style(&rng), INT32_MIN, INT32_MAX);
        uint64_t size = (uint64_t)(accumulator < 0 ? -accumulator : accumulator);
        int32_t multiplier = erx_draw_multiplier(&rng, size, shift, INT32_MAX);
        int64_t half = INT64_C(1) << (shift - 1);
        ERX_EXPECT(erx_requantize((int32_t)accumulator, multiplier, shift), ==,
                   floor_divided(accumulator * multiplier + half, shift));
    }
}
END_TEST

START_TEST(test_saturation_is_symmetric)
{
    ERX_EXPECT(erx_sat16(INT64_MIN), ==, -32767);
    ERX_EXPECT(erx_sat16(-32768), ==, -32767);
    ERX_EXPECT(erx_sat16(-32767), ==, -32767);
    ERX_EXPECT(erx_sat16(32767), ==, 32767);
    ERX_EXPECT(erx_sat16(32768), ==, 32767);
    ERX_EXPECT(erx_sat16(INT64_MAX), ==, 32767);
    ERX_EXPECT(erx_sat8(-128), ==, -127);
    ERX_EXPECT(erx_sat8(128), ==, 127);
    for (int32_t value = -32767; value <= 32767; value++) {
        ERX_EXPECT(erx_sat16(value), ==, value);
        ERX_EXPECT(erx_sat8(value), ==, value < -127 ? -127 : value > 127 ? 127 : value);
        ERX_EXPECT(erx_clamp(value, -5, 9), ==, value < -5 ? -5 : value > 9 ? 9 : value);
        ERX_EXPECT(erx_clamp64(value, -5, 9), ==, erx_clamp(value, -5, 9));
    }
}
END_TEST

START_TEST(test_mulhrs)
{
    ERX_EXPECT(erx_mulhrs(-32768, 32767), ==, -32767);
    ERX_EXPECT(erx_mulhrs(32767, 32767), ==, 32766);
    ERX_EXPECT(erx_mulhrs(1, 16384), ==, 1);
    ERX_EXPECT(erx_mulhrs(-1, 16384), ==, 0);
    erx_rng_t rng = erx_rng_open(2);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int16_t a = (int16_t)erx_draw_value(&rng, erx_draw_style(&rng), -32768, 32767);
        int16_t b = (int16_t)erx_draw_value(&rng, erx_draw_style(&rng), -32767, 32767);
        ERX_EXPECT(erx_mulhrs(a, b), ==, floor_divided(a * b + 16384, 15));
    }
}
END_TEST

START_TEST(test_block_exponent_is_the_smallest_that_fits)
{
    erx_rng_t rng = erx_rng_open(3);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t shift = (int32_t)erx_rng_range(&rng, 3, 24);
        int32_t greatest =
            (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), 0, (int64_t)32767 * 32767);
        int32_t exponent = erx_block_exponent(greatest, shift);
        ERX_EXPECT(exponent, >=, ERX_EXPONENT_MIN);
        ERX_EXPECT(exponent, <=, ERX_EXPONENT_MAX);
        if (exponent < ERX_EXPONENT_MAX)
            ERX_EXPECT(erx_round_shift(greatest, shift + exponent), <=, 127);
        if (exponent > ERX_EXPONENT_MIN)
            ERX_EXPECT(erx_round_shift(greatest, shift + exponent - 1), >, 127);
    }
    /* 127.5 rounds to 128: one more is needed; a bit less is not. */
    ERX_EXPECT(erx_block_exponent(255 << 9, 10), ==, 1);
    ERX_EXPECT(erx_block_exponent((255 << 9) - 1, 10), ==, 0);
    ERX_EXPECT(erx_block_exponent(0, 3), ==, ERX_EXPONENT_MIN);
    ERX_EXPECT(erx_block_exponent(32767 * 32767, 3), ==, ERX_EXPONENT_MAX);
}
END_TEST

/* r and k as 4.1 defines them, without its loops. */
static void check_root(uint64_t ss)
{
    erx_root_t root = erx_reciprocal_root(ss);
    uint64_t scaled = root.k >= 0 ? ss >> (2 * root.k) : ss << (-2 * root.k);
    ERX_EXPECT(scaled, >=, UINT64_C(1) << 30);
    ERX_EXPECT(scaled, <, UINT64_C(1) << 32);
    if (root.k < 0)
        ERX_EXPECT(scaled >> (-2 * root.k), ==, ss);
    uint64_t quotient = (UINT64_C(1) << 62) / scaled;
    uint64_t r = (uint64_t)root.r;
    ERX_EXPECT(r * r, <=, quotient);
    ERX_EXPECT((r + 1) * (r + 1), >, quotient);
    ERX_EXPECT(root.r, >=, 1 << 15);
    ERX_EXPECT(root.r, <=, 1 << 16);
    ERX_EXPECT(root.k, >=, -15);
    ERX_EXPECT(root.k, <=, 16);
}

START_TEST(test_reciprocal_root)
{
    for (uint32_t bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        check_root(power);
        check_root(power | 1);
        check_root(ERX_MAX(power - 1, 1));
    }
    check_root(UINT64_MAX);
    erx_rng_t rng = erx_rng_open(4);
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint64_t sum = erx_rng_next(&rng) >> erx_rng_range(&rng, 0, 63);
        check_root(sum == 0 ? 1 : sum);
        /* Sums whose quotient is next to a square. */
        uint64_t r = (uint64_t)erx_rng_range(&rng, (1 << 15) + 1, 1 << 16);
        check_root((UINT64_C(1) << 62) / (r * r));
        check_root((UINT64_C(1) << 62) / (r * r) + 1);
    }
}
END_TEST

/* For each format f: the table at its nodes, its ends outside, never falling,
 * and never more than half a step from the straight line between nodes. */
START_TEST(test_sigmoid)
{
    int32_t step = _i - 3;
    int16_t before = 0;
    for (int32_t v = -32768; v <= 32767; v++) {
        int16_t value = erx_sigmoid((int16_t)v, _i);
        int32_t t = v + (16 << _i);
        int32_t index = (int32_t)floor_divided(t, step);
        int32_t fraction = t - index * (1 << step);
        ERX_EXPECT(value, >=, before);
        if (index < 0) {
            ERX_EXPECT(value, ==, 0);
        } else if (index > 255) {
            ERX_EXPECT(value, ==, 32767);
        } else if (fraction == 0) {
            ERX_EXPECT(value, ==, erx_table_sig[index]);
        } else {
            int32_t line = erx_table_sig[index] * ((1 << step) - fraction) +
                           erx_table_sig[index + 1] * fraction;
            int32_t twice_off = 2 * (value * (1 << step) - line);
            ERX_EXPECT(twice_off < 0 ? -twice_off : twice_off, <=, 1 << step);
        }
        before = value;
    }
}
END_TEST

START_TEST(test_silu_lies_between_zero_and_its_operand)
{
    for (int32_t v = -32767; v <= 32767; v++) {
        int16_t value = erx_silu((int16_t)v, _i);
        ERX_EXPECT(value, <=, ERX_MAX(v, 0));
        ERX_EXPECT(value, >=, ERX_MIN(v, 0));
        /* silu(x) = x + silu(-x), up to rounding. */
        int32_t mirrored = v + erx_silu((int16_t)-v, _i);
        ERX_EXPECT(mirrored - value, <=, 2);
        ERX_EXPECT(mirrored - value, >=, -2);
    }
}
END_TEST

Suite *requant_suite(void)
{
    Suite *suite = suite_create("requant");
    TCase *tcase = tcase_create("requant");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_round_shift_rounds_halves_up);
    tcase_add_test(tcase, test_requantize);
    tcase_add_test(tcase, test_saturation_is_symmetric);
    tcase_add_test(tcase, test_mulhrs);
    tcase_add_test(tcase, test_block_exponent_is_the_smallest_that_fits);
    tcase_add_test(tcase, test_reciprocal_root);
    tcase_add_loop_test(tcase, test_sigmoid, 8, 13);
    tcase_add_loop_test(tcase, test_silu_lies_between_zero_and_its_operand, 8, 13);
    suite_add_tcase(suite, tcase);
    return suite;
}
