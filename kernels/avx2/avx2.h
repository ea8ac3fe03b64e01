/* The AVX2 product; the other operations are in ops_avx2.c. */
#ifndef ERX_KERNELS_AVX2_AVX2_H
#define ERX_KERNELS_AVX2_AVX2_H

#include "kernels/kernel.h"

size_t erx_avx2_panel_bytes(uint32_t columns);
void erx_avx2_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns);
void erx_avx2_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns);
void erx_avx2_activation_pack_wide(uint8_t *activation, const int16_t *values, uint32_t columns);
void erx_avx2_gemm(const erx_gemm_t *call);
void erx_avx2_matvec(const int8_t *weights, uint32_t rows, uint32_t columns, const int8_t *input,
                     void *output);

#endif
