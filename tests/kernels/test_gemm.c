/* Every kernel's product against the plain triple loop on row-major weights,
 * which knows nothing of panels, tiles or vectors. */
#include "kernels/select.h"
#include "tests/kernels/draw.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/fence.h"
#include "tests/kernels/suites.h"

#include <stdlib.h>
#include <string.h>

#define PANELS      3u
#define ROWS        (PANELS * ERX_PANEL_ROWS)
#define COLUMNS_MAX 2048u
#define SESSION_MAX 64u
#define ROUNDS      5u
#define BIAS_MAX    (1 << 28)
#define UNTOUCHED   0x5a5a5a5a /* what fenced memory holds at first */

static const uint32_t session_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 31, 64};
static const uint32_t column_counts[] = {1, 2, 3, 32, 63, 64, 65, 128, 257, 512, 1024};

/* What activations can be: plain bytes, or those of profile i16ssm-2. */
typedef struct {
    erx_profile_t profile;
    int32_t least, greatest;
} width_t;

static const width_t widths[] = {
    {ERX_PROFILE_1, -128, 127},
    {ERX_PROFILE_2, -ERX_ACTIVATION_WIDE_MAX, ERX_ACTIVATION_WIDE_MAX},
};

/* One product, whatever the kernel. */
typedef struct {
    const width_t *width;
    uint32_t columns;
    uint32_t session_count;
    uint32_t dt_row;
    int32_t shift;
    int8_t *weights;      /* [ROWS][columns]; rows from row_count on are zeros */
    uint32_t row_count;   /* rows that the kernel is given to pack */
    int16_t *activations; /* [session_count][columns] */
    int32_t *sums;        /* [session_count][ROWS]: the triple loop's */
    int32_t *exponents;   /* [session_count] */
    int32_t *multiplier;  /* [ROWS] */
    int32_t *bias;        /* [ROWS] */
    int32_t *residual;    /* [session_count][ROWS]: the stream before the product */
    uint8_t *state;       /* what there is to fetch */
    size_t state_bytes;
} product_t;

static void draw_sums(product_t *product)
{
    for (uint32_t s = 0; s < product->session_count; s++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < product->columns; k++)
                sum += product->weights[(size_t)row * product->columns + k] *
                       product->activations[(size_t)s * product->columns + k];
            product->sums[(size_t)s * ROWS + row] = sum;
        }
    }
}

/* The widest range of results that 32 bits hold, at every exponent. */
static void draw_scales(erx_rng_t *rng, product_t *product)
{
    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t greatest = 0;
        for (uint32_t s = 0; s < product->session_count; s++)
            greatest = ERX_MAX(greatest, (uint64_t)abs(product->sums[(size_t)s * ROWS + row]));
        product->multiplier[row] = erx_draw_multiplier(
            rng, greatest, product->shift - ERX_EXPONENT_MAX, (uint64_t)INT32_MAX - BIAS_MAX);
    }
}

static void draw_product(erx_fence_t *fence, erx_rng_t *rng, const width_t *width, uint32_t columns,
                         uint32_t session_count, product_t *product)
{
    size_t value_count = (size_t)session_count * ROWS;
    size_t weight_count = (size_t)ROWS * columns;
    *product = (product_t){
        .width = width,
        .columns = columns,
        .session_count = session_count,
        .dt_row = ERX_BLOCK_ROWS * (uint32_t)erx_rng_range(rng, 0, ROWS / ERX_BLOCK_ROWS),
        .shift = erx_draw_scalar(rng, 1 + ERX_EXPONENT_MAX, 32 + ERX_EXPONENT_MIN),
        .weights = erx_fence_take(fence, weight_count),
        .row_count = (uint32_t)erx_rng_range(rng, 1, ROWS),
        .activations = erx_fence_take(fence, (size_t)session_count * columns * sizeof(int16_t)),
        .sums = erx_fence_take(fence, value_count * sizeof(int32_t)),
        .exponents = erx_fence_take(fence, session_count * sizeof(int32_t)),
        .multiplier = erx_fence_i32(fence, ROWS),
        .bias = erx_fence_i32(fence, ROWS),
        .residual = erx_fence_take(fence, value_count * sizeof(int32_t)),
        .state_bytes = (size_t)erx_rng_range(rng, 1, 20000),
    };
    product->state = erx_fence_take(fence, product->state_bytes);
    erx_draw_i8(rng, product->weights, weight_count, -128, 127);
    memset(product->weights + (size_t)product->row_count * columns, 0,
           weight_count - (size_t)product->row_count * columns);
    for (uint32_t s = 0; s < session_count; s++)
        erx_draw_i16(rng, product->activations + (size_t)s * columns, columns, width->least,
                     width->greatest);
    erx_draw_i32(rng, product->exponents, session_count, ERX_EXPONENT_MIN, ERX_EXPONENT_MAX);
    erx_draw_i32(rng, product->bias, ROWS, -BIAS_MAX, BIAS_MAX);
    erx_draw_i32(rng, product->residual, value_count, -ERX_RESIDUAL_MAX, ERX_RESIDUAL_MAX);
    draw_sums(product);
    draw_scales(rng, product);
}

/* floor((sum * multiplier + half) / 2^shift), by division. */
static int64_t requantized(const product_t *product, uint32_t session, uint32_t row)
{
    int64_t divisor = INT64_C(1) << (product->shift - product->exponents[session]);
    int64_t dividend =
        (int64_t)product->sums[(size_t)session * ROWS + row] * product->multiplier[row] +
        divisor / 2;
    int64_t quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

static int64_t between(int64_t value, int64_t limit)
{
    return value < -limit ? -limit : value > limit ? limit : value;
}

/* Outputs of one kernel for one call. */
typedef struct {
    const erx_kernel_t *kernel;
    erx_gemm_t call;
    int32_t *wide;
    int16_t *narrow;
} result_t;

/* The place that row has in the outputs of a session. */
static int32_t value_at(const product_t *product, const result_t *result, uint32_t session,
                        uint32_t row)
{
    const erx_gemm_t *call = &result->call;
    const int32_t *wide = result->wide + session * call->wide_stride;
    if (call->kind != ERX_GEMM_PROJECT)
        return wide[row];
    return row < product->dt_row ? result->narrow[session * call->narrow_stride + row]
                                 : wide[row - product->dt_row];
}

/* What must stand there after the call ... */
static int64_t expected_at(const product_t *product, erx_gemm_kind_t kind, uint32_t session,
                           uint32_t row)
{
    size_t place = (size_t)session * ROWS + row;
    switch (kind) {
    case ERX_GEMM_RAW:
        break;
    case ERX_GEMM_PROJECT:
        return row < product->dt_row ? between(requantized(product, session, row), 32767)
                                     : requantized(product, session, row);
    case ERX_GEMM_RESIDUAL:
        return between(requantized(product, session, row) + product->residual[place],
                       ERX_RESIDUAL_MAX);
    case ERX_GEMM_LOGITS:
        return requantized(product, session, row) + product->bias[row];
    }
    return product->sums[place];
}

/* ... and what stood there before. */
static int64_t untouched_at(const product_t *product, erx_gemm_kind_t kind, uint32_t session,
                            uint32_t row)
{
    if (kind == ERX_GEMM_RESIDUAL)
        return product->residual[(size_t)session * ROWS + row];
    return kind == ERX_GEMM_PROJECT && row < product->dt_row ? (int16_t)UNTOUCHED : UNTOUCHED;
}

static void check_result(const product_t *product, const result_t *result)
{
    const erx_gemm_t *call = &result->call;
    for (uint32_t s = 0; s < product->session_count; s++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            uint32_t panel = row / ERX_PANEL_ROWS;
            bool touched = panel >= call->panel_begin && panel < call->panel_end;
            int64_t expected = touched ? expected_at(product, call->kind, s, row)
                                       : untouched_at(product, call->kind, s, row);
            int32_t value = value_at(product, result, s, row);
            if (value != expected)
                ck_abort_msg("%s: kind %d, %u columns, session %u of %u, row %u: %d, must be %jd",
                             result->kernel->name, (int)call->kind, product->columns, s,
                             product->session_count, row, value, (intmax_t)expected);
        }
    }
}

static uint8_t *pack_panels(erx_fence_t *fence, const erx_kernel_t *kernel,
                            const product_t *product)
{
    size_t panel_bytes = kernel->panel_bytes(product->columns);
    ERX_EXPECT(panel_bytes % 64, ==, 0);
    uint8_t *panels = erx_fence_take(fence, PANELS * panel_bytes);
    for (uint32_t p = 0; p < PANELS; p++) {
        const int8_t *rows[ERX_PANEL_ROWS];
        for (uint32_t i = 0; i < ERX_PANEL_ROWS; i++) {
            uint32_t row = p * ERX_PANEL_ROWS + i;
            rows[i] =
                row < product->row_count ? product->weights + (size_t)row * product->columns : NULL;
        }
        kernel->panel_pack(panels + p * panel_bytes, rows, product->columns);
    }
    return panels;
}

/* Runs the product of one kind on panels [begin, end) and checks it. */
static void check_kind(erx_fence_t *fence, const erx_kernel_t *kernel, const product_t *product,
                       const erx_gemm_t *common, erx_gemm_kind_t kind)
{
    result_t result = {.kernel = kernel, .call = *common};
    erx_gemm_t *call = &result.call;
    uint32_t strides = (ROWS + ERX_PANEL_ROWS) * product->session_count;
    call->kind = kind;
    call->wide_stride = ROWS + ERX_PANEL_ROWS; /* rows need not be neighbours */
    call->wide = result.wide = erx_fence_i32(fence, strides);
    if (kind == ERX_GEMM_PROJECT) {
        call->narrow_stride = ROWS + ERX_PANEL_ROWS;
        call->narrow = result.narrow = erx_fence_i16(fence, strides);
        call->dt_row = product->dt_row;
    }
    if (kind == ERX_GEMM_RESIDUAL)
        for (uint32_t s = 0; s < product->session_count; s++)
            memcpy(result.wide + s * call->wide_stride, product->residual + (size_t)s * ROWS,
                   ROWS * sizeof *result.wide);
    if (kind != ERX_GEMM_RAW)
        call->exponent = product->exponents;
    kernel->gemm(call);
    check_result(product, &result);
}

/* Activations of one session in the kernel's form. */
static void pack_activations(const erx_kernel_t *kernel, const int16_t *values, uint32_t columns,
                             uint8_t *activations)
{
    int8_t bytes[COLUMNS_MAX];
    if (kernel->activation_pack_wide != NULL) {
        kernel->activation_pack_wide(activations, values, columns);
        return;
    }
    for (uint32_t k = 0; k < columns; k++)
        bytes[k] = (int8_t)values[k];
    kernel->activation_pack(activations, bytes, columns);
}

static void check_kernel(erx_rng_t *rng, const erx_kernel_t *listed, const product_t *product)
{
    const erx_shape_t shape = {.profile = product->width->profile};
    const erx_kernel_t *kernel = erx_kernel_for(listed, &shape);
    erx_fence_t fence;
    erx_fence_open(&fence);
    const erx_matrix_t matrix = {
        .panels = pack_panels(&fence, kernel, product),
        .multiplier = product->multiplier,
        .bias = product->bias,
        .panel_count = PANELS,
        .columns = product->columns,
        .panel_bytes = kernel->panel_bytes(product->columns),
        .shift = product->shift,
    };
    size_t stride = ERX_ALIGN_UP(product->columns, ERX_PANEL_ROWS) * kernel->activation_bytes;
    uint8_t *activations = erx_fence_take(&fence, stride * product->session_count);
    uint8_t *states[SESSION_MAX];
    for (uint32_t s = 0; s < product->session_count; s++) {
        pack_activations(kernel, product->activations + (size_t)s * product->columns,
                         product->columns, activations + s * stride);
        states[s] = product->state;
    }
    uint32_t begin = (uint32_t)erx_rng_range(rng, 0, PANELS - 1);
    bool fetch = erx_rng_range(rng, 0, 1) != 0;
    const erx_gemm_t common = {
        .matrix = &matrix,
        .panel_begin = begin,
        .panel_end = (uint32_t)erx_rng_range(rng, begin + 1, PANELS),
        .session_count = product->session_count,
        .activation = activations,
        .activation_stride = stride,
        .fetch = fetch ? states : NULL,
        .fetch_bytes = fetch ? product->state_bytes : 0,
    };
    for (erx_gemm_kind_t kind = ERX_GEMM_RAW; kind <= ERX_GEMM_LOGITS; kind++)
        check_kind(&fence, kernel, product, &common, kind);
    erx_fence_close(&fence);
}

static void check_products(uint32_t session_count, const width_t *width)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open(session_count);
    for (uint32_t c = 0; c < ROUNDS * ERX_COUNT(column_counts); c++) {
        erx_fence_t fence;
        product_t product;
        erx_fence_open(&fence);
        draw_product(&fence, &rng, width, column_counts[c % ERX_COUNT(column_counts)],
                     session_count, &product);
        for (uint32_t i = 0; i < kernel_count; i++)
            check_kernel(&rng, kernels[i], &product);
        erx_fence_close(&fence);
    }
}

START_TEST(test_product_is_the_triple_loop)
{
    check_products(session_counts[_i], &widths[0]);
}
END_TEST

START_TEST(test_wide_product_is_the_triple_loop)
{
    check_products(session_counts[_i], &widths[1]);
}
END_TEST

/* Both operands at the same end everywhere: the greatest sums there are. */
static void check_extremes(const width_t *width, int8_t weight, int16_t activation)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    uint32_t kernel_count = erx_kernel_list(kernels);
    erx_rng_t rng = erx_rng_open((uint64_t)activation);
    erx_fence_t fence;
    product_t product;
    erx_fence_open(&fence);
    draw_product(&fence, &rng, width, COLUMNS_MAX, 7, &product);
    product.row_count = ROWS;
    memset(product.weights, weight, (size_t)ROWS * COLUMNS_MAX);
    for (size_t i = 0; i < (size_t)7 * COLUMNS_MAX; i++)
        product.activations[i] = activation;
    draw_sums(&product);
    draw_scales(&rng, &product);
    ERX_EXPECT(product.sums[0], ==, weight * activation * (int32_t)COLUMNS_MAX);
    for (uint32_t i = 0; i < kernel_count; i++)
        check_kernel(&rng, kernels[i], &product);
    erx_fence_close(&fence);
}

static const int8_t weight_ends[] = {-128, -127, 127};

START_TEST(test_product_of_extremes_is_exact)
{
    static const int16_t ends[] = {-128, -127, 127};
    check_extremes(&widths[0], weight_ends[_i % 3], ends[_i / 3]);
}
END_TEST

START_TEST(test_wide_product_of_extremes_is_exact)
{
    static const int16_t ends[] = {-ERX_ACTIVATION_WIDE_MAX, ERX_ACTIVATION_WIDE_MAX};
    check_extremes(&widths[1], weight_ends[_i % 3], ends[_i / 3]);
}
END_TEST

Suite *gemm_suite(void)
{
    Suite *suite = suite_create("gemm");
    TCase *tcase = tcase_create("gemm");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_product_is_the_triple_loop, 0, ERX_COUNT(session_counts));
    tcase_add_loop_test(tcase, test_wide_product_is_the_triple_loop, 0, ERX_COUNT(session_counts));
    tcase_add_loop_test(tcase, test_product_of_extremes_is_exact, 0, 9);
    tcase_add_loop_test(tcase, test_wide_product_of_extremes_is_exact, 0, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}
