/* NUMERICS 3 to 6 on 256-bit vectors; ops_ref.c says what each must compute. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx2/avx2.h"
#include "kernels/avx2/vector256.h"
#include "kernels/decay.h"
#include "kernels/requant.h"
#include "kernels/tables.h"
#include "kernels/unroll.h"

#define LANES32          8u
#define LANES16          16u
#define ACTIVATION_BYTES 2u

/* RQ(W * input) + bias of 8 rows of a pair matrix. */
static __m256i pair_rows(const erx_pair_matrix_t *matrix, uint32_t row, const int16_t *input,
                         erx_shift64_t shift)
{
    __m256i acc = _mm256_setzero_si256();
    const int16_t *pairs = matrix->pairs + (size_t)row * 2;
    const int32_t *inputs = (const int32_t *)(const void *)input;
    for (uint32_t pair = 0; pair < matrix->pair_count; pair++) {
        __m256i product = _mm256_madd_epi16(erx_load256(pairs), _mm256_set1_epi32(inputs[pair]));
        acc = _mm256_add_epi32(acc, product);
        pairs += (size_t)matrix->rows * 2;
    }
    acc = erx_requantize8(acc, erx_load256(matrix->multiplier + row), shift);
    return _mm256_add_epi32(acc, erx_load256(matrix->bias + row));
}

static void embed(const erx_image_t *image, const int16_t *features, const uint16_t *categories,
                  int32_t *x)
{
    uint32_t d = image->shape.d_model;
    erx_shift64_t shift = erx_shift64(image->embed.shift);
    const int16_t *rows[ERX_CATEGORICALS];
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        rows[k] = image->T[k] + (size_t)categories[k] * d;
    for (uint32_t o = 0; o < d; o += LANES32) {
        __m256i tables = _mm256_setzero_si256();
        for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
            tables = _mm256_add_epi32(tables, erx_load_i16x8(rows[k] + o));
        tables = _mm256_sll_epi32(tables, _mm_cvtsi32_si128(image->T_sh));
        __m256i sum = _mm256_add_epi32(pair_rows(&image->embed, o, features, shift), tables);
        erx_store256(x + o, erx_clamp8(sum, ERX_RESIDUAL_MAX));
    }
}

/* 4.1 as a requantization: v * r >> (16 + k). */
typedef struct {
    __m256i r;
    erx_shift64_t shift;
} root_t;

static root_t vector_root(const int32_t *v, uint32_t n, int64_t eps)
{
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (uint32_t i = 0; i < n; i += LANES32) {
        __m256i value = erx_load256(v + i);
        __m256i high = _mm256_srli_epi64(value, 32);
        even = _mm256_add_epi64(even, _mm256_mul_epi32(value, value));
        odd = _mm256_add_epi64(odd, _mm256_mul_epi32(high, high));
    }
    uint64_t ss = (uint64_t)eps + (uint64_t)erx_sum64(_mm256_add_epi64(even, odd));
    erx_root_t root = erx_reciprocal_root(ss);
    return (root_t){
        .r = _mm256_set1_epi32((int32_t)root.r),
        .shift = erx_shift64(16 + root.k),
    };
}

static __m256i normalize(const int32_t *v, root_t root)
{
    return erx_clamp8(erx_requantize8(erx_load256(v), root.r, root.shift), 32767);
}

/* Products t with a gain, and the greatest magnitude among them. */
static __m256i gain_product(__m256i y, const int16_t *gain, __m256i *greatest)
{
    __m256i t = _mm256_madd_epi16(y, erx_load_low16x8(gain));
    *greatest = _mm256_max_epi32(*greatest, _mm256_abs_epi32(t));
    return t;
}

/* RS(t, shift) within +-limit, in the kernel's form. */
static inline __attribute__((always_inline)) void store_activations(const int32_t *t, uint32_t n,
                                                                    int32_t shift,
                                                                    const int16_t limit,
                                                                    uint8_t *activation)
{
    for (uint32_t i = 0; i < n; i += LANES16) {
        __m256i low = erx_round_shift8(erx_load256(t + i), shift);
        __m256i high = erx_round_shift8(erx_load256(t + i + LANES32), shift);
        erx_store256(activation + (size_t)i * ACTIVATION_BYTES, erx_pack16(low, high, limit));
    }
}

static int32_t quantize(const int32_t *t, uint32_t n, __m256i greatest, int32_t gain_shift,
                        uint8_t *activation)
{
    int32_t exponent = erx_block_exponent(erx_greatest32(greatest), gain_shift);
    store_activations(t, n, gain_shift + exponent, ERX_ACTIVATION_MAX, activation);
    return exponent;
}

static int32_t quantize_wide(const int32_t *t, uint32_t n, __m256i greatest, int32_t gain_shift,
                             uint8_t *activation)
{
    int32_t exponent = erx_block_exponent_wide(erx_greatest32(greatest), gain_shift);
    store_activations(t, n, gain_shift + exponent, ERX_ACTIVATION_WIDE_MAX, activation);
    return exponent;
}

/* Normalized values times gains; returns the greatest magnitude of each lane. */
static __m256i normalize_all(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                             int32_t *t)
{
    __m256i greatest = _mm256_setzero_si256();
    root_t root = vector_root(v, n, eps);
    for (uint32_t i = 0; i < n; i += LANES32)
        erx_store256(t + i, gain_product(normalize(v + i, root), gain + i, &greatest));
    return greatest;
}

static int32_t norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                    int32_t gain_shift, uint8_t *activation)
{
    alignas(64) int32_t t[2 * ERX_D_MODEL_MAX];
    return quantize(t, n, normalize_all(v, n, eps, gain, t), gain_shift, activation);
}

static int32_t norm_wide(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                         int32_t gain_shift, uint8_t *activation)
{
    alignas(64) int32_t t[2 * ERX_D_MODEL_MAX];
    return quantize_wide(t, n, normalize_all(v, n, eps, gain, t), gain_shift, activation);
}

/* Entries index and index + 1 of the sigmoid table, as the halves of a dword,
 * for 8 indices in [0, 255]. */
static __m256i lookup_pairs(__m256i index)
{
    return _mm256_i32gather_epi32((const int *)(const void *)erx_table_sig, index,
                                  sizeof erx_table_sig[0]);
}

/* silu(v, f). With step = f - 3 the index is (v >> step) + 128, and the
 * interpolation RS(rise * fraction, step) is mulhrs(rise, fraction << (15 - step)).
 * The table is flat at both ends, so that the nearest index inside gives what
 * is defined outside. */
static __m256i silu(__m256i v, int32_t f)
{
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low_half = _mm256_set1_epi32(0xffff);
    int32_t step = f - 3;
    __m256i index =
        _mm256_add_epi16(_mm256_sra_epi16(v, _mm_cvtsi32_si128(step)), _mm256_set1_epi16(128));
    __m256i fraction = _mm256_sll_epi16(v, _mm_cvtsi32_si128(15 - step));
    fraction = _mm256_and_si256(fraction, _mm256_set1_epi16(32767));
    index = _mm256_max_epi16(_mm256_min_epi16(index, _mm256_set1_epi16(255)), zero);
    /* Unpacking to dwords and packing again keep to the halves of the register. */
    __m256i low = lookup_pairs(_mm256_unpacklo_epi16(index, zero));
    __m256i high = lookup_pairs(_mm256_unpackhi_epi16(index, zero));
    __m256i value =
        _mm256_packus_epi32(_mm256_and_si256(low, low_half), _mm256_and_si256(high, low_half));
    __m256i next = _mm256_packus_epi32(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16));
    __m256i rise = _mm256_sub_epi16(next, value);
    __m256i sigmoid = _mm256_add_epi16(value, _mm256_mulhrs_epi16(rise, fraction));
    return _mm256_mulhrs_epi16(v, sigmoid);
}

/* The last four c of 16 channels, in an order in which interleaving two of
 * them gives channels 0 to 7 (unpacklo) and 8 to 15 (unpackhi). */
typedef struct {
    __m256i c[ERX_CONV_TAPS];
} window_t;

static __m256i for_interleave(__m256i values)
{
    return _mm256_permute4x64_epi64(values, 0xd8);
}

/* RQ of the taps' sum plus bias of 8 channels. */
static __m256i conv_half(const erx_layer_t *layer, size_t plane, uint32_t channel, __m256i old,
                         __m256i recent, erx_shift64_t shift)
{
    const int16_t *taps = layer->taps + (size_t)channel * 2;
    __m256i acc = _mm256_add_epi32(_mm256_madd_epi16(old, erx_load256(taps)),
                                   _mm256_madd_epi16(recent, erx_load256(taps + plane)));
    acc = erx_requantize8(acc, erx_load256(layer->Wc_m + channel), shift);
    return _mm256_add_epi32(acc, erx_load256(layer->bc + channel));
}

/* Convolution and SiLU of 16 channels, moving c into the state: three vectors
 * that are stride values apart. */
static __m256i conv_channels(const erx_layer_t *layer, size_t plane, uint32_t channel,
                             const int16_t *c, int16_t *state, size_t stride, erx_shift64_t shift)
{
    __m256i newest = erx_load256(c);
    __m256i second = erx_load256(state + stride);
    __m256i third = erx_load256(state + 2 * stride);
    const window_t window = {{
        for_interleave(erx_load256(state)),
        for_interleave(second),
        for_interleave(third),
        for_interleave(newest),
    }};
    __m256i low = conv_half(layer, plane, channel, _mm256_unpacklo_epi16(window.c[0], window.c[1]),
                            _mm256_unpacklo_epi16(window.c[2], window.c[3]), shift);
    __m256i high =
        conv_half(layer, plane, channel + LANES32, _mm256_unpackhi_epi16(window.c[0], window.c[1]),
                  _mm256_unpackhi_epi16(window.c[2], window.c[3]), shift);
    erx_store256(state, second);
    erx_store256(state + stride, third);
    erx_store256(state + 2 * stride, newest);
    return silu(erx_pack16(low, high, 32767), layer->fx);
}

/* Fewer than 16 channels at the end. The state is not padded, so a copy is
 * worked on, and what belongs to others is never written. */
static __m256i conv_tail(const erx_layer_t *layer, size_t plane, uint32_t channel, uint32_t count,
                         const int16_t *c, int16_t *state, size_t stride, erx_shift64_t shift)
{
    alignas(32) int16_t copy[ERX_CONV_TAPS - 1][LANES16] = {{0}};
    for (uint32_t tap = 0; tap < ERX_COUNT(copy); tap++)
        memcpy(copy[tap], state + tap * stride, count * sizeof *state);
    __m256i w = conv_channels(layer, plane, channel, c, copy[0], LANES16, shift);
    for (uint32_t tap = 0; tap < ERX_COUNT(copy); tap++)
        memcpy(state + tap * stride, copy[tap], count * sizeof *state);
    return w;
}

static void conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                 int16_t *state, const erx_conv_out_t *out)
{
    uint32_t di = image->shape.d_inner;
    uint32_t N = image->shape.d_state;
    uint32_t channels = erx_shape_conv_dim(&image->shape);
    size_t plane = ERX_ALIGN_UP((size_t)channels, ERX_PANEL_ROWS) * 2;
    erx_shift64_t shift = erx_shift64(layer->Wc_s);
    alignas(32) int16_t bc[2 * ERX_D_STATE_MAX + LANES16];
    for (uint32_t channel = 0; channel < channels; channel += LANES16) {
        uint32_t left = channels - channel;
        __m256i w = left >= LANES16 ? conv_channels(layer, plane, channel, c + channel,
                                                    state + channel, channels, shift)
                                    : conv_tail(layer, plane, channel, left, c + channel,
                                                state + channel, channels, shift);
        /* d_inner is a multiple of 64: a vector is all x or all B and C. */
        erx_store256(channel < di ? out->x + channel : bc + (channel - di), w);
    }
    for (uint32_t n = 0; n < N; n++) {
        out->B[n] = erx_sat16(bc[n] * (1 << layer->kb));
        out->C[n] =
            (int16_t)erx_clamp64(erx_round_shift(bc[N + n], layer->kc), -image->Cmax, image->Cmax);
    }
}

/* What the update of a head's channels needs, in every lane. */
typedef struct {
    __m256i Abar;
    __m256i Km;
    int32_t ns;
    __m256i my;
    __m256i mD;
    erx_shift64_t y_shift;
    uint32_t pairs;     /* N / 2 */
    size_t pair_stride; /* values from one pair of n to the next: 2 P */
} head_t;

/* sat16(RS(x * Km, ns)), twice in each lane. */
static __m256i scaled_input(const int16_t *x, const head_t *head)
{
    __m256i product = _mm256_madd_epi16(erx_load_low16x8(x), head->Km);
    __m256i dtx = erx_clamp8(erx_round_shift8(product, head->ns), 32767);
    return _mm256_blend_epi16(dtx, _mm256_slli_epi32(dtx, 16), 0xaa);
}

/* acc * my + x * mD, rounded and shifted, of 8 channels. */
static __m256i read_out(__m256i acc, const int16_t *values, const head_t *head)
{
    __m256i x = erx_load_i16x8(values);
    __m256i even = _mm256_add_epi64(_mm256_mul_epi32(acc, head->my), _mm256_mul_epi32(x, head->mD));
    __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(acc, 32), head->my),
                                   _mm256_mul_epi32(_mm256_srli_epi64(x, 32), head->mD));
    return erx_narrow64(even, odd, head->y_shift);
}

/* Updates and reads group_count x 8 channels of a head; group_count is even
 * and a constant at every call. */
static inline __attribute__((always_inline)) void
scan_groups(const uint32_t group_count, const head_t *head, const erx_conv_out_t *in,
            const int16_t *x, int16_t *h, int16_t *y)
{
    __m256i dtx[4], acc[4];
    ERX_UNROLL
    for (uint32_t g = 0; g < group_count; g++) {
        dtx[g] = scaled_input(x + g * LANES32, head);
        acc[g] = _mm256_setzero_si256();
    }
    const int32_t *B = (const int32_t *)(const void *)in->B;
    const int32_t *C = (const int32_t *)(const void *)in->C;
    for (uint32_t pair = 0; pair < head->pairs; pair++, h += head->pair_stride) {
        __m256i b = _mm256_set1_epi32(B[pair]);
        __m256i c = _mm256_set1_epi32(C[pair]);
        ERX_UNROLL
        for (uint32_t g = 0; g < group_count; g++) {
            __m256i old = _mm256_mulhrs_epi16(erx_load256(h + g * LANES16), head->Abar);
            __m256i value = _mm256_adds_epi16(old, _mm256_mulhrs_epi16(dtx[g], b));
            erx_store256(h + g * LANES16, value);
            acc[g] = _mm256_add_epi32(acc[g], _mm256_madd_epi16(value, c));
        }
    }
    ERX_UNROLL
    for (uint32_t g = 0; g < group_count; g += 2) {
        __m256i low = read_out(acc[g], x + g * LANES32, head);
        __m256i high = read_out(acc[g + 1], x + (g + 1) * LANES32, head);
        erx_store256(y + g * LANES32, erx_pack16(low, high, 32767));
    }
}

static void scan_head(const head_t *head, uint32_t P, const erx_conv_out_t *in, const int16_t *x,
                      int16_t *h, int16_t *y)
{
    uint32_t p = 0;
    for (; p + 4 * LANES32 <= P; p += 4 * LANES32)
        scan_groups(4, head, in, x + p, h + (size_t)p * 2, y + p);
    for (; p < P; p += 2 * LANES32)
        scan_groups(2, head, in, x + p, h + (size_t)p * 2, y + p);
}

static void scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                 const erx_conv_out_t *in, int16_t *h, int16_t *y)
{
    uint32_t P = image->shape.head_dim;
    uint32_t N = image->shape.d_state;
    for (uint32_t index = 0; index < image->shape.head_count; index++) {
        erx_decay_t decay = erx_decay(layer, index, dt[index]);
        const head_t head = {
            .Abar = _mm256_set1_epi16(decay.Abar),
            .Km = _mm256_set1_epi32(decay.Km),
            .ns = decay.ns,
            .my = _mm256_set1_epi32(layer->my[index]),
            .mD = _mm256_set1_epi32(layer->mD[index]),
            .y_shift = erx_shift64(layer->y_s),
            .pairs = N / 2,
            .pair_stride = (size_t)P * 2,
        };
        scan_head(&head, P, in, in->x + (size_t)index * P, h + (size_t)index * N * P,
                  y + (size_t)index * P);
    }
}

static void gate(const int16_t *y, const int16_t *z, int32_t fz, uint32_t n, int32_t *pg)
{
    for (uint32_t i = 0; i < n; i += LANES16) {
        __m256i g = silu(erx_load256(z + i), fz);
        __m256i low = _mm256_madd_epi16(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(g)),
                                        erx_load_i16x8(y + i));
        __m256i high = _mm256_madd_epi16(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(g, 1)),
                                         erx_load_i16x8(y + i + LANES32));
        erx_store256(pg + i, erx_round_shift8(low, 8));
        erx_store256(pg + i + LANES32, erx_round_shift8(high, 8));
    }
}

/* hn + RQ(Wctl * controls) + bctl of 8 rows. */
static __m256i hidden_rows(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                           uint32_t row, root_t root, erx_shift64_t shift)
{
    __m256i t = _mm256_madd_epi16(normalize(x + row, root), erx_load_low16x8(image->Gf + row));
    __m256i hn = erx_clamp8(erx_round_shift8(t, image->Gf_s), 32767);
    return _mm256_add_epi32(hn, pair_rows(&image->control, row, controls, shift));
}

static void head_hidden(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                        int16_t *hidden)
{
    root_t root = vector_root(x, image->shape.d_model, image->eps1);
    erx_shift64_t shift = erx_shift64(image->control.shift);
    for (uint32_t o = 0; o < image->shape.d_model; o += LANES16) {
        __m256i low = hidden_rows(image, x, controls, o, root, shift);
        __m256i high = hidden_rows(image, x, controls, o + LANES32, root, shift);
        erx_store256(hidden + o, erx_pack16(low, high, 32767));
    }
}

static void regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions)
{
    uint32_t d = image->shape.d_model;
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++) {
        const int16_t *row = image->Wr + (size_t)r * d;
        __m256i sum = _mm256_setzero_si256();
        for (uint32_t o = 0; o < d; o += LANES16) {
            /* Two products of 15-bit magnitudes fit 32 bits; their sum over a row does not. */
            __m256i pairs = _mm256_madd_epi16(erx_load256(row + o), erx_load256(hidden + o));
            sum = _mm256_add_epi64(sum, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(pairs)));
            sum = _mm256_add_epi64(sum, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(pairs, 1)));
        }
        int64_t scaled = erx_sum64(sum) * image->Wr_m[r];
        regressions[r] = (int32_t)(erx_round_shift(scaled, image->Wr_s[r]) + image->br[r]);
    }
}

/* The heads' input times gains; returns the greatest magnitude of each lane. */
static __m256i gain_hidden(const erx_image_t *image, const int16_t *hidden, int32_t *t)
{
    __m256i greatest = _mm256_setzero_si256();
    for (uint32_t i = 0; i < image->shape.d_model; i += LANES32)
        erx_store256(t + i, gain_product(erx_load_i16x8(hidden + i), image->Gh + i, &greatest));
    return greatest;
}

static int32_t head_quantize(const erx_image_t *image, const int16_t *hidden, uint8_t *activation)
{
    alignas(64) int32_t t[ERX_D_MODEL_MAX];
    return quantize(t, image->shape.d_model, gain_hidden(image, hidden, t), image->Gh_s,
                    activation);
}

static int32_t head_quantize_wide(const erx_image_t *image, const int16_t *hidden,
                                  uint8_t *activation)
{
    alignas(64) int32_t t[ERX_D_MODEL_MAX];
    return quantize_wide(t, image->shape.d_model, gain_hidden(image, hidden, t), image->Gh_s,
                         activation);
}

static uint32_t argmax(const int32_t *values, uint32_t count)
{
    __m256i best = _mm256_set1_epi32(INT32_MIN);
    uint32_t whole = count - count % LANES32;
    for (uint32_t i = 0; i < whole; i += LANES32)
        best = _mm256_max_epi32(best, erx_load256(values + i));
    int32_t greatest = erx_greatest32(best);
    for (uint32_t i = whole; i < count; i++)
        greatest = ERX_MAX(greatest, values[i]);
    uint32_t index = 0;
    while (values[index] != greatest)
        index++;
    return index;
}

/* Activations of 14 bits have the same form as those of 8, and pairs of
 * products fit as well: the product is the same one. */
#define SHARED_OPERATIONS                                                                          \
    .name = "avx2", .activation_bytes = ACTIVATION_BYTES, .panel_bytes = erx_avx2_panel_bytes,     \
    .panel_pack = erx_avx2_panel_pack, .gemm = erx_avx2_gemm, .matvec = erx_avx2_matvec,           \
    .embed = embed, .conv = conv, .scan = scan, .gate = gate, .head_hidden = head_hidden,          \
    .regress = regress, .argmax = argmax

static const erx_kernel_t avx2_wide = {
    SHARED_OPERATIONS,
    .activation_pack_wide = erx_avx2_activation_pack_wide,
    .norm = norm_wide,
    .head_quantize = head_quantize_wide,
};

const erx_kernel_t erx_kernel_avx2 = {
    SHARED_OPERATIONS,
    .wide = &avx2_wide,
    .activation_pack = erx_avx2_activation_pack,
    .norm = norm,
    .head_quantize = head_quantize,
};
