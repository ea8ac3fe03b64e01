/* The kernel table: one implementation of every operation of the frame for one
 * instruction set. See CONTRACT.md for operands, padding and ranges.
 *
 * All functions are pure: no allocation, no threads, no state besides their
 * arguments; any number of threads may call them at once. Buffers are 64-byte
 * aligned and their capacity is padded to ERX_PANEL_ROWS values; the recurrent
 * state alone is unpadded (it is account bytes). Every implementation gives
 * the same bytes as the scalar reference for every legal operand. */
#ifndef ERX_KERNELS_KERNEL_H
#define ERX_KERNELS_KERNEL_H

#include "kernels/image.h"

/* The sums of u8 x s8 products that vector kernels build stay far below 2^31. */
#define ERX_MATVEC_COLUMNS_MAX 16384u

typedef enum {
    ERX_GEMM_RAW,      /* wide[o] = acc */
    ERX_GEMM_PROJECT,  /* NUMERICS 5.2, 5.3: narrow[o] = sat16(RQ), from dt_row on wide[o - dt_row]
                        */
    ERX_GEMM_RESIDUAL, /* NUMERICS 5.8: wide[o] = clamp(wide[o] + RQ) */
    ERX_GEMM_LOGITS    /* NUMERICS 6: wide[o] = RQ + bias */
} erx_gemm_kind_t;

/* One product: panels [panel_begin, panel_end) of matrix times the activations
 * of session_count sessions. Strides count elements of what they step over
 * (bytes for activations). */
typedef struct {
    const erx_matrix_t *matrix;
    erx_gemm_kind_t kind;
    uint32_t panel_begin;
    uint32_t panel_end;
    uint32_t session_count;
    const uint8_t *activation; /* kernel's format: kernel->activation_bytes a column */
    size_t activation_stride;
    const int32_t *exponent; /* [session_count] block exponents; unused by RAW */
    int32_t *wide;
    size_t wide_stride;
    int16_t *narrow; /* PROJECT only */
    size_t narrow_stride;
    uint32_t dt_row; /* PROJECT only; a multiple of ERX_BLOCK_ROWS */
    /* Memory that is needed soon (the sessions' states of this layer), fetched
     * toward the cache beside the product. NULL for none. */
    uint8_t *const *fetch; /* [session_count] */
    size_t fetch_bytes;
} erx_gemm_t;

/* Outputs of the convolution (NUMERICS 5.4), inputs of the scan. */
typedef struct {
    int16_t *x; /* xs: [di] */
    int16_t *B; /* [N] */
    int16_t *C; /* [N] */
} erx_conv_out_t;

typedef struct erx_kernel {
    const char *name; /* as --isa names it */
    /* The same instruction set for models of profile i16ssm-2, whose products
     * take activations of 14 bits; NULL in that kernel itself. */
    const struct erx_kernel *wide;
    /* Bytes of one activation in the kernel's form: [-128, 127], or of a wide
     * kernel +-ERX_ACTIVATION_WIDE_MAX. */
    uint32_t activation_bytes;

    /* Bytes of a panel of ERX_PANEL_ROWS rows; a multiple of 64. */
    size_t (*panel_bytes)(uint32_t columns);
    /* Packs ERX_PANEL_ROWS rows; rows[i] is NULL for a row of zeros. */
    void (*panel_pack)(uint8_t *panel, const int8_t *const rows[], uint32_t columns);
    /* Writes plain i8 activations in the kernel's form (policies, syscall, tests);
     * NULL in a wide kernel. */
    void (*activation_pack)(uint8_t *activation, const int8_t *values, uint32_t columns);
    /* The same of a wide kernel, and NULL in others. */
    void (*activation_pack_wide)(uint8_t *activation, const int16_t *values, uint32_t columns);

    void (*gemm)(const erx_gemm_t *call);

    /* Row-major matrix times one vector, from plain i8: what is multiplied before
     * it is packed. weights[rows * columns] and input[columns] have no alignment
     * and are read exactly; output holds rows i32, no alignment, written exactly.
     * columns is in [1, ERX_MATVEC_COLUMNS_MAX]. */
    void (*matvec)(const int8_t *weights, uint32_t rows, uint32_t columns, const int8_t *input,
                   void *output);

    /* NUMERICS 3: features i16[58 + 2 zeros] -> x i32[d]. */
    void (*embed)(const erx_image_t *image, const int16_t *features, const uint16_t *categories,
                  int32_t *x);

    /* NUMERICS 4: v i32[n] -> activation; returns the block exponent. n is a
     * multiple of 32; |v| <= 2^26. */
    int32_t (*norm)(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                    int32_t gain_shift, uint8_t *activation);

    /* NUMERICS 5.4: c i16[cd] in the order x | B | C; updates the layer's conv
     * state [3][cd] in place. */
    void (*conv)(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                 int16_t *state, const erx_conv_out_t *out);

    /* NUMERICS 5.5, 5.6: updates h [H][N/2][P][2] in place, writes y i16[di]. */
    void (*scan)(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                 const erx_conv_out_t *in, int16_t *h, int16_t *y);

    /* NUMERICS 5.7: pg[i] = RS(y[i] * silu(z[i], fz), 8). n a multiple of 64. */
    void (*gate)(const int16_t *y, const int16_t *z, int32_t fz, uint32_t n, int32_t *pg);

    /* NUMERICS 6: x i32[d], controls i16[26] -> hh i16[d]. */
    void (*head_hidden)(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                        int16_t *hidden);

    /* NUMERICS 6: hh -> reg i32[30]. */
    void (*regress)(const erx_image_t *image, const int16_t *hidden, int32_t *regressions);

    /* NUMERICS 4.3: hh * Gh -> activation; returns the block exponent. */
    int32_t (*head_quantize)(const erx_image_t *image, const int16_t *hidden, uint8_t *activation);

    /* First index of the maximum of values[0, count). */
    uint32_t (*argmax)(const int32_t *values, uint32_t count);
} erx_kernel_t;

/* The kernel of the same instruction set that runs models of this shape. */
static inline const erx_kernel_t *erx_kernel_for(const erx_kernel_t *kernel,
                                                 const erx_shape_t *shape)
{
    return shape->profile == ERX_PROFILE_2 ? kernel->wide : kernel;
}

/* The scalar reference: the specification in code. Always there. */
extern const erx_kernel_t erx_kernel_scalar;
#ifdef ERX_ISA_AVX2
extern const erx_kernel_t erx_kernel_avx2;
#endif
#ifdef ERX_ISA_AVX512VNNI
extern const erx_kernel_t erx_kernel_avx512vnni;
#endif

#endif
