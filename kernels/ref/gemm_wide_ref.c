/* The product of 14-bit activations (NUMERICS 13), in the reference's packing. */
#include "kernels/ref/ref.h"

#include <string.h>

void erx_ref_activation_pack_wide(uint8_t *activation, const int16_t *values, uint32_t columns)
{
    memcpy(activation, values, columns * sizeof *values);
}

static int32_t dot_product(const int8_t *weights, const uint8_t *activation, uint32_t columns)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < columns; i++) {
        int16_t value;
        memcpy(&value, activation + i * sizeof value, sizeof value);
        sum += weights[i] * value;
    }
    return sum;
}

void erx_ref_gemm_wide(const erx_gemm_t *call)
{
    const erx_matrix_t *matrix = call->matrix;
    for (uint32_t o = call->panel_begin * ERX_PANEL_ROWS; o < call->panel_end * ERX_PANEL_ROWS;
         o++) {
        const uint8_t *panel = matrix->panels + o / ERX_PANEL_ROWS * matrix->panel_bytes;
        const int8_t *row = (const int8_t *)panel + (size_t)(o % ERX_PANEL_ROWS) * matrix->columns;
        for (uint32_t session = 0; session < call->session_count; session++)
            erx_ref_gemm_finish(call, session, o,
                                dot_product(row,
                                            call->activation + session * call->activation_stride,
                                            matrix->columns));
    }
}
