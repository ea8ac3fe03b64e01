/* The packed image, kernel by kernel: every weight is found where it belongs
 * (products with unit vectors read a matrix back), padding is zero, and the
 * bytes mean the same at another address. */
#include "kernels/select.h"
#include "tests/kernels/expect.h"
#include "tests/kernels/random_model.h"
#include "tests/kernels/suites.h"

#include <string.h>

#define SESSIONS    8u
#define SHAPE_INDEX 4 /* two layers, segments that do not fill their blocks */

typedef struct {
    erx_fence_t fence;
    erx_tensors_t tensors;
    erx_image_t image;
    uint8_t *base;
    size_t bytes;
} packed_t;

static void open_packed(packed_t *packed, const erx_kernel_t *kernel, uint32_t shape_index)
{
    erx_rng_t rng = erx_rng_open(shape_index);
    erx_fence_open(&packed->fence);
    erx_random_model(&packed->fence, &rng, &erx_test_shapes[shape_index], &packed->tensors);
    packed->bytes = erx_image_bytes(kernel, &packed->tensors.shape);
    packed->base = erx_fence_take(&packed->fence, packed->bytes);
    memset(packed->base, 0, packed->bytes);
    erx_image_pack(kernel, &packed->tensors, packed->base);
    erx_image_map(kernel, &packed->tensors, packed->base, &packed->image);
}

/* Columns [first, first + SESSIONS) of matrix, one a session. */
static void read_columns(erx_fence_t *fence, const erx_kernel_t *kernel, const erx_matrix_t *matrix,
                         uint32_t first, int32_t *columns)
{
    size_t stride = ERX_ALIGN_UP(matrix->columns, ERX_PANEL_ROWS) * kernel->activation_bytes;
    uint8_t *activation = erx_fence_take(fence, stride * SESSIONS);
    int8_t unit[ERX_D_MODEL_MAX];
    for (uint32_t s = 0; s < SESSIONS; s++) {
        memset(unit, 0, sizeof unit);
        unit[first + s] = 1;
        kernel->activation_pack(activation + s * stride, unit, matrix->columns);
    }
    const erx_gemm_t call = {
        .matrix = matrix,
        .kind = ERX_GEMM_RAW,
        .panel_end = matrix->panel_count,
        .session_count = SESSIONS,
        .activation = activation,
        .activation_stride = stride,
        .wide = columns,
        .wide_stride = (size_t)matrix->panel_count * ERX_PANEL_ROWS,
    };
    kernel->gemm(&call);
}

/* A run of a matrix' rows in the tensors and where it starts in the image. */
typedef struct {
    const int8_t *weights;
    const int32_t *multiplier;
    const int32_t *bias; /* NULL for none */
    uint32_t row_count;
    uint32_t padded_row;
} segment_t;

static const segment_t *segment_of(const segment_t *segments, uint32_t count, uint32_t row)
{
    for (uint32_t i = 0; i < count; i++)
        if (row >= segments[i].padded_row && row < segments[i].padded_row + segments[i].row_count)
            return &segments[i];
    return NULL;
}

static void check_row(const erx_matrix_t *matrix, const segment_t *segment, uint32_t row,
                      const int32_t *columns, uint32_t first)
{
    size_t padded_rows = (size_t)matrix->panel_count * ERX_PANEL_ROWS;
    uint32_t source = segment == NULL ? 0 : row - segment->padded_row;
    ERX_EXPECT(matrix->multiplier[row], ==, segment == NULL ? 0 : segment->multiplier[source]);
    if (matrix->bias != NULL)
        ERX_EXPECT(matrix->bias[row], ==, segment == NULL ? 0 : segment->bias[source]);
    for (uint32_t s = 0; s < SESSIONS; s++) {
        int32_t expected =
            segment == NULL ? 0 : segment->weights[(size_t)source * matrix->columns + first + s];
        ERX_EXPECT(columns[s * padded_rows + row], ==, expected);
    }
}

static void check_matrix(const erx_kernel_t *kernel, const erx_matrix_t *matrix,
                         const segment_t *segments, uint32_t segment_count)
{
    uint32_t padded_rows = matrix->panel_count * ERX_PANEL_ROWS;
    for (uint32_t first = 0; first < matrix->columns; first += SESSIONS) {
        erx_fence_t fence;
        erx_fence_open(&fence);
        int32_t *columns = erx_fence_i32(&fence, padded_rows * SESSIONS);
        read_columns(&fence, kernel, matrix, first, columns);
        for (uint32_t row = 0; row < padded_rows; row++)
            check_row(matrix, segment_of(segments, segment_count, row), row, columns, first);
        erx_fence_close(&fence);
    }
}

static void check_layer_matrices(const erx_kernel_t *kernel, const erx_shape_t *shape,
                                 const erx_layer_tensors_t *from, const erx_layer_t *to)
{
    uint32_t d = shape->d_model;
    uint32_t di = shape->d_inner;
    uint32_t channels = erx_shape_conv_dim(shape);
    const segment_t project[] = {
        {from->Win, from->Win_m, NULL, di, 0},
        {from->Win + (size_t)di * d, from->Win_m + di, NULL, channels, erx_project_conv_row(shape)},
        {from->Win + (size_t)(di + channels) * d, from->Win_m + di + channels, NULL,
         shape->head_count, erx_project_dt_row(shape)},
    };
    const segment_t output[] = {{from->Wo, from->Wo_m, NULL, d, 0}};
    ERX_EXPECT(to->project.panel_count * ERX_PANEL_ROWS, ==, erx_project_padded_rows(shape));
    ERX_EXPECT(to->project.columns, ==, d);
    ERX_EXPECT(to->output.columns, ==, di);
    ERX_EXPECT(to->project.shift, ==, from->Win_s);
    ERX_EXPECT(to->output.shift, ==, from->Wo_s);
    check_matrix(kernel, &to->project, project, ERX_COUNT(project));
    check_matrix(kernel, &to->output, output, ERX_COUNT(output));
}

START_TEST(test_matrices_read_back)
{
    const erx_kernel_t *kernels[ERX_KERNELS_MAX];
    if ((uint32_t)_i >= erx_kernel_list(kernels))
        return;
    packed_t packed;
    open_packed(&packed, kernels[_i], SHAPE_INDEX);
    const erx_tensors_t *tensors = &packed.tensors;
    const segment_t logits[] = {{tensors->Wl, tensors->Wl_m, tensors->bl, ERX_LOGITS, 0}};
    for (uint32_t l = 0; l < tensors->shape.layer_count; l++)
        check_layer_matrices(kernels[_i], &tensors->shape, &tensors->layers[l],
                             &packed.image.layers[l]);
    ERX_EXPECT(packed.image.logits.shift, ==, tensors->Wl_s);
    check_matrix(kernels[_i], &packed.image.logits, logits, ERX_COUNT(logits));
    erx_fence_close(&packed.fence);
}
END_TEST

static void check_pairs(const erx_pair_matrix_t *matrix, const int16_t *weights, uint32_t rows,
                        uint32_t columns)
{
    ERX_EXPECT(matrix->rows, ==, rows);
    ERX_EXPECT(matrix->pair_count, ==, (columns + 1) / 2);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t j = 0; j < columns; j++)
            ERX_EXPECT(matrix->pairs[((size_t)(j / 2) * rows + row) * 2 + j % 2], ==,
                       weights[(size_t)row * columns + j]);
}

static void check_taps(const int16_t *taps, const int16_t *Wc, uint32_t channels)
{
    size_t plane = ERX_ALIGN_UP((size_t)channels, ERX_PANEL_ROWS) * 2;
    for (size_t channel = 0; channel < plane / 2; channel++)
        for (uint32_t tap = 0; tap < ERX_CONV_TAPS; tap++)
            ERX_EXPECT(taps[(tap / 2) * plane + channel * 2 + tap % 2], ==,
                       channel < channels ? Wc[channel * ERX_CONV_TAPS + tap] : 0);
}

#define CHECK_VECTOR(actual, expected, count)                                                      \
    ck_assert_mem_eq(actual, expected, (count) * sizeof *(expected))

static void check_layer_vectors(const erx_shape_t *shape, const erx_layer_tensors_t *from,
                                const erx_layer_t *to)
{
    uint32_t channels = erx_shape_conv_dim(shape);
    check_taps(to->taps, from->Wc, channels);
    CHECK_VECTOR(to->Wc_m, from->Wc_m, channels);
    CHECK_VECTOR(to->bc, from->bc, channels);
    CHECK_VECTOR(to->dtb, from->dtb, shape->head_count);
    CHECK_VECTOR(to->Am, from->Am, shape->head_count);
    CHECK_VECTOR(to->my, from->my, shape->head_count);
    CHECK_VECTOR(to->mD, from->mD, shape->head_count);
    CHECK_VECTOR(to->md, from->md, shape->head_count);
    CHECK_VECTOR(to->G1, from->G1, shape->d_model);
    CHECK_VECTOR(to->G2, from->G2, shape->d_inner);
    ERX_EXPECT(to->eps2, ==, from->eps2);
    const int32_t actual[] = {to->G1_s, to->fz, to->Wc_s, to->fx,
                              to->kb,   to->kc, to->y_s,  to->G2_s};
    const int32_t expected[] = {from->G1_s, from->fz, from->Wc_s, from->fx,
                                from->kb,   from->kc, from->y_s,  from->G2_s};
    ck_assert_mem_eq(actual, expected, sizeof actual);
}

static void check_global_vectors(const erx_tensors_t *from, const erx_image_t *to)
{
    uint32_t d = from->shape.d_model;
    check_pairs(&to->embed, from->Wf, d, ERX_FEATURES);
    CHECK_VECTOR(to->embed.multiplier, from->Wf_m, d);
    CHECK_VECTOR(to->embed.bias, from->bf, d);
    check_pairs(&to->control, from->Wctl, d, ERX_CONTROLS);
    CHECK_VECTOR(to->control.multiplier, from->Wctl_m, d);
    CHECK_VECTOR(to->control.bias, from->bctl, d);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        CHECK_VECTOR(to->T[k], from->T[k], (size_t)erx_category_counts[k] * d);
    CHECK_VECTOR(to->fm, from->fm, ERX_CONTINUOUS);
    CHECK_VECTOR(to->Gf, from->Gf, d);
    CHECK_VECTOR(to->Gh, from->Gh, d);
    CHECK_VECTOR(to->Wr, from->Wr, (size_t)ERX_REGRESSIONS * d);
    CHECK_VECTOR(to->Wr_m, from->Wr_m, ERX_REGRESSIONS);
    CHECK_VECTOR(to->Wr_s, from->Wr_s, ERX_REGRESSIONS);
    CHECK_VECTOR(to->br, from->br, ERX_REGRESSIONS);
    ERX_EXPECT(to->eps1, ==, from->eps1);
    const int32_t actual[] = {to->T_sh, to->Gf_s,        to->Gh_s,
                              to->Cmax, to->embed.shift, to->control.shift};
    const int32_t expected[] = {from->T_sh, from->Gf_s, from->Gh_s,
                                from->Cmax, from->Wf_s, from->Wctl_s};
    ck_assert_mem_eq(actual, expected, sizeof actual);
}

START_TEST(test_vectors_and_scalars_are_the_tensors)
{
    packed_t packed;
    open_packed(&packed, erx_kernel_best(), (uint32_t)_i);
    const erx_shape_t *shape = &packed.tensors.shape;
    ck_assert_mem_eq(&packed.image.shape, shape, sizeof *shape);
    check_global_vectors(&packed.tensors, &packed.image);
    for (uint32_t l = 0; l < shape->layer_count; l++)
        check_layer_vectors(shape, &packed.tensors.layers[l], &packed.image.layers[l]);
    erx_fence_close(&packed.fence);
}
END_TEST

/* The image may be shared between processes: it holds no address. */
START_TEST(test_same_bytes_at_another_address)
{
    const erx_kernel_t *kernel = erx_kernel_best();
    packed_t packed;
    open_packed(&packed, kernel, SHAPE_INDEX);
    ERX_EXPECT(packed.bytes % ERX_CACHE_LINE, ==, 0);
    uint8_t *again = erx_fence_take(&packed.fence, packed.bytes);
    memset(again, 0, packed.bytes);
    erx_image_pack(kernel, &packed.tensors, again);
    ck_assert_mem_eq(again, packed.base, packed.bytes);
    erx_image_t moved;
    erx_image_map(kernel, &packed.tensors, again, &moved);
    for (uint32_t l = 0; l < packed.tensors.shape.layer_count; l++)
        check_layer_matrices(kernel, &packed.tensors.shape, &packed.tensors.layers[l],
                             &moved.layers[l]);
    check_global_vectors(&packed.tensors, &moved);
    erx_fence_close(&packed.fence);
}
END_TEST

START_TEST(test_segments_of_in_proj_start_at_blocks)
{
    const erx_shape_t *shape = &erx_test_shapes[_i];
    uint32_t conv_row = erx_project_conv_row(shape);
    uint32_t dt_row = erx_project_dt_row(shape);
    ERX_EXPECT(conv_row % ERX_BLOCK_ROWS, ==, 0);
    ERX_EXPECT(dt_row % ERX_BLOCK_ROWS, ==, 0);
    ERX_EXPECT(conv_row, >=, shape->d_inner);
    ERX_EXPECT(dt_row, >=, conv_row + erx_shape_conv_dim(shape));
    ERX_EXPECT(erx_project_padded_rows(shape), >=, dt_row + shape->head_count);
    ERX_EXPECT(erx_project_padded_rows(shape) % ERX_PANEL_ROWS, ==, 0);
}
END_TEST

Suite *image_suite(void)
{
    Suite *suite = suite_create("image");
    TCase *tcase = tcase_create("image");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_matrices_read_back, 0, ERX_KERNELS_MAX);
    tcase_add_loop_test(tcase, test_vectors_and_scalars_are_the_tensors, 0, 7);
    tcase_add_test(tcase, test_same_bytes_at_another_address);
    tcase_add_loop_test(tcase, test_segments_of_in_proj_start_at_blocks, 0, ERX_TEST_SHAPES);
    suite_add_tcase(suite, tcase);
    return suite;
}
