#include "engine/manifest.h"
#include "engine/tensor_plan.h"
#include "kernels/requant.h"
#include "tests/engine/engine_suites.h"
#include "tests/support/model_fixture.h"

#include <stdio.h>
#include <string.h>

static erx_fixture_t fixture;

static void setup(void)
{
    erx_fixture_model(&erx_fixture_small, 2, &fixture);
}

static void teardown(void)
{
    erx_fixture_free(&fixture);
}

/* One value of a tensor, and what it becomes. */
typedef struct {
    const char *tensor;
    size_t index;
    int64_t value;
    const char *refusal; /* beginning of the error; NULL: allowed */
} change_t;

static size_t element_bytes(const char *tensor)
{
    return erx_dtype_bytes(erx_manifest_find(&fixture.manifest, tensor)->dtype);
}

static void set_value(const char *tensor, size_t index, int64_t value)
{
    size_t size = element_bytes(tensor);
    uint8_t *values = erx_fixture_tensor(&fixture, tensor);
    memcpy(values + index * size, &value, size);
}

static void fill_values(const char *tensor, size_t begin, size_t end, int64_t value)
{
    for (size_t i = begin; i < end; i++)
        set_value(tensor, i, value);
}

static erx_status_t check_weights(erx_error_t *error)
{
    erx_tensors_t tensors;
    erx_tensor_plan_bind(&fixture.manifest, fixture.weights, &tensors);
    return erx_tensors_check(&tensors, error);
}

static void expect_allowed(const char *what)
{
    erx_error_t error;
    ck_assert_msg(check_weights(&error) == ERX_OK, "%s: %s", what, error.text);
}

static void expect_refused(const char *refusal)
{
    erx_error_t error;
    ck_assert_msg(check_weights(&error) == ERX_ERR_RANGE, "allowed what breaks %s", refusal);
    ck_assert_msg(strncmp(error.text, refusal, strlen(refusal)) == 0, "%s: \"%s\"", refusal,
                  error.text);
}

/* Each change alone, undone before the next. */
static void expect_changes(const change_t *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const change_t *change = &changes[i];
        size_t size = element_bytes(change->tensor);
        uint8_t *value =
            (uint8_t *)erx_fixture_tensor(&fixture, change->tensor) + change->index * size;
        uint8_t before[sizeof(int64_t)];
        memcpy(before, value, size);
        set_value(change->tensor, change->index, change->value);
        if (change->refusal != NULL)
            expect_refused(change->refusal);
        else
            expect_allowed(change->tensor);
        memcpy(value, before, size);
    }
    expect_allowed("unchanged");
}

/* Places in sc (NUMERICS 11). */
enum { R, T_SH, WF_S, FH, GF_S, WCTL_S, GH_S, WL_S, CMAX };
enum { G1_S, WIN_S, FZ, WC_S, FX, KB, KC, Y_S, G2_S, WO_S };

START_TEST(test_scalars_have_ranges)
{
    static const change_t changes[] = {
        {"sc", R, 13, "sc R:"},
        {"sc", R, 15, "sc R:"},
        {"sc", T_SH, -1, "sc T_sh:"},
        {"sc", T_SH, 0, NULL},
        {"sc", T_SH, 15, "sc T_sh:"},
        {"sc", WF_S, 15, "sc Wf_s:"},
        {"sc", WF_S, 33, "sc Wf_s:"},
        {"sc", FH, -1, "sc fh:"},
        {"sc", FH, 0, NULL},
        {"sc", FH, 12, NULL},
        {"sc", FH, 13, "sc fh:"},
        {"sc", GF_S, 2, "sc Gf_s:"},
        {"sc", GF_S, 3, NULL},
        {"sc", GF_S, 24, NULL},
        {"sc", GF_S, 25, "sc Gf_s:"},
        {"sc", WCTL_S, 0, "sc Wctl_s:"},
        {"sc", WCTL_S, 33, "sc Wctl_s:"},
        {"sc", GH_S, 2, "sc Gh_s:"},
        {"sc", GH_S, 3, NULL},
        {"sc", GH_S, 24, NULL},
        {"sc", GH_S, 25, "sc Gh_s:"},
        {"sc", WL_S, 15, "sc Wl_s:"},
        {"sc", WL_S, 30, NULL},
        {"sc", WL_S, 31, "sc Wl_s:"},
        {"sc", CMAX, 6552, "sc Cmax:"}, /* floor((2^31 - 1) / (10 * 32768)) = 6553 */
        {"sc", CMAX, 6553, NULL},
        {"sc", CMAX, 6554, "sc Cmax:"},
        {"eps1", 0, 0, "eps1:"},
        {"eps1", 0, -1, "eps1:"},
        {"eps1", 0, 1, NULL},
        {"eps1", 0, INT64_C(1) << 62, NULL},
        {"eps1", 0, (INT64_C(1) << 62) + 1, "eps1:"},
    };
    expect_changes(changes, ERX_COUNT(changes));
}
END_TEST

START_TEST(test_layer_scalars_have_ranges)
{
    static const change_t changes[] = {
        {"layers.1.sc", G1_S, 2, "layers.1.sc G1_s:"},
        {"layers.1.sc", G1_S, 3, NULL},
        {"layers.1.sc", G1_S, 24, NULL},
        {"layers.1.sc", G1_S, 25, "layers.1.sc G1_s:"},
        {"layers.1.sc", WIN_S, 15, "layers.1.sc Win_s:"},
        {"layers.1.sc", WIN_S, 30, NULL},
        {"layers.1.sc", WIN_S, 31, "layers.1.sc Win_s:"},
        {"layers.1.sc", FZ, 7, "layers.1.sc fz:"},
        {"layers.1.sc", FZ, 8, NULL},
        {"layers.1.sc", FZ, 12, NULL},
        {"layers.1.sc", FZ, 13, "layers.1.sc fz:"},
        {"layers.1.sc", WC_S, 0, "layers.1.sc Wc_s:"},
        {"layers.1.sc", WC_S, 33, "layers.1.sc Wc_s:"},
        {"layers.1.sc", FX, 7, "layers.1.sc fx:"},
        {"layers.1.sc", FX, 8, NULL},
        {"layers.1.sc", FX, 12, NULL},
        {"layers.1.sc", FX, 13, "layers.1.sc fx:"},
        {"layers.1.sc", KB, -1, "layers.1.sc kb:"},
        {"layers.1.sc", KB, 0, NULL},
        {"layers.1.sc", KB, 8, NULL},
        {"layers.1.sc", KB, 9, "layers.1.sc kb:"},
        {"layers.1.sc", KC, -1, "layers.1.sc kc:"},
        {"layers.1.sc", KC, 0, NULL},
        {"layers.1.sc", KC, 15, NULL},
        {"layers.1.sc", KC, 16, "layers.1.sc kc:"},
        {"layers.1.sc", Y_S, 0, "layers.1.sc y_s:"},
        {"layers.1.sc", Y_S, 32, NULL},
        {"layers.1.sc", Y_S, 33, "layers.1.sc y_s:"},
        {"layers.1.sc", G2_S, 2, "layers.1.sc G2_s:"},
        {"layers.1.sc", G2_S, 25, "layers.1.sc G2_s:"},
        {"layers.1.sc", WO_S, 15, "layers.1.sc Wo_s:"},
        {"layers.1.sc", WO_S, 31, "layers.1.sc Wo_s:"},
        {"layers.1.eps2", 0, 0, "layers.1.eps2:"},
        {"layers.1.eps2", 0, 1, NULL},
        {"layers.1.eps2", 0, INT64_C(1) << 62, NULL},
        {"layers.1.eps2", 0, INT64_MAX, "layers.1.eps2:"},
    };
    expect_changes(changes, ERX_COUNT(changes));
}
END_TEST

START_TEST(test_operands_are_symmetric)
{
    static const change_t changes[] = {
        {"layers.0.Win", 96 * 5 + 7, -128, "layers.0.Win row 5:"},
        {"layers.1.Wo", 192 * 95 + 191, -128, "layers.1.Wo row 95:"},
        {"Wl", 96 * 1019 + 95, -128, "Wl row 1019:"},
        {"Wf", 58 * 3, -32768, "Wf row 3:"},
        {"T.0", 96 * 399 + 95, -32768, "T.0 row 399:"},
        {"T.14", 96 * 32, -32768, "T.14 row 32:"},
        {"T.9", 0, -32767, NULL},
        {"Wctl", 26 * 95 + 25, -32768, "Wctl row 95:"},
        {"Gf", 0, -32768, "Gf row 0:"},
        {"Gf", 0, -32767, NULL},
        {"Gh", 95, -32768, "Gh row 95:"},
        {"Wr", 96 * 29, -32768, "Wr row 29:"},
        {"layers.0.G1", 1, -32768, "layers.0.G1 row 1:"},
        {"layers.1.G2", 191, -32768, "layers.1.G2 row 191:"},
        {"layers.0.Wc", 4 * 211 + 3, 16384, "layers.0.Wc row 211:"},
        {"layers.0.Wc", 4 * 211 + 3, -16384, "layers.0.Wc row 211:"},
        {"layers.0.Wc", 4 * 211 + 3, -16383, NULL},
    };
    expect_changes(changes, ERX_COUNT(changes));
}
END_TEST

START_TEST(test_multipliers_and_biases_have_ranges)
{
    enum { BIAS_MAX = 1 << 29 };
    static const change_t changes[] = {
        {"Wf_m", 2, INT32_MIN, "Wf_m row 2:"},
        {"Wctl_m", 2, INT32_MIN, "Wctl_m row 2:"},
        {"Wl_m", 1019, INT32_MIN, "Wl_m row 1019:"},
        {"Wl_m", 1019, -1, NULL},
        {"layers.0.Win_m", 0, INT32_MIN, "layers.0.Win_m row 0:"},
        {"layers.0.Wc_m", 0, INT32_MIN, "layers.0.Wc_m row 0:"},
        {"layers.0.Wo_m", 0, INT32_MIN, "layers.0.Wo_m row 0:"},
        {"Wr_m", 3, -1, "Wr_m row 3:"},
        {"Wr_m", 3, 0, NULL},
        {"Wr_m", 3, (1 << 22) + 1, "Wr_m row 3:"},
        {"Wr_s", 3, 0, "Wr_s row 3:"},
        {"Wr_s", 3, 62, NULL},
        {"Wr_s", 3, 63, "Wr_s row 3:"},
        {"bctl", 0, BIAS_MAX, NULL},
        {"bctl", 0, BIAS_MAX + 1, "bctl row 0:"},
        {"bctl", 0, -BIAS_MAX - 1, "bctl row 0:"},
        {"layers.1.bc", 9, BIAS_MAX, NULL},
        {"layers.1.bc", 9, -BIAS_MAX - 1, "layers.1.bc row 9:"},
        {"layers.1.dtb", 3, -BIAS_MAX, NULL},
        {"layers.1.dtb", 3, BIAS_MAX + 1, "layers.1.dtb row 3:"},
        {"fm", 12, -1, "fm row 12:"},
        {"fm", 12, INT32_MAX, NULL},
        {"layers.0.Am", 1, -1, "layers.0.Am row 1:"},
        {"layers.0.Am", 1, INT32_MAX, NULL},
        {"layers.0.md", 1, -1, "layers.0.md row 1:"},
        {"layers.0.md", 1, INT32_MAX, NULL},
    };
    expect_changes(changes, ERX_COUNT(changes));
}
END_TEST

START_TEST(test_results_stay_in_32_bits)
{
    static const change_t changes[] = {
        {"layers.1.sc", WIN_S, 16, "layers.1.Win row"},
        {"layers.1.sc", WO_S, 16, "layers.1.Wo row"},
        {"layers.1.sc", WC_S, 1, "layers.1.Wc row"},
        {"layers.1.sc", Y_S, 1, "layers.1.my row"},
        {"sc", WL_S, 16, "Wl row"},
        {"sc", WF_S, 16, "Wf row"},
        {"sc", WCTL_S, 1, "Wctl row"},
        {"Wr_s", 29, 1, "Wr row 29:"},
        {"br", 0, INT32_MIN, "Wr row 0:"},
        {"bl", 7, INT32_MAX, "Wl row 7:"},
        {"bf", 7, 1 << 29, "bf row 7:"},
        {"layers.0.my", 2, INT32_MAX, "layers.0.my row 2:"},
        {"layers.0.my", 2, INT32_MIN, "layers.0.my row 2:"},
        {"sc", T_SH, 14, "bf row"},
    };
    expect_changes(changes, ERX_COUNT(changes));
}
END_TEST

/* Clears a matrix' multipliers, so that only the row at hand has a bound. */
static void silence(const char *multipliers)
{
    const erx_tensor_entry_t *entry = erx_manifest_find(&fixture.manifest, multipliers);
    fill_values(multipliers, 0, entry->dimensions[0], 0);
}

/* The greatest multiplier with RQ(acc, m, shift) + addend <= 2^31 - 1. */
static int64_t multiplier_max(int64_t accumulator, int32_t shift, int64_t addend)
{
    int64_t low = 0;
    int64_t high = INT32_MAX;
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (erx_round_shift(accumulator * middle, shift) + addend <= INT32_MAX)
            low = middle;
        else
            high = middle - 1;
    }
    ck_assert_int_lt(low, INT32_MAX); /* or there would be no bound to test */
    return low;
}

/* The bound is exact: the greatest multiplier whose worst case still fits is
 * allowed, the next one is not. */
static void expect_exact(const char *multipliers, size_t row, int64_t accumulator, int32_t shift,
                         int64_t addend, const char *refusal)
{
    int64_t greatest = multiplier_max(accumulator, shift, addend);
    set_value(multipliers, row, greatest);
    expect_allowed(multipliers);
    set_value(multipliers, row, -greatest);
    expect_allowed(multipliers);
    set_value(multipliers, row, greatest + 1);
    expect_refused(refusal);
    set_value(multipliers, row, -greatest - 1);
    expect_refused(refusal);
}

static void check_product_bounds(erx_profile_t profile)
{
    enum { D = 96, DI = 192, DT_ROW = 2 * 192 + 2 * 10, SHIFT = 16 };
    const int32_t least = SHIFT - ERX_EXPONENT_MAX;
    const int32_t full = 127 * erx_profile_activation_max(profile);
    static const char *const multipliers[] = {"layers.0.Win_m", "layers.0.Wo_m", "layers.1.Win_m",
                                              "layers.1.Wo_m", "Wl_m"};
    fixture.manifest.shape.profile = profile;
    for (size_t i = 0; i < ERX_COUNT(multipliers); i++)
        silence(multipliers[i]);
    /* Win: a row of z, whose results only saturate, and one of dt. */
    set_value("layers.0.sc", WIN_S, SHIFT);
    fill_values("layers.0.Win", 0, D, -127);
    expect_exact("layers.0.Win_m", 0, full * D, least, 0, "layers.0.Win row 0:");
    set_value("layers.0.Win_m", 0, 0);
    fill_values("layers.0.Win", (size_t)D * DT_ROW, (size_t)D * (DT_ROW + 1), 127);
    set_value("layers.0.dtb", 0, -300000);
    expect_exact("layers.0.Win_m", DT_ROW, full * D, least, 300000, "layers.0.Win row 404:");
    set_value("layers.0.Win_m", DT_ROW, 0);
    /* Wo is added to the residual stream. */
    set_value("layers.0.sc", WO_S, SHIFT);
    fill_values("layers.0.Wo", 0, DI, 127);
    expect_exact("layers.0.Wo_m", 0, full * DI, least, ERX_RESIDUAL_MAX, "layers.0.Wo row 0:");
    set_value("layers.0.Wo_m", 0, 0);
    set_value("sc", WL_S, SHIFT);
    fill_values("Wl", 0, D, 127);
    set_value("bl", 0, -5000);
    expect_exact("Wl_m", 0, full * D, least, 5000, "Wl row 0:");
}

START_TEST(test_the_bounds_of_products_are_exact)
{
    check_product_bounds((erx_profile_t)_i);
}
END_TEST

START_TEST(test_the_bounds_of_16_bit_products_are_exact)
{
    silence("layers.0.Wc_m");
    set_value("layers.0.sc", WC_S, 20);
    fill_values("layers.0.Wc", 0, 4, -16383);
    set_value("layers.0.bc", 0, -100000);
    expect_exact("layers.0.Wc_m", 0, INT64_C(4) * 16383 * 32767, 20, 100000, "layers.0.Wc row 0:");
    set_value("layers.0.Wc_m", 0, 0);
    silence("Wctl_m");
    set_value("sc", WCTL_S, 16);
    fill_values("Wctl", 0, 26, 1); /* small, so that a step of the multiplier is */
    set_value("bctl", 0, 77);
    expect_exact("Wctl_m", 0, INT64_C(26) * 32767, 16, 32767 + 77, "Wctl row 0:");
    set_value("Wctl_m", 0, 0);
    /* 65538 * 32767 is the last that fits 31 bits. */
    fill_values("Wctl", 0, 26, 0);
    set_value("Wctl", 0, 32767);
    set_value("Wctl", 1, -32767);
    set_value("Wctl", 2, 4);
    expect_allowed("Wctl");
    set_value("Wctl", 2, -5);
    expect_refused("Wctl row 0:");
}
END_TEST

START_TEST(test_the_bounds_of_the_embedding_are_exact)
{
    enum { D = 96, SUM_MAX = 1 << 29 };
    silence("Wf_m");
    fill_values("Wf", 0, 58, 0);
    set_value("Wf", 0, -32767);
    set_value("Wf", 57, 32767);
    set_value("Wf", 1, 1);
    expect_allowed("Wf");
    set_value("Wf", 1, 2);
    expect_refused("Wf row 0:");
    set_value("Wf", 1, 0);
    set_value("sc", WF_S, 16);
    expect_exact("Wf_m", 0, INT64_C(65534) * 32767, 16, SUM_MAX, "Wf row 0:");
    set_value("Wf_m", 0, 0);
    /* Column 0: of each table only the greatest row counts. */
    static const uint16_t counts[] = {400, 8, 33, 3, 3, 32, 64, 400, 8, 33, 3, 3, 32, 64, 33};
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        char name[ERX_TENSOR_NAME_MAX];
        (void)snprintf(name, sizeof name, "T.%u", k);
        for (size_t value = 0; value < counts[k]; value++)
            set_value(name, value * D, value == counts[k] - 1u ? -1000 : 999);
    }
    set_value("sc", T_SH, 3);
    set_value("bf", 0, -(SUM_MAX - 15 * 8000));
    expect_allowed("bf");
    set_value("bf", 0, -(SUM_MAX - 15 * 8000) - 1);
    expect_refused("bf row 0:");
}
END_TEST

START_TEST(test_the_bounds_of_regression_and_read_out_are_exact)
{
    enum { D = 96 };
    fill_values("Wr", 0, D, 32767);
    set_value("Wr_m", 0, 1 << 22);
    set_value("Wr_s", 0, 31);
    int64_t result = erx_round_shift(((INT64_C(32767) * 32767 * D) << 22), 31);
    set_value("br", 0, INT32_MAX - result);
    expect_allowed("Wr");
    set_value("br", 0, INT32_MAX - result + 1);
    expect_refused("Wr row 0:");
    set_value("br", 0, -(INT32_MAX - result) - 1);
    expect_refused("Wr row 0:");
    set_value("br", 0, 0);

    /* 2^31 * my fills the range but for one step of my, which mD then takes. */
    fill_values("layers.0.my", 0, 4, 0);
    fill_values("layers.0.mD", 0, 4, 0);
    set_value("layers.0.sc", Y_S, 16);
    set_value("layers.0.my", 3, 65535);
    int64_t rest = (INT64_C(1) << 47) - (INT64_C(65535) << 31) - (INT64_C(1) << 15) - 1;
    int64_t greatest = rest / 32767;
    set_value("layers.0.mD", 3, -greatest);
    expect_allowed("my");
    set_value("layers.0.mD", 3, -greatest - 1);
    expect_refused("layers.0.my row 3:");
    set_value("layers.0.mD", 3, 0);
    set_value("layers.0.my", 3, 65536);
    expect_refused("layers.0.my row 3:");
}
END_TEST

START_TEST(test_a_shape_that_cannot_be_is_refused_first)
{
    erx_tensors_t tensors = fixture.tensors;
    tensors.shape.layer_count = ERX_LAYERS_MAX + 1;
    erx_error_t error;
    ck_assert_int_eq(erx_tensors_check(&tensors, &error), ERX_ERR_RANGE);
    ck_assert_int_eq(strncmp(error.text, "architecture.n_layers:", 22), 0);
}
END_TEST

Suite *tensors_check_suite(void)
{
    Suite *suite = suite_create("tensors_check");
    TCase *tcase = tcase_create("tensors_check");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_scalars_have_ranges);
    tcase_add_test(tcase, test_layer_scalars_have_ranges);
    tcase_add_test(tcase, test_operands_are_symmetric);
    tcase_add_test(tcase, test_multipliers_and_biases_have_ranges);
    tcase_add_test(tcase, test_results_stay_in_32_bits);
    tcase_add_loop_test(tcase, test_the_bounds_of_products_are_exact, 0, ERX_PROFILES);
    tcase_add_test(tcase, test_the_bounds_of_16_bit_products_are_exact);
    tcase_add_test(tcase, test_the_bounds_of_the_embedding_are_exact);
    tcase_add_test(tcase, test_the_bounds_of_regression_and_read_out_are_exact);
    tcase_add_test(tcase, test_a_shape_that_cannot_be_is_refused_first);
    suite_add_tcase(suite, tcase);
    return suite;
}
