/* Products of matrices of floats in a fixed order of summation: the same bits
 * whatever the vector width, for training and measuring policies. */
#ifndef ERX_TOOLS_POLICY_PRODUCT_H
#define ERX_TOOLS_POLICY_PRODUCT_H

#include "mem/base.h"

#define ERX_POLICY_PRODUCT_COLUMNS 16u /* columns come in multiples of this */

/* c[r][n] = sum_i a[r * a_row + i * a_step] * b[i * b_row + n], each sum in the
 * order of i. */
typedef struct {
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_row;
    float *c;
    size_t c_row;
    uint32_t rows, depth, columns;
} erx_policy_product_t;

void erx_policy_product_run(const erx_policy_product_t *product);

#endif
