/* NUMERICS 3 to 6 on 512-bit vectors; ops_ref.c says what each must compute. */
#include <immintrin.h>
#include <string.h>

#include "kernels/avx512vnni/avx512vnni.h"
#include "kernels/avx512vnni/norm.h"
#include "kernels/avx512vnni/vector.h"
#include "kernels/requant.h"
#include "kernels/tables.h"
#include "kernels/unroll.h"

#define LANES32 16u
#define LANES16 32u

static __m512i load(const void *values)
{
    return _mm512_loadu_si512(values);
}

/* sat16 of two vectors as 32 values in order. */
static inline __m512i sat16x32(__m512i first, __m512i second)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i packed = _mm512_max_epi16(_mm512_packs_epi32(first, second), _mm512_set1_epi16(-32767));
    return _mm512_permutexvar_epi64(order, packed);
}

/* RQ(W * input) + bias of 16 rows of a pair matrix, kept inside 32 bits. */
static __m512i pair_rows(const erx_pair_matrix_t *matrix, uint32_t row, const int16_t *input,
                         erx_shift64_t shift)
{
    __m512i acc = _mm512_setzero_si512();
    const int16_t *pairs = matrix->pairs + (size_t)row * 2;
    const int32_t *inputs = (const int32_t *)(const void *)input;
    for (uint32_t pair = 0; pair < matrix->pair_count; pair++) {
        acc = _mm512_dpwssd_epi32(acc, load(pairs), _mm512_set1_epi32(inputs[pair]));
        pairs += (size_t)matrix->rows * 2;
    }
    acc = erx_requantize16(acc, load(matrix->multiplier + row), shift);
    return _mm512_add_epi32(erx_bounded(acc), load(matrix->bias + row));
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
        __m512i tables = _mm512_setzero_si512();
        for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
            tables = _mm512_add_epi32(tables, erx_load_i16x16(rows[k] + o));
        tables = _mm512_sll_epi32(tables, _mm_cvtsi32_si128(image->T_sh));
        __m512i sum = _mm512_add_epi32(pair_rows(&image->embed, o, features, shift), tables);
        _mm512_storeu_si512(x + o, erx_clamp16(sum, ERX_RESIDUAL_MAX));
    }
}

/* sat8(RS(t, shift)) + 128. */
static void store_activation(uint8_t *activation, __m512i t, int32_t shift)
{
    __m512i rounded = _mm512_add_epi32(t, _mm512_set1_epi32(1 << (shift - 1)));
    rounded = _mm512_sra_epi32(rounded, _mm_cvtsi32_si128(shift));
    __m128i u = _mm_max_epi8(_mm512_cvtsepi32_epi8(rounded), _mm_set1_epi8(-127));
    _mm_storeu_si128((__m128i *)(void *)activation, _mm_xor_si128(u, _mm_set1_epi8(-128)));
}

/* The same for 64 values. */
static void store_activations64(uint8_t *activation, const int32_t *t, int32_t shift)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i round = _mm512_set1_epi32(1 << (shift - 1));
    __m512i r[4];
    ERX_UNROLL
    for (uint32_t i = 0; i < 4; i++)
        r[i] = _mm512_sra_epi32(_mm512_add_epi32(load(t + i * LANES32), round),
                                _mm_cvtsi32_si128(shift));
    __m512i u = _mm512_packs_epi16(_mm512_packs_epi32(r[0], r[1]), _mm512_packs_epi32(r[2], r[3]));
    u = _mm512_max_epi8(_mm512_permutexvar_epi32(order, u), _mm512_set1_epi8(-127));
    _mm512_storeu_si512(activation, _mm512_xor_si512(u, _mm512_set1_epi8(-128)));
}

static int32_t quantize(const int32_t *t, uint32_t n, __m512i greatest, int32_t gain_shift,
                        uint8_t *activation)
{
    int32_t exponent = erx_block_exponent(_mm512_reduce_max_epi32(greatest), gain_shift);
    uint32_t i = 0;
    for (; i + 4 * LANES32 <= n; i += 4 * LANES32)
        store_activations64(activation + i, t + i, gain_shift + exponent);
    for (; i < n; i += LANES32)
        store_activation(activation + i, load(t + i), gain_shift + exponent);
    return exponent;
}

static int32_t norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                    int32_t gain_shift, uint8_t *activation)
{
    alignas(64) int32_t t[2 * ERX_D_MODEL_MAX];
    return quantize(t, n, erx_normalize_all(v, n, eps, gain, t), gain_shift, activation);
}

/* The upper half of the sigmoid in registers: 128 segments from 0 on. value is
 * 0x8000 - SIG[128 - q], which is SIG[128 + q] without its clamp to 32767. */
typedef struct {
    __m512i value[4];
    __m512i rise[4];
    __m128i step;     /* f - 3 */
    __m128i fraction; /* 15 - (f - 3) */
} sigmoid_t;

/* 32 entries of the sigmoid table from first on, the last one first. */
static __m512i reversed(const int16_t *first)
{
    alignas(64) static const int16_t order[32] = {
        31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
        15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0,
    };
    return _mm512_permutexvar_epi16(load(order), load(first));
}

static sigmoid_t sigmoid_start(int32_t f)
{
    sigmoid_t sigmoid = {
        .step = _mm_cvtsi32_si128(f - 3),
        .fraction = _mm_cvtsi32_si128(15 - (f - 3)),
    };
    for (int32_t j = 0; j < 4; j++) {
        __m512i low = reversed(erx_table_sig + (97 - 32 * j));
        __m512i next = reversed(erx_table_sig + (96 - 32 * j));
        sigmoid.value[j] = _mm512_sub_epi16(_mm512_set1_epi16(INT16_MIN), low);
        sigmoid.rise[j] = _mm512_sub_epi16(low, next);
    }
    return sigmoid;
}

/* table[q & 127] in 32 lanes: a permutation looks 64 entries up at once. */
static inline __m512i look_up128(const __m512i table[4], __m512i q, __mmask32 upper)
{
    return _mm512_mask_blend_epi16(upper, _mm512_permutex2var_epi16(table[0], q, table[1]),
                                   _mm512_permutex2var_epi16(table[2], q, table[3]));
}

/* silu(v, f). With q and r the quotient and rest of |v| by 2^(f-3), the table's
 * symmetry SIG[128 - q] = 0x8000 - SIG[128 + q] gives
 *   v >= 0:  value[q] + RS(rise[q] * r)
 *   v < 0:   0x8000 - value[q] + RS(-rise[q] * r)
 * and RS(rise * r, step) is mulhrs(rise, r << (15 - step)). Where value lacks
 * its clamp the minimum makes up for it. */
static inline __m512i silu(__m512i v, const sigmoid_t *sigmoid)
{
    const __m512i most = _mm512_set1_epi16(32767);
    __mmask32 negative = _mm512_movepi16_mask(v);
    __m512i magnitude = _mm512_abs_epi16(v);
    __m512i q = _mm512_srl_epi16(magnitude, sigmoid->step);
    __m512i r = _mm512_and_si512(_mm512_sll_epi16(magnitude, sigmoid->fraction), most);
    __mmask32 upper = _mm512_test_epi16_mask(q, _mm512_set1_epi16(64));
    __mmask32 inside = _mm512_cmplt_epi16_mask(q, _mm512_set1_epi16(128));
    __m512i value = look_up128(sigmoid->value, q, upper);
    __m512i rise = look_up128(sigmoid->rise, q, upper);
    r = _mm512_mask_sub_epi16(r, negative, _mm512_setzero_si512(), r);
    value = _mm512_mask_sub_epi16(value, negative, _mm512_set1_epi16(INT16_MIN), value);
    value = _mm512_min_epu16(_mm512_add_epi16(value, _mm512_mulhrs_epi16(rise, r)), most);
    /* Beyond the table: 32767 for positive v, 0 for negative. */
    value = _mm512_mask_blend_epi16(inside, _mm512_maskz_mov_epi16(~negative, most), value);
    return _mm512_mulhrs_epi16(v, value);
}

/* Interleaves 16 lanes of a and b, from the lower or the upper halves. */
static __m512i interleave(__m512i a, __m512i b, bool upper)
{
    alignas(64) static const int16_t order[2][32] = {
        {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
         8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47},
        {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55,
         24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63},
    };
    return _mm512_permutex2var_epi16(a, load(order[upper]), b);
}

/* What the convolution of a layer needs in every vector of channels. */
typedef struct {
    const erx_layer_t *layer;
    const int16_t *recent_taps;
    erx_shift64_t shift;
    sigmoid_t sigmoid;
} conv_t;

/* RQ of the taps' sum plus bias for 16 channels. */
static inline __m512i conv_half(const conv_t *conv, uint32_t channel, __m512i old, __m512i recent)
{
    const erx_layer_t *layer = conv->layer;
    __m512i acc = _mm512_madd_epi16(old, load(layer->taps + (size_t)channel * 2));
    acc = _mm512_dpwssd_epi32(acc, recent, load(conv->recent_taps + (size_t)channel * 2));
    acc = erx_requantize16(acc, load(layer->Wc_m + channel), conv->shift);
    return _mm512_add_epi32(acc, load(layer->bc + channel));
}

/* Convolution and SiLU of 32 channels whose last four inputs are c3 (oldest) to c. */
static inline __m512i conv_vector(const conv_t *conv, uint32_t channel, __m512i c3, __m512i c2,
                                  __m512i c1, __m512i c)
{
    __m512i low = conv_half(conv, channel, interleave(c3, c2, false), interleave(c1, c, false));
    __m512i high =
        conv_half(conv, channel + LANES32, interleave(c3, c2, true), interleave(c1, c, true));
    return silu(sat16x32(low, high), &conv->sigmoid);
}

/* The same for the last channels, which do not fill a vector: the state is not
 * padded. */
static __m512i conv_tail(const conv_t *conv, uint32_t channels, uint32_t channel, const int16_t *c,
                         int16_t *state)
{
    __mmask32 mask = ((__mmask32)1 << (channels - channel)) - 1;
    int16_t *oldest = state + channel;
    __m512i c3 = _mm512_maskz_loadu_epi16(mask, oldest);
    __m512i c2 = _mm512_maskz_loadu_epi16(mask, oldest + channels);
    __m512i c1 = _mm512_maskz_loadu_epi16(mask, oldest + 2 * channels);
    __m512i now = load(c + channel);
    _mm512_mask_storeu_epi16(oldest, mask, c2);
    _mm512_mask_storeu_epi16(oldest + channels, mask, c1);
    _mm512_mask_storeu_epi16(oldest + 2 * channels, mask, now);
    return conv_vector(conv, channel, c3, c2, c1, now);
}

/* Convolves all channels and moves them into the state; w receives SiLU's
 * results of x, and of B and C behind each other in bc. */
static void conv_channels(const conv_t *conv, uint32_t channels, uint32_t di, const int16_t *c,
                          int16_t *state, int16_t *x, int16_t *bc)
{
    uint32_t channel = 0;
    /* d_inner is a multiple of 64: a vector is all x or all B and C. */
    for (; channel + LANES16 <= channels; channel += LANES16) {
        int16_t *oldest = state + channel;
        __m512i c3 = load(oldest);
        __m512i c2 = load(oldest + channels);
        __m512i c1 = load(oldest + 2 * channels);
        __m512i now = load(c + channel);
        _mm512_storeu_si512(oldest, c2);
        _mm512_storeu_si512(oldest + channels, c1);
        _mm512_storeu_si512(oldest + 2 * channels, now);
        _mm512_storeu_si512(channel < di ? x + channel : bc + (channel - di),
                            conv_vector(conv, channel, c3, c2, c1, now));
    }
    if (channel < channels)
        _mm512_storeu_si512(bc + (channel - di), conv_tail(conv, channels, channel, c, state));
}

static void conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                 int16_t *state, const erx_conv_out_t *out)
{
    uint32_t di = image->shape.d_inner;
    uint32_t N = image->shape.d_state;
    uint32_t channels = erx_shape_conv_dim(&image->shape);
    alignas(64) int16_t bc[2 * ERX_D_STATE_MAX + LANES16];
    const conv_t conv = {
        .layer = layer,
        .recent_taps = layer->taps + ERX_ALIGN_UP((size_t)channels, ERX_PANEL_ROWS) * 2,
        .shift = erx_shift64(layer->Wc_s),
        .sigmoid = sigmoid_start(layer->fx),
    };
    conv_channels(&conv, channels, di, c, state, out->x, bc);
    for (uint32_t n = 0; n < N; n++) {
        out->B[n] = erx_sat16(bc[n] * (1 << layer->kb));
        out->C[n] =
            (int16_t)erx_clamp64(erx_round_shift(bc[N + n], layer->kc), -image->Cmax, image->Cmax);
    }
}

/* What the update of a head's channels needs, in every lane. */
typedef struct {
    __m512i Abar;
    __m512i Km;
    __m512i Km_round;
    __m128i ns;
    __m512i my;
    __m512i mD;
    erx_shift64_t y_shift;
    uint32_t pairs;     /* N / 2 */
    size_t pair_stride; /* values from one pair of n to the next: 2 P */
} head_t;

/* (x * Km + 2^(ns-1)) >> ns of 16 channels. */
static inline __m512i scaled_input(__m512i x, const head_t *head)
{
    return _mm512_sra_epi32(_mm512_dpwssd_epi32(head->Km_round, x, head->Km), head->ns);
}

/* sat16 of two vectors, each value twice in its lane. */
static inline void doubled_sat16(__m512i *first, __m512i *second)
{
    __m512i packed = _mm512_packs_epi32(*first, *second);
    packed = _mm512_max_epi16(packed, _mm512_set1_epi16(-32767));
    *first = _mm512_unpacklo_epi16(packed, packed);
    *second = _mm512_unpackhi_epi16(packed, packed);
}

/* RS(acc * my + x * mD, y_s) of 16 channels. */
static inline __m512i read_out(__m512i acc, __m512i x, const head_t *head)
{
    __m512i even = _mm512_mul_epi32(acc, head->my);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(acc, 32), head->my);
    even = _mm512_add_epi64(even, _mm512_mul_epi32(x, head->mD));
    odd = _mm512_add_epi64(odd, _mm512_mul_epi32(_mm512_srli_epi64(x, 32), head->mD));
    return erx_narrow64(even, odd, head->y_shift);
}

/* Updates and reads pair_count x 32 channels of a head; pair_count is a
 * constant at every call, so that sums stay in registers. */
static inline __attribute__((always_inline)) void
scan_channels(const uint32_t pair_count, const head_t *head, const erx_conv_out_t *in,
              const int16_t *x, int16_t *h, int16_t *y)
{
    const uint32_t groups = 2 * pair_count;
    __m512i dtx[4], acc[4];
    ERX_UNROLL
    for (uint32_t g = 0; g < groups; g++) {
        dtx[g] = scaled_input(erx_load_i16x16(x + g * LANES32), head);
        acc[g] = _mm512_setzero_si512();
    }
    ERX_UNROLL
    for (uint32_t g = 0; g < groups; g += 2)
        doubled_sat16(&dtx[g], &dtx[g + 1]);
    const int32_t *B = (const int32_t *)(const void *)in->B;
    const int32_t *C = (const int32_t *)(const void *)in->C;
    for (uint32_t n = 0; n < head->pairs; n++, h += head->pair_stride) {
        __m512i b = _mm512_set1_epi32(B[n]);
        __m512i c = _mm512_set1_epi32(C[n]);
        ERX_UNROLL
        for (uint32_t g = 0; g < groups; g++) {
            __m512i old = _mm512_mulhrs_epi16(load(h + g * LANES16), head->Abar);
            __m512i value = _mm512_adds_epi16(old, _mm512_mulhrs_epi16(dtx[g], b));
            _mm512_storeu_si512(h + g * LANES16, value);
            acc[g] = _mm512_dpwssd_epi32(acc[g], value, c);
            /* Else the sum is copied to and fro in every round. */
            __asm__("" : "+v"(acc[g]));
        }
    }
    ERX_UNROLL
    for (uint32_t g = 0; g < groups; g += 2) {
        __m512i first = read_out(acc[g], erx_load_i16x16(x + g * LANES32), head);
        __m512i second = read_out(acc[g + 1], erx_load_i16x16(x + (g + 1) * LANES32), head);
        _mm512_storeu_si512(y + g * LANES32, sat16x32(first, second));
    }
}

/* The last 16 channels of a head whose width is an odd multiple of 16. */
static void scan_half(const head_t *head, const erx_conv_out_t *in, const int16_t *x, int16_t *h,
                      int16_t *y)
{
    __m512i inputs = erx_load_i16x16(x);
    __m512i dtx = scaled_input(inputs, head), unused = dtx;
    __m512i acc = _mm512_setzero_si512();
    doubled_sat16(&dtx, &unused);
    for (uint32_t n = 0; n < head->pairs; n++, h += head->pair_stride) {
        int32_t b, c;
        memcpy(&b, in->B + 2 * n, sizeof b);
        memcpy(&c, in->C + 2 * n, sizeof c);
        __m512i old = _mm512_mulhrs_epi16(load(h), head->Abar);
        __m512i value = _mm512_adds_epi16(old, _mm512_mulhrs_epi16(dtx, _mm512_set1_epi32(b)));
        _mm512_storeu_si512(h, value);
        acc = _mm512_dpwssd_epi32(acc, value, _mm512_set1_epi32(c));
    }
    _mm256_storeu_si256((__m256i *)(void *)y, erx_sat16x16(read_out(acc, inputs, head)));
}

static void scan_head(const head_t *head, uint32_t P, const erx_conv_out_t *in, const int16_t *x,
                      int16_t *h, int16_t *y)
{
    uint32_t p = 0;
    for (; p + 4 * LANES32 <= P; p += 4 * LANES32)
        scan_channels(2, head, in, x + p, h + (size_t)p * 2, y + p);
    for (; p + 2 * LANES32 <= P; p += 2 * LANES32)
        scan_channels(1, head, in, x + p, h + (size_t)p * 2, y + p);
    if (p < P)
        scan_half(head, in, x + p, h + (size_t)p * 2, y + p);
}

static void scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                 const erx_conv_out_t *in, int16_t *h, int16_t *y)
{
    uint32_t P = image->shape.head_dim;
    uint32_t N = image->shape.d_state;
    erx_decays_t decays;
    erx_avx512vnni_decay(layer, image->shape.head_count, dt, &decays);
    for (uint32_t index = 0; index < image->shape.head_count; index++) {
        const head_t head = {
            .Abar = _mm512_set1_epi16((int16_t)decays.Abar[index]),
            .Km = _mm512_set1_epi32(decays.Km[index]),
            .Km_round = _mm512_set1_epi32(1 << (decays.ns[index] - 1)),
            .ns = _mm_cvtsi32_si128(decays.ns[index]),
            .my = _mm512_set1_epi32(layer->my[index]),
            .mD = _mm512_set1_epi32(layer->mD[index]),
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
    const __m512i round = _mm512_set1_epi32(128);
    const sigmoid_t sigmoid = sigmoid_start(fz);
    for (uint32_t i = 0; i < n; i += LANES16) {
        __m512i g = silu(load(z + i), &sigmoid);
        __m512i low = _mm512_madd_epi16(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(g)),
                                        erx_load_i16x16(y + i));
        __m512i high = _mm512_madd_epi16(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(g, 1)),
                                         erx_load_i16x16(y + i + LANES32));
        _mm512_storeu_si512(pg + i, _mm512_srai_epi32(_mm512_add_epi32(low, round), 8));
        _mm512_storeu_si512(pg + i + LANES32, _mm512_srai_epi32(_mm512_add_epi32(high, round), 8));
    }
}

static void head_hidden(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                        int16_t *hidden)
{
    erx_vector_root_t root = erx_vector_root(x, image->shape.d_model, image->eps1);
    erx_shift64_t shift = erx_shift64(image->control.shift);
    __m512i round = _mm512_set1_epi32(1 << (image->Gf_s - 1));
    for (uint32_t o = 0; o < image->shape.d_model; o += LANES32) {
        __m512i t =
            _mm512_madd_epi16(erx_normalize16(x + o, root), erx_load_low16x16(image->Gf + o));
        t = _mm512_sra_epi32(_mm512_add_epi32(t, round), _mm_cvtsi32_si128(image->Gf_s));
        __m512i sum =
            _mm512_add_epi32(erx_clamp16(t, 32767), pair_rows(&image->control, o, controls, shift));
        _mm256_storeu_si256((__m256i *)(void *)(hidden + o), erx_sat16x16(sum));
    }
}

static void regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions)
{
    uint32_t d = image->shape.d_model;
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++) {
        const int16_t *row = image->Wr + (size_t)r * d;
        __m512i sum = _mm512_setzero_si512();
        for (uint32_t o = 0; o < d; o += LANES16) {
            /* Two products of 15-bit magnitudes fit 32 bits; their sum over a row does not. */
            __m512i pairs = _mm512_madd_epi16(load(row + o), load(hidden + o));
            sum = _mm512_add_epi64(sum, _mm512_cvtepi32_epi64(_mm512_castsi512_si256(pairs)));
            sum = _mm512_add_epi64(sum, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(pairs, 1)));
        }
        int64_t scaled = _mm512_reduce_add_epi64(sum) * image->Wr_m[r];
        regressions[r] = (int32_t)(erx_round_shift(scaled, image->Wr_s[r]) + image->br[r]);
    }
}

static int32_t head_quantize(const erx_image_t *image, const int16_t *hidden, uint8_t *activation)
{
    alignas(64) int32_t t[ERX_D_MODEL_MAX];
    uint32_t d = image->shape.d_model;
    return quantize(t, d, erx_gain_all(hidden, d, image->Gh, t), image->Gh_s, activation);
}

static uint32_t argmax(const int32_t *values, uint32_t count)
{
    __m512i best = _mm512_set1_epi32(INT32_MIN);
    for (uint32_t i = 0; i < count; i += LANES32) {
        uint32_t left = count - i;
        __mmask16 mask = left >= LANES32 ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        best = _mm512_mask_max_epi32(best, mask, best, _mm512_maskz_loadu_epi32(mask, values + i));
    }
    int32_t greatest = _mm512_reduce_max_epi32(best);
    uint32_t index = 0;
    while (values[index] != greatest)
        index++;
    return index;
}

/* What does not depend on the width of activations. */
#define SHARED_OPERATIONS                                                                          \
    .name = "avx512vnni", .panel_bytes = erx_avx512vnni_panel_bytes,                               \
    .panel_pack = erx_avx512vnni_panel_pack, .matvec = erx_avx512vnni_matvec, .embed = embed,      \
    .conv = conv, .scan = scan, .gate = gate, .head_hidden = head_hidden, .regress = regress,      \
    .argmax = argmax

static const erx_kernel_t avx512vnni_wide = {
    SHARED_OPERATIONS,
    .activation_bytes = 2,
    .activation_pack_wide = erx_avx512vnni_activation_pack_wide,
    .gemm = erx_avx512vnni_gemm_wide,
    .norm = erx_avx512vnni_norm_wide,
    .head_quantize = erx_avx512vnni_head_quantize_wide,
};

const erx_kernel_t erx_kernel_avx512vnni = {
    SHARED_OPERATIONS,
    .wide = &avx512vnni_wide,
    .activation_bytes = 1,
    .activation_pack = erx_avx512vnni_activation_pack,
    .gemm = erx_avx512vnni_gemm,
    .norm = norm,
    .head_quantize = head_quantize,
};
