#include "engine/matmul/product.h"

#include <string.h>

/* Sums between product and outputs, on the stack; they stay in the first
 * caches. Holds one panel of as many callers as a gate has seats. */
#define SCRATCH_SUMS         8192u

#define ACTIVATION_BYTES_MAX 2u /* of one value, over all kernels */

size_t erx_product_stride(const erx_kernel_t *kernel, uint32_t columns)
{
    return ERX_ALIGN_UP((size_t)columns, ERX_PANEL_ROWS) * kernel->activation_bytes;
}

static void scatter(const erx_product_t *product, const int32_t *sums, size_t stride,
                    uint32_t panel_begin)
{
    size_t row = (size_t)panel_begin * ERX_PANEL_ROWS;
    size_t count = ERX_MIN(stride, product->rows - row);
    for (uint32_t s = 0; s < product->count; s++)
        memcpy((uint8_t *)product->outputs[s] + row * sizeof *sums, sums + s * stride,
               count * sizeof *sums);
}

void erx_product_run(const erx_product_t *product, uint32_t panel_begin, uint32_t panel_end)
{
    alignas(ERX_CACHE_LINE) int32_t sums[SCRATCH_SUMS];
    uint32_t panels_a_turn = SCRATCH_SUMS / ERX_PANEL_ROWS / product->count;
    for (uint32_t begin = panel_begin; begin < panel_end; begin += panels_a_turn) {
        uint32_t end = ERX_MIN(begin + panels_a_turn, panel_end);
        size_t stride = (size_t)(end - begin) * ERX_PANEL_ROWS;
        /* The kernel counts output rows from the matrix' first one. */
        const erx_matrix_t *whole = product->matrix;
        erx_matrix_t part = *whole;
        part.panels = whole->panels + begin * whole->panel_bytes;
        part.panel_count = end - begin;
        const erx_gemm_t call = {
            .matrix = &part,
            .kind = ERX_GEMM_RAW,
            .panel_end = part.panel_count,
            .session_count = product->count,
            .activation = product->activation,
            .activation_stride = product->activation_stride,
            .wide = sums,
            .wide_stride = stride,
        };
        product->kernel->gemm(&call);
        scatter(product, sums, stride, begin);
    }
}

void erx_product_alone(const erx_kernel_t *kernel, const erx_matrix_t *matrix, uint32_t rows,
                       const int8_t *input, void *output)
{
    alignas(ERX_CACHE_LINE) uint8_t activation[ERX_MATVEC_COLUMNS_MAX * ACTIVATION_BYTES_MAX];
    kernel->activation_pack(activation, input, matrix->columns);
    const erx_product_t product = {
        .kernel = kernel,
        .matrix = matrix,
        .rows = rows,
        .count = 1,
        .activation = activation,
        .activation_stride = erx_product_stride(kernel, matrix->columns),
        .outputs = &output,
    };
    erx_product_run(&product, 0, matrix->panel_count);
}
