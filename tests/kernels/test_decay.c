/* The per-head scalars against the real functions that they approximate: the
 * tables' steps bound the error. */
#include "kernels/decay.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/suites.h"

#include <math.h>

#define DRAWS 20000
/* Softplus, Q24: the line between nodes 1/32 apart is off by at most
 * 2^24 * (1/32)^2 / 8 / 4, plus the roundings of nodes and line. */
#define SOFTPLUS_ERROR 515.0

/* A layer with one head. */
static erx_decay_t decay_of(int32_t dt, int32_t dtb, int32_t Am, int32_t md)
{
    const erx_layer_t layer = {.dtb = &dtb, .Am = &Am, .md = &md};
    return erx_decay(&layer, 0, dt);
}

static double softplus(double q)
{
    return q > 0 ? q + log1p(exp(-q)) : log1p(exp(q));
}

static int32_t draw_q(erx_rng_t *rng)
{
    const int64_t limit = (1 << 20) - 1;
    return (int32_t)erx_draw_value(rng, erx_draw_style(rng), -limit, limit);
}

START_TEST(test_scalars_stay_in_their_ranges)
{
    erx_rng_t rng = erx_rng_open(0);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t dt = (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), INT32_MIN, INT32_MAX);
        int32_t dtb = (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), -(1 << 29), 1 << 29);
        int32_t Am = (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), 0, INT32_MAX);
        int32_t md = (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), 0, INT32_MAX);
        erx_decay_t decay = decay_of(dt, dtb, Am, md);
        ERX_EXPECT(decay.Abar, >=, 0);
        ERX_EXPECT(decay.Km, >=, 0);
        ERX_EXPECT(decay.ns, >=, 2);
        ERX_EXPECT(decay.ns, <=, 16);
        /* The mantissa is full unless the number is small. */
        ck_assert(decay.ns == 16 || decay.Km >= 1 << 14);
    }
}
END_TEST

/* With md = 2^24 the input's factor is softplus itself, Q24. */
START_TEST(test_input_factor_is_softplus)
{
    erx_rng_t rng = erx_rng_open(1);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t q = draw_q(&rng);
        int32_t dtb = (int32_t)erx_rng_range(&rng, -1000000, 1000000);
        erx_decay_t decay = decay_of(q - dtb, dtb, 0, 1 << 24);
        double unit = exp2(16 - decay.ns);
        double expected = ldexp(softplus(ldexp(q, -16)), 24);
        ck_assert_double_le(fabs(decay.Km * unit + unit / 2 - expected), unit / 2 + SOFTPLUS_ERROR);
    }
}
END_TEST

START_TEST(test_state_factor_is_a_power_of_two)
{
    erx_rng_t rng = erx_rng_open(2);
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t q = draw_q(&rng);
        int32_t Am = (int32_t)erx_draw_value(&rng, erx_draw_style(&rng), 0, 1 << 22);
        erx_decay_t decay = decay_of(q, 0, Am, 0);
        double expected = 32768 * exp2(-softplus(ldexp(q, -16)) * ldexp(Am, -16));
        double softplus_error = 32768 * M_LN2 * ldexp(SOFTPLUS_ERROR * Am, -40);
        ck_assert_double_le(fabs(decay.Abar - expected), softplus_error + 2);
    }
}
END_TEST

START_TEST(test_factors_are_monotone_in_dt)
{
    erx_decay_t before = decay_of(-(1 << 20), 0, 1 << 17, 1 << 24);
    for (int32_t q = -(1 << 20); q <= 1 << 20; q += 64) {
        erx_decay_t decay = decay_of(q, 0, 1 << 17, 1 << 24);
        /* Beyond 2^-16 the exponent stops and the fraction goes round: whole
         * powers give 1 there, the others 0. */
        ERX_EXPECT(decay.Abar, <=, ERX_MAX(before.Abar, 1));
        ERX_EXPECT(decay.Km << (16 - decay.ns), >=, before.Km << (16 - before.ns));
        before = decay;
    }
}
END_TEST

START_TEST(test_ends)
{
    /* Nothing decays without A; nothing enters without md. */
    erx_decay_t none = decay_of(INT32_MAX, 1 << 29, 0, 0);
    ERX_EXPECT(none.Abar, ==, 32767);
    ERX_EXPECT(none.Km, ==, 0);
    ERX_EXPECT(none.ns, ==, 16);
    /* Everything at once: the state is forgotten, the factor is at its limit. */
    erx_decay_t most = decay_of(INT32_MAX, 1 << 29, INT32_MAX, INT32_MAX);
    ERX_EXPECT(most.Abar, ==, 0);
    ERX_EXPECT(most.Km, ==, 32767);
    ERX_EXPECT(most.ns, ==, 2);
    /* dt is limited after its bias, in 64 bits. */
    erx_decay_t least = decay_of(INT32_MIN, -(1 << 29), 1 << 16, 1 << 24);
    erx_decay_t limit = decay_of(-(1 << 20) + 1, 0, 1 << 16, 1 << 24);
    ERX_EXPECT(least.Abar, ==, limit.Abar);
    ERX_EXPECT(least.Km, ==, limit.Km);
    ERX_EXPECT(least.ns, ==, limit.ns);
}
END_TEST

Suite *decay_suite(void)
{
    Suite *suite = suite_create("decay");
    TCase *tcase = tcase_create("decay");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_scalars_stay_in_their_ranges);
    tcase_add_test(tcase, test_input_factor_is_softplus);
    tcase_add_test(tcase, test_state_factor_is_a_power_of_two);
    tcase_add_test(tcase, test_factors_are_monotone_in_dt);
    tcase_add_test(tcase, test_ends);
    suite_add_tcase(suite, tcase);
    return suite;
}
