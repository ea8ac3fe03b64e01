/* A packed matrix times the vectors of some callers, each with an output of its
 * own. No threads, no allocation: the alone call and the gate share it. */
#ifndef ERX_ENGINE_MATMUL_PRODUCT_H
#define ERX_ENGINE_MATMUL_PRODUCT_H

#include "kernels/kernel.h"

typedef struct {
    const erx_kernel_t *kernel;
    const erx_matrix_t *matrix;
    uint32_t rows;
    uint32_t count;            /* callers */
    const uint8_t *activation; /* [count], packed, activation_stride bytes apart */
    size_t activation_stride;
    void *const *outputs; /* [count]: rows i32 each, no alignment */
} erx_product_t;

/* Bytes between the packed activations of two callers. */
size_t erx_product_stride(const erx_kernel_t *kernel, uint32_t columns);

/* Computes the rows of panels [panel_begin, panel_end) for every caller and
 * writes them to the outputs. Different panels may run on different threads. */
void erx_product_run(const erx_product_t *product, uint32_t panel_begin, uint32_t panel_end);

/* The whole product for one caller; columns at most ERX_MATVEC_COLUMNS_MAX. */
void erx_product_alone(const erx_kernel_t *kernel, const erx_matrix_t *matrix, uint32_t rows,
                       const int8_t *input, void *output);

#endif
