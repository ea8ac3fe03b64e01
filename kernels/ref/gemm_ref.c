/* The obvious loops: one row, one session, one column after the other. */
#include "kernels/ref/ref.h"

#include <string.h>

#include "kernels/requant.h"

size_t erx_ref_panel_bytes(uint32_t columns)
{
    return ERX_ALIGN_UP((size_t)columns * ERX_PANEL_ROWS, ERX_CACHE_LINE);
}

void erx_ref_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns)
{
    memset(panel, 0, erx_ref_panel_bytes(columns));
    for (uint32_t i = 0; i < ERX_PANEL_ROWS; i++)
        if (rows[i] != NULL)
            memcpy(panel + (size_t)i * columns, rows[i], columns);
}

void erx_ref_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns)
{
    memcpy(activation, values, columns);
}

static int32_t dot_product(const int8_t *weights, const int8_t *activation, uint32_t columns)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < columns; i++)
        sum += weights[i] * activation[i];
    return sum;
}

void erx_ref_gemm_finish(const erx_gemm_t *call, uint32_t session, uint32_t o, int32_t accumulator)
{
    const erx_matrix_t *matrix = call->matrix;
    int32_t *wide = call->wide + session * call->wide_stride;
    if (call->kind == ERX_GEMM_RAW) {
        wide[o] = accumulator;
        return;
    }
    int64_t value =
        erx_requantize(accumulator, matrix->multiplier[o], matrix->shift - call->exponent[session]);
    if (call->kind == ERX_GEMM_LOGITS)
        wide[o] = (int32_t)(value + matrix->bias[o]);
    else if (call->kind == ERX_GEMM_RESIDUAL)
        wide[o] = (int32_t)erx_clamp64(wide[o] + value, -ERX_RESIDUAL_MAX, ERX_RESIDUAL_MAX);
    else if (o < call->dt_row)
        call->narrow[session * call->narrow_stride + o] = erx_sat16(value);
    else
        wide[o - call->dt_row] = (int32_t)value;
}

void erx_ref_gemm(const erx_gemm_t *call)
{
    const erx_matrix_t *matrix = call->matrix;
    for (uint32_t panel = call->panel_begin; panel < call->panel_end; panel++) {
        const uint8_t *weights = matrix->panels + panel * matrix->panel_bytes;
        for (uint32_t i = 0; i < ERX_PANEL_ROWS; i++) {
            const int8_t *row = (const int8_t *)weights + (size_t)i * matrix->columns;
            for (uint32_t session = 0; session < call->session_count; session++) {
                const uint8_t *activation = call->activation + session * call->activation_stride;
                erx_ref_gemm_finish(call, session, panel * ERX_PANEL_ROWS + i,
                                    dot_product(row, (const int8_t *)activation, matrix->columns));
            }
        }
    }
}
