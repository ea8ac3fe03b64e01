/* What becomes of the sums of a product, for activations of 8 and of 14 bits. */
#ifndef ERX_KERNELS_AVX512VNNI_FINISH_H
#define ERX_KERNELS_AVX512VNNI_FINISH_H

#include "kernels/avx512vnni/vector.h"
#include "kernels/kernel.h"

/* Puts 16 requantized sums, of rows from row on, where the kind of the product
 * wants them; a raw product has none. */
static inline __attribute__((always_inline)) void
erx_finish16(const erx_gemm_t *call, size_t session, uint32_t row, __m512i value)
{
    int32_t *wide = call->wide + session * call->wide_stride;
    if (call->kind == ERX_GEMM_PROJECT && row < call->dt_row) {
        int16_t *narrow = call->narrow + session * call->narrow_stride;
        _mm256_store_si256((__m256i *)(void *)(narrow + row), erx_sat16x16(value));
    } else if (call->kind == ERX_GEMM_PROJECT) {
        _mm512_store_si512(wide + (row - call->dt_row), value);
    } else if (call->kind == ERX_GEMM_RESIDUAL) {
        value = _mm512_add_epi32(erx_bounded(value), _mm512_load_si512(wide + row));
        _mm512_store_si512(wide + row, erx_clamp16(value, ERX_RESIDUAL_MAX));
    } else {
        value = _mm512_add_epi32(value, _mm512_load_si512(call->matrix->bias + row));
        _mm512_store_si512(wide + row, value);
    }
}

#endif
