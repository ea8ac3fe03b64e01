/* What the files of this folder share. */
#ifndef ERX_KERNELS_AVX512VNNI_AVX512VNNI_H
#define ERX_KERNELS_AVX512VNNI_AVX512VNNI_H

#include "kernels/kernel.h"

size_t erx_avx512vnni_panel_bytes(uint32_t columns);
void erx_avx512vnni_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns);
void erx_avx512vnni_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns);
void erx_avx512vnni_gemm(const erx_gemm_t *call);
void erx_avx512vnni_matvec(const int8_t *weights, uint32_t rows, uint32_t columns,
                           const int8_t *input, void *output);

/* 14-bit activations (NUMERICS 13): for each column two bytes, in two planes. */
void erx_avx512vnni_activation_pack_wide(uint8_t *activation, const int16_t *values,
                                         uint32_t columns);
void erx_avx512vnni_gemm_wide(const erx_gemm_t *call);
int32_t erx_avx512vnni_norm_wide(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                                 int32_t gain_shift, uint8_t *activation);
int32_t erx_avx512vnni_head_quantize_wide(const erx_image_t *image, const int16_t *hidden,
                                          uint8_t *activation);

/* Bytes from the plane of high bytes to that of low bytes. */
static inline size_t erx_avx512vnni_plane_bytes(uint32_t columns)
{
    return ERX_ALIGN_UP((size_t)columns, ERX_PANEL_ROWS);
}

/* erx_decay_t of every head of a layer, by column. */
typedef struct {
    int32_t Abar[ERX_HEADS_MAX];
    int32_t Km[ERX_HEADS_MAX];
    int32_t ns[ERX_HEADS_MAX];
} erx_decays_t;

/* NUMERICS 5.5 for heads [0, head_count). */
void erx_avx512vnni_decay(const erx_layer_t *layer, uint32_t head_count, const int32_t *dt,
                          erx_decays_t *out);

#endif
