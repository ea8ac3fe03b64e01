/* The scalar reference: NUMERICS in code, section by section. Other
 * instruction sets may call a function of it where speed does not matter. */
#ifndef ERX_KERNELS_REF_REF_H
#define ERX_KERNELS_REF_REF_H

#include "kernels/kernel.h"

size_t erx_ref_panel_bytes(uint32_t columns);
void erx_ref_panel_pack(uint8_t *panel, const int8_t *const rows[], uint32_t columns);
void erx_ref_activation_pack(uint8_t *activation, const int8_t *values, uint32_t columns);
void erx_ref_gemm(const erx_gemm_t *call);
/* What becomes of the accumulator of row o for one session. */
void erx_ref_gemm_finish(const erx_gemm_t *call, uint32_t session, uint32_t o, int32_t accumulator);

void erx_ref_matvec(const int8_t *weights, uint32_t rows, uint32_t columns, const int8_t *input,
                    void *output);

void erx_ref_embed(const erx_image_t *image, const int16_t *features, const uint16_t *categories,
                   int32_t *x);
int32_t erx_ref_norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                     int32_t gain_shift, uint8_t *activation);
void erx_ref_conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                  int16_t *state, const erx_conv_out_t *out);
void erx_ref_scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                  const erx_conv_out_t *in, int16_t *h, int16_t *y);
void erx_ref_gate(const int16_t *y, const int16_t *z, int32_t fz, uint32_t n, int32_t *pg);
void erx_ref_head_hidden(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                         int16_t *hidden);
void erx_ref_regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions);
int32_t erx_ref_head_quantize(const erx_image_t *image, const int16_t *hidden, uint8_t *activation);
uint32_t erx_ref_argmax(const int32_t *values, uint32_t count);

/* NUMERICS 13: products of 14-bit activations, stored as i16. */
void erx_ref_activation_pack_wide(uint8_t *activation, const int16_t *values, uint32_t columns);
void erx_ref_gemm_wide(const erx_gemm_t *call);

#endif
