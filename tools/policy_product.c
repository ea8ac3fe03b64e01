#include "tools/policy_product.h"

#include "tools/wide.h"

#include <string.h>

#define TILE_ROWS 8u

typedef float lanes_t __attribute__((vector_size(ERX_POLICY_PRODUCT_COLUMNS * sizeof(float))));

/* TILE_ROWS rows of ERX_POLICY_PRODUCT_COLUMNS columns, in registers. */
ERX_WIDE static void run_tile(const erx_policy_product_t *product, uint32_t row, uint32_t column)
{
    const float *a = product->a + row * product->a_row;
    const float *b = product->b + column;
    size_t step = product->a_row;
    lanes_t sum[TILE_ROWS] = {0};
    for (uint32_t i = 0; i < product->depth; i++) {
        lanes_t value;
        memcpy(&value, b, sizeof value);
        sum[0] += a[0] * value;
        sum[1] += a[step] * value;
        sum[2] += a[2 * step] * value;
        sum[3] += a[3 * step] * value;
        sum[4] += a[4 * step] * value;
        sum[5] += a[5 * step] * value;
        sum[6] += a[6 * step] * value;
        sum[7] += a[7 * step] * value;
        a += product->a_step;
        b += product->b_row;
    }
    for (uint32_t r = 0; r < TILE_ROWS; r++)
        memcpy(product->c + (row + r) * product->c_row + column, &sum[r], sizeof sum[r]);
}

/* The same for one row. */
ERX_WIDE static void run_row(const erx_policy_product_t *product, uint32_t row, uint32_t column)
{
    const float *a = product->a + row * product->a_row;
    lanes_t sum = {0};
    for (uint32_t i = 0; i < product->depth; i++) {
        lanes_t value;
        memcpy(&value, product->b + i * product->b_row + column, sizeof value);
        sum += a[i * product->a_step] * value;
    }
    memcpy(product->c + row * product->c_row + column, &sum, sizeof sum);
}

void erx_policy_product_run(const erx_policy_product_t *product)
{
    uint32_t tiled = product->rows - product->rows % TILE_ROWS;
    for (uint32_t column = 0; column < product->columns; column += ERX_POLICY_PRODUCT_COLUMNS) {
        for (uint32_t row = 0; row < tiled; row += TILE_ROWS)
            run_tile(product, row, column);
        for (uint32_t row = tiled; row < product->rows; row++)
            run_row(product, row, column);
    }
}
