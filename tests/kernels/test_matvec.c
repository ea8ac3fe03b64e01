/* Every kernel's row-major product against the plain loop, at the end of mapped
 * memory; and the packed product at the widest matrix that programs may use. */
#include "kernels/select.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/fence.h"
#include "tests/kernels/suites.h"

#include <string.h>

#define ROUNDS 3u

static const uint32_t row_counts[] = {1, 2, 3, 4, 5, 7, 8, 63, 64, 67};
static const uint32_t column_counts[] = {1,   2,    15,   16,   17,   31,
                                         63,  64,   65,   127,  128,  200,
                                         512, 1000, 1024, 2047, 4096, ERX_MATVEC_COLUMNS_MAX};

static int32_t dot(const int8_t *row, const int8_t *input, uint32_t columns)
{
    int32_t sum = 0;
    for (uint32_t j = 0; j < columns; j++)
        sum += row[j] * input[j];
    return sum;
}

static void try_matvec(const erx_kernel_t *kernel, erx_rng_t *rng, uint32_t rows, uint32_t columns)
{
    erx_fence_t fence;
    erx_fence_open(&fence);
    /* Blocks end where memory ends, so odd sizes begin at odd addresses. */
    int8_t *weights = erx_fence_take(&fence, (size_t)rows * columns);
    int8_t *input = erx_fence_take(&fence, columns);
    uint8_t *output = erx_fence_take(&fence, rows * sizeof(int32_t) + 1);
    erx_draw_i8(rng, weights, (size_t)rows * columns, -128, 127);
    erx_draw_i8(rng, input, columns, -128, 127);
    output[0] = 0x77;
    kernel->matvec(weights, rows, columns, input, output + 1);
    ERX_EXPECT(output[0], ==, 0x77);
    for (uint32_t i = 0; i < rows; i++) {
        int32_t sum;
        memcpy(&sum, output + 1 + i * sizeof sum, sizeof sum);
        ERX_EXPECT(sum, ==, dot(weights + (size_t)i * columns, input, columns));
    }
    erx_fence_close(&fence);
}

START_TEST(test_matvec_equals_the_loop)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(61);
    for (uint32_t k = 0; k < kernel_count; k++)
        for (uint32_t round = 0; round < ROUNDS; round++)
            for (uint32_t r = 0; r < ERX_COUNT(row_counts); r++)
                for (uint32_t c = 0; c < ERX_COUNT(column_counts); c++)
                    try_matvec(kernels[k], &rng, row_counts[r], column_counts[c]);
}
END_TEST

/* Panels of one matrix and activations of some sessions, wide as can be. */
static void try_widest(const erx_kernel_t *kernel, erx_rng_t *rng, uint32_t sessions)
{
    enum { COLUMNS = ERX_MATVEC_COLUMNS_MAX };
    erx_fence_t fence;
    erx_fence_open(&fence);
    int8_t *weights = erx_fence_take(&fence, (size_t)ERX_PANEL_ROWS * COLUMNS);
    int8_t *inputs = erx_fence_take(&fence, (size_t)sessions * COLUMNS);
    uint8_t *panel = erx_fence_take(&fence, kernel->panel_bytes(COLUMNS));
    size_t stride = (size_t)COLUMNS * kernel->activation_bytes;
    uint8_t *activation = erx_fence_take(&fence, sessions * stride);
    int32_t *sums = erx_fence_i32(&fence, sessions * ERX_PANEL_ROWS);
    const int8_t *rows[ERX_PANEL_ROWS];
    erx_draw_i8(rng, weights, (size_t)ERX_PANEL_ROWS * COLUMNS, -128, 127);
    for (uint32_t i = 0; i < ERX_PANEL_ROWS; i++)
        rows[i] = weights + (size_t)i * COLUMNS;
    kernel->panel_pack(panel, rows, COLUMNS);
    for (uint32_t s = 0; s < sessions; s++) {
        erx_draw_i8(rng, inputs + (size_t)s * COLUMNS, COLUMNS, -128, 127);
        kernel->activation_pack(activation + s * stride, inputs + (size_t)s * COLUMNS, COLUMNS);
    }
    const erx_matrix_t matrix = {.panels = panel,
                                 .panel_count = 1,
                                 .columns = COLUMNS,
                                 .panel_bytes = kernel->panel_bytes(COLUMNS)};
    const erx_gemm_t call = {.matrix = &matrix,
                             .kind = ERX_GEMM_RAW,
                             .panel_end = 1,
                             .session_count = sessions,
                             .activation = activation,
                             .activation_stride = stride,
                             .wide = sums,
                             .wide_stride = ERX_PANEL_ROWS};
    kernel->gemm(&call);
    for (uint32_t s = 0; s < sessions; s++)
        for (uint32_t i = 0; i < ERX_PANEL_ROWS; i++)
            ERX_EXPECT(sums[s * ERX_PANEL_ROWS + i], ==,
                       dot(rows[i], inputs + (size_t)s * COLUMNS, COLUMNS));
    erx_fence_close(&fence);
}

START_TEST(test_packed_product_holds_the_widest_matrix)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(62);
    for (uint32_t k = 0; k < kernel_count; k++)
        for (uint32_t round = 0; round < 8; round++)
            try_widest(kernels[k], &rng, 1 + round);
}
END_TEST

Suite *matvec_suite(void)
{
    Suite *suite = suite_create("matvec");
    TCase *tcase = tcase_create("products");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_matvec_equals_the_loop);
    tcase_add_test(tcase, test_packed_product_holds_the_widest_matrix);
    suite_add_tcase(suite, tcase);
    return suite;
}
