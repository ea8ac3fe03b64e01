/* NUMERICS 3 to 6, one function a section, one value at a time. */
#include "kernels/decay.h"
#include "kernels/ref/ref.h"
#include "kernels/requant.h"
#include "kernels/silu.h"

/* RQ(sum_j W[row][j] * input[j]) of a pair matrix. */
static int64_t pair_row(const erx_pair_matrix_t *matrix, uint32_t row, const int16_t *input)
{
    int32_t sum = 0;
    for (uint32_t pair = 0; pair < matrix->pair_count; pair++) {
        const int16_t *w = matrix->pairs + ((size_t)pair * matrix->rows + row) * 2;
        sum += w[0] * input[2 * pair] + w[1] * input[2 * pair + 1];
    }
    return erx_requantize(sum, matrix->multiplier[row], matrix->shift);
}

void erx_ref_embed(const erx_image_t *image, const int16_t *features, const uint16_t *categories,
                   int32_t *x)
{
    uint32_t d = image->shape.d_model;
    for (uint32_t o = 0; o < d; o++) {
        int64_t sum = pair_row(&image->embed, o, features) + image->embed.bias[o];
        for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
            sum += (int64_t)image->T[k][(size_t)categories[k] * d + o] * (1 << image->T_sh);
        x[o] = (int32_t)erx_clamp64(sum, -ERX_RESIDUAL_MAX, ERX_RESIDUAL_MAX);
    }
}

/* 4.1: the reciprocal root of a whole vector ... */
static erx_root_t vector_root(const int32_t *v, uint32_t n, int64_t eps)
{
    uint64_t ss = (uint64_t)eps;
    for (uint32_t i = 0; i < n; i++)
        ss += (uint64_t)((int64_t)v[i] * v[i]);
    return erx_reciprocal_root(ss);
}

/* ... and one normalized value. */
static int16_t normalize(int32_t v, erx_root_t root)
{
    return erx_sat16(erx_round_shift(v * root.r, 16 + root.k));
}

static int32_t greatest_of(const int32_t *t, uint32_t n)
{
    int32_t greatest = 0;
    for (uint32_t i = 0; i < n; i++)
        greatest = ERX_MAX(greatest, t[i] < 0 ? -t[i] : t[i]);
    return greatest;
}

/* 4.2 for i8 activations. */
static int32_t quantize(const int32_t *t, uint32_t n, int32_t gain_shift, uint8_t *activation)
{
    int32_t exponent = erx_block_exponent(greatest_of(t, n), gain_shift);
    for (uint32_t i = 0; i < n; i++)
        activation[i] = (uint8_t)erx_sat8(erx_round_shift(t[i], gain_shift + exponent));
    return exponent;
}

/* 13: the same for 14 bits. */
static int32_t quantize_wide(const int32_t *t, uint32_t n, int32_t gain_shift, uint8_t *activation)
{
    int16_t values[2 * ERX_D_MODEL_MAX];
    int32_t exponent = erx_block_exponent_wide(greatest_of(t, n), gain_shift);
    for (uint32_t i = 0; i < n; i++)
        values[i] = (int16_t)erx_clamp64(erx_round_shift(t[i], gain_shift + exponent),
                                         -ERX_ACTIVATION_WIDE_MAX, ERX_ACTIVATION_WIDE_MAX);
    erx_ref_activation_pack_wide(activation, values, n);
    return exponent;
}

/* 4.2: t of a whole vector. */
static void normalize_all(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                          int32_t *t)
{
    erx_root_t root = vector_root(v, n, eps);
    for (uint32_t i = 0; i < n; i++)
        t[i] = normalize(v[i], root) * gain[i];
}

int32_t erx_ref_norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                     int32_t gain_shift, uint8_t *activation)
{
    int32_t t[2 * ERX_D_MODEL_MAX];
    normalize_all(v, n, eps, gain, t);
    return quantize(t, n, gain_shift, activation);
}

static int32_t norm_wide(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                         int32_t gain_shift, uint8_t *activation)
{
    int32_t t[2 * ERX_D_MODEL_MAX];
    normalize_all(v, n, eps, gain, t);
    return quantize_wide(t, n, gain_shift, activation);
}

/* The convolution of one channel, before SiLU; moves c into the state. */
static int16_t conv_channel(const erx_layer_t *layer, uint32_t channels, uint32_t channel,
                            int16_t c, int16_t *state)
{
    size_t plane = ERX_ALIGN_UP((size_t)channels, ERX_PANEL_ROWS) * 2;
    const int16_t *old = layer->taps + channel * 2;
    const int16_t *recent = old + plane;
    int16_t *oldest = state + channel;
    int32_t acc = oldest[0] * old[0] + oldest[channels] * old[1] +
                  oldest[2 * channels] * recent[0] + c * recent[1];
    oldest[0] = oldest[channels];
    oldest[channels] = oldest[2 * channels];
    oldest[2 * channels] = c;
    return erx_sat16((int64_t)erx_requantize(acc, layer->Wc_m[channel], layer->Wc_s) +
                     layer->bc[channel]);
}

void erx_ref_conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                  int16_t *state, const erx_conv_out_t *out)
{
    uint32_t di = image->shape.d_inner;
    uint32_t N = image->shape.d_state;
    uint32_t channels = erx_shape_conv_dim(&image->shape);
    for (uint32_t channel = 0; channel < channels; channel++) {
        int16_t v = conv_channel(layer, channels, channel, c[channel], state);
        int16_t w = erx_silu(v, layer->fx);
        if (channel < di)
            out->x[channel] = w;
        else if (channel < di + N)
            out->B[channel - di] = erx_sat16(w * (1 << layer->kb));
        else
            out->C[channel - di - N] =
                (int16_t)erx_clamp64(erx_round_shift(w, layer->kc), -image->Cmax, image->Cmax);
    }
}

/* 5.6 for one channel p of a head: h points at [0][p][0] of the head. */
static int32_t update_channel(int16_t *h, uint32_t P, uint32_t N, int16_t Abar, int16_t dtx,
                              const int16_t *B, const int16_t *C)
{
    int32_t acc = 0;
    for (uint32_t n = 0; n < N; n++) {
        int16_t *value = h + (size_t)(n / 2) * P * 2 + n % 2;
        int32_t sum = erx_mulhrs(*value, Abar) + erx_mulhrs(dtx, B[n]);
        *value = (int16_t)erx_clamp(sum, -32768, 32767);
        acc += *value * C[n];
    }
    return acc;
}

void erx_ref_scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                  const erx_conv_out_t *in, int16_t *h, int16_t *y)
{
    uint32_t P = image->shape.head_dim;
    uint32_t N = image->shape.d_state;
    for (uint32_t head = 0; head < image->shape.head_count; head++) {
        erx_decay_t decay = erx_decay(layer, head, dt[head]);
        for (uint32_t p = 0; p < P; p++) {
            uint32_t channel = head * P + p;
            int16_t x = in->x[channel];
            int16_t dtx = erx_sat16(erx_round_shift(x * decay.Km, decay.ns));
            int16_t *state = h + (size_t)head * N * P + (size_t)p * 2;
            int64_t acc = update_channel(state, P, N, decay.Abar, dtx, in->B, in->C);
            int64_t sum = acc * layer->my[head] + (int64_t)x * layer->mD[head];
            y[channel] = erx_sat16(erx_round_shift(sum, layer->y_s));
        }
    }
}

void erx_ref_gate(const int16_t *y, const int16_t *z, int32_t fz, uint32_t n, int32_t *pg)
{
    for (uint32_t i = 0; i < n; i++)
        pg[i] = (int32_t)erx_round_shift(y[i] * erx_silu(z[i], fz), 8);
}

void erx_ref_head_hidden(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                         int16_t *hidden)
{
    erx_root_t root = vector_root(x, image->shape.d_model, image->eps1);
    for (uint32_t o = 0; o < image->shape.d_model; o++) {
        int32_t t = normalize(x[o], root) * image->Gf[o];
        int16_t hn = erx_sat16(erx_round_shift(t, image->Gf_s));
        hidden[o] = erx_sat16(hn + pair_row(&image->control, o, controls) + image->control.bias[o]);
    }
}

void erx_ref_regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions)
{
    uint32_t d = image->shape.d_model;
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++) {
        int64_t sum = 0;
        for (uint32_t o = 0; o < d; o++)
            sum += image->Wr[(size_t)r * d + o] * hidden[o];
        regressions[r] =
            (int32_t)(erx_round_shift(sum * image->Wr_m[r], image->Wr_s[r]) + image->br[r]);
    }
}

/* 4.3: t of the heads' input. */
static void gain_hidden(const erx_image_t *image, const int16_t *hidden, int32_t *t)
{
    for (uint32_t i = 0; i < image->shape.d_model; i++)
        t[i] = hidden[i] * image->Gh[i];
}

int32_t erx_ref_head_quantize(const erx_image_t *image, const int16_t *hidden, uint8_t *activation)
{
    int32_t t[ERX_D_MODEL_MAX];
    gain_hidden(image, hidden, t);
    return quantize(t, image->shape.d_model, image->Gh_s, activation);
}

static int32_t head_quantize_wide(const erx_image_t *image, const int16_t *hidden,
                                  uint8_t *activation)
{
    int32_t t[ERX_D_MODEL_MAX];
    gain_hidden(image, hidden, t);
    return quantize_wide(t, image->shape.d_model, image->Gh_s, activation);
}

uint32_t erx_ref_argmax(const int32_t *values, uint32_t count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* What does not depend on the width of activations. */
#define SHARED_OPERATIONS                                                                          \
    .name = "scalar", .panel_bytes = erx_ref_panel_bytes, .panel_pack = erx_ref_panel_pack,        \
    .matvec = erx_ref_matvec, .embed = erx_ref_embed, .conv = erx_ref_conv, .scan = erx_ref_scan,  \
    .gate = erx_ref_gate, .head_hidden = erx_ref_head_hidden, .regress = erx_ref_regress,          \
    .argmax = erx_ref_argmax

static const erx_kernel_t scalar_wide = {
    SHARED_OPERATIONS,
    .activation_bytes = sizeof(int16_t),
    .activation_pack_wide = erx_ref_activation_pack_wide,
    .gemm = erx_ref_gemm_wide,
    .norm = norm_wide,
    .head_quantize = head_quantize_wide,
};

const erx_kernel_t erx_kernel_scalar = {
    SHARED_OPERATIONS,
    .wide = &scalar_wide,
    .activation_bytes = 1,
    .activation_pack = erx_ref_activation_pack,
    .gemm = erx_ref_gemm,
    .norm = erx_ref_norm,
    .head_quantize = erx_ref_head_quantize,
};
