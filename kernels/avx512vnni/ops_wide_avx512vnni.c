/* NUMERICS 13: what makes activations of 14 bits. Each becomes two bytes, in
 * planes of their own: v + 128 = 256 high + low, high stored as u8 = high + 128. */
#include <immintrin.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/avx512vnni/norm.h"

#define LANES32 ERX_NORM_LANES

void erx_avx512vnni_activation_pack_wide(uint8_t *activation, const int16_t *values,
                                         uint32_t columns)
{
    size_t plane = erx_avx512vnni_plane_bytes(columns);
    for (uint32_t k = 0; k < columns; k++) {
        uint32_t biased = (uint32_t)(values[k] + 128 * 257);
        activation[k] = (uint8_t)(biased >> 8);
        activation[plane + k] = (uint8_t)biased;
    }
}

/* RS(t, shift) within 14 bits, of 16 columns. */
static void store_activation(uint8_t *activation, size_t plane, __m512i t, int32_t shift)
{
    __m512i rounded = _mm512_add_epi32(t, _mm512_set1_epi32(1 << (shift - 1)));
    rounded = _mm512_sra_epi32(rounded, _mm_cvtsi32_si128(shift));
    __m512i biased = _mm512_add_epi32(erx_clamp16(rounded, ERX_ACTIVATION_WIDE_MAX),
                                      _mm512_set1_epi32(128 * 257));
    _mm_storeu_si128((__m128i *)(void *)activation,
                     _mm512_cvtepi32_epi8(_mm512_srli_epi32(biased, 8)));
    _mm_storeu_si128((__m128i *)(void *)(activation + plane), _mm512_cvtepi32_epi8(biased));
}

static int32_t quantize(const int32_t *t, uint32_t n, __m512i greatest, int32_t gain_shift,
                        uint8_t *activation)
{
    size_t plane = erx_avx512vnni_plane_bytes(n);
    int32_t exponent = erx_block_exponent_wide(_mm512_reduce_max_epi32(greatest), gain_shift);
    for (uint32_t i = 0; i < n; i += LANES32)
        store_activation(activation + i, plane, _mm512_load_si512(t + i), gain_shift + exponent);
    return exponent;
}

int32_t erx_avx512vnni_norm_wide(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                                 int32_t gain_shift, uint8_t *activation)
{
    alignas(64) int32_t t[2 * ERX_D_MODEL_MAX];
    return quantize(t, n, erx_normalize_all(v, n, eps, gain, t), gain_shift, activation);
}

int32_t erx_avx512vnni_head_quantize_wide(const erx_image_t *image, const int16_t *hidden,
                                          uint8_t *activation)
{
    alignas(64) int32_t t[ERX_D_MODEL_MAX];
    uint32_t d = image->shape.d_model;
    return quantize(t, d, erx_gain_all(hidden, d, image->Gh, t), image->Gh_s, activation);
}
