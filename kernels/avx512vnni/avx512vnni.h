/* The AVX512-VNNI product; the other operations are in ops_avx512vnni.c. */
#ifndef ERX_KERNELS_AVX512VNNI_AVX512VNNI_H
#define ERX_KERNELS_AVX512VNNI_AVX512VNNI_H

#include "kernels/kernel.h"

size_t erx_avx512vnni_panel_bytes(uint32_t columns);
void erx_avx512vnni_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns);
void erx_avx512vnni_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns);
void erx_avx512vnni_gemm(const erx_gemm_t *call);

#endif
