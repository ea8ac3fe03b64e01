#include "sched/histogram.h"
#include "tests/perf/perf_suites.h"
#include "tests/support/rng.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLES 20000u

static erx_histogram_t histogram;

static void setup(void)
{
    memset(&histogram, 0, sizeof histogram);
}

START_TEST(test_an_empty_histogram_has_quantile_zero)
{
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.5), 0);
    ck_assert_uint_eq(histogram.greatest, 0);
}
END_TEST

START_TEST(test_small_values_are_exact)
{
    for (uint64_t value = 0; value < 100; value++)
        erx_histogram_add(&histogram, value, 1);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0), 0);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.5), 50);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.99), 99);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 1), 99);
}
END_TEST

START_TEST(test_weights_count)
{
    erx_histogram_add(&histogram, 10, 98);
    erx_histogram_add(&histogram, 1000000, 2);
    ck_assert_uint_eq(histogram.count, 100);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.97), 10);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.98), 1000000);
}
END_TEST

START_TEST(test_extremes_have_a_bucket)
{
    erx_histogram_add(&histogram, UINT64_MAX, 1);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0.5), UINT64_MAX);
    erx_histogram_add(&histogram, 0, 1);
    ck_assert_uint_eq(erx_histogram_quantile(&histogram, 0), 0);
}
END_TEST

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Sizes over many octaves, against the sorted samples. */
START_TEST(test_quantiles_are_near_the_true_ones)
{
    static uint64_t samples[SAMPLES];
    static const double shares[] = {0, 0.1, 0.5, 0.9, 0.99, 0.999};
    erx_rng_t rng = erx_rng_open(1);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        samples[i] = (uint64_t)erx_rng_range(&rng, 1, 1 << 20) << erx_rng_range(&rng, 0, 20);
        erx_histogram_add(&histogram, samples[i], 1);
    }
    qsort(samples, SAMPLES, sizeof samples[0], compare);
    for (uint32_t i = 0; i < ERX_COUNT(shares); i++) {
        uint64_t exact = samples[(uint32_t)(shares[i] * SAMPLES)];
        uint64_t found = erx_histogram_quantile(&histogram, shares[i]);
        ck_assert_uint_ge(found, exact);
        ck_assert_uint_le(found, exact + exact / 64);
    }
    ck_assert_uint_eq(histogram.greatest, samples[SAMPLES - 1]);
}
END_TEST

Suite *histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *all = tcase_create("histogram");
    tcase_add_checked_fixture(all, setup, NULL);
    tcase_add_test(all, test_an_empty_histogram_has_quantile_zero);
    tcase_add_test(all, test_small_values_are_exact);
    tcase_add_test(all, test_weights_count);
    tcase_add_test(all, test_extremes_have_a_bucket);
    tcase_add_test(all, test_quantiles_are_near_the_true_ones);
    suite_add_tcase(suite, all);
    return suite;
}
