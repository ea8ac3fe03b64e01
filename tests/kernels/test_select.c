#include "kernels/select.h"
#include "tests/kernels/suites.h"

#include <string.h>

/* Best first. */
static const char *const names[ERX_KERNELS_MAX] = {"avx512vnni", "avx2", "scalar"};

static uint32_t rank_of(const char *name)
{
    uint32_t rank = 0;
    while (rank < ERX_KERNELS_MAX && strcmp(names[rank], name) != 0)
        rank++;
    return rank;
}

START_TEST(test_list_is_ordered_and_ends_with_the_reference)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, ERX_KERNELS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_lt(rank_of(kernels[i]->name), ERX_KERNELS_MAX);
        if (i > 0)
            ck_assert_uint_gt(rank_of(kernels[i]->name), rank_of(kernels[i - 1]->name));
    }
    ck_assert_ptr_eq(kernels[count - 1], &erx_kernel_scalar);
    ck_assert_ptr_eq(erx_kernel_best(), kernels[0]);
}
END_TEST

START_TEST(test_every_listed_kernel_is_found_and_complete)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    for (uint32_t i = 0; i < count; i++) {
        const erx_kernel_t *kernel = erx_kernel_find(kernels[i]->name);
        ck_assert_ptr_eq(kernel, kernels[i]);
        ck_assert_uint_ge(kernel->activation_bytes, 1);
        ck_assert(kernel->panel_bytes != NULL && kernel->panel_pack != NULL);
        ck_assert(kernel->activation_pack != NULL && kernel->gemm != NULL);
        ck_assert(kernel->embed != NULL && kernel->norm != NULL && kernel->conv != NULL);
        ck_assert(kernel->scan != NULL && kernel->gate != NULL && kernel->head_hidden != NULL);
        ck_assert(kernel->regress != NULL && kernel->head_quantize != NULL);
        ck_assert(kernel->argmax != NULL);
    }
}
END_TEST

/* It differs in what makes activations and in what takes them, and packs
 * weights alike: images are shared under the kernel's name. */
START_TEST(test_every_kernel_has_a_wide_one)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    for (uint32_t i = 0; i < count; i++) {
        const erx_kernel_t *kernel = kernels[i], *wide = kernel->wide;
        const erx_shape_t narrow_shape = {.profile = ERX_PROFILE_1};
        const erx_shape_t wide_shape = {.profile = ERX_PROFILE_2};
        ck_assert_ptr_nonnull(wide);
        ck_assert_ptr_eq(erx_kernel_for(kernel, &narrow_shape), kernel);
        ck_assert_ptr_eq(erx_kernel_for(kernel, &wide_shape), wide);
        ck_assert_str_eq(wide->name, kernel->name);
        ck_assert(wide->panel_bytes == kernel->panel_bytes);
        ck_assert(wide->panel_pack == kernel->panel_pack);
        ck_assert_uint_ge(wide->activation_bytes, 2);
        ck_assert(wide->activation_pack_wide != NULL && wide->activation_pack == NULL);
        ck_assert(wide->norm != NULL && wide->norm != kernel->norm);
        ck_assert(wide->head_quantize != NULL && wide->head_quantize != kernel->head_quantize);
        ck_assert(wide->gemm != NULL && wide->embed == kernel->embed);
        ck_assert(wide->conv == kernel->conv && wide->scan == kernel->scan);
        ck_assert(wide->gate == kernel->gate && wide->head_hidden == kernel->head_hidden);
        ck_assert(wide->regress == kernel->regress && wide->argmax == kernel->argmax);
    }
}
END_TEST

START_TEST(test_names_that_do_not_run_here_are_not_found)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t count = erx_kernel_list(kernels);
    uint32_t found = 0;
    for (uint32_t i = 0; i < ERX_KERNELS_MAX; i++)
        found += erx_kernel_find(names[i]) != NULL;
    ck_assert_uint_eq(found, count);
    ck_assert_ptr_null(erx_kernel_find("avx"));
    ck_assert_ptr_null(erx_kernel_find("AVX2"));
    ck_assert_ptr_null(erx_kernel_find(""));
}
END_TEST

Suite *select_suite(void)
{
    Suite *suite = suite_create("select");
    TCase *tcase = tcase_create("select");
    tcase_add_test(tcase, test_list_is_ordered_and_ends_with_the_reference);
    tcase_add_test(tcase, test_every_listed_kernel_is_found_and_complete);
    tcase_add_test(tcase, test_every_kernel_has_a_wide_one);
    tcase_add_test(tcase, test_names_that_do_not_run_here_are_not_found);
    suite_add_tcase(suite, tcase);
    return suite;
}
