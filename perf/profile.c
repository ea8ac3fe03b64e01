#include "perf/profile.h"

#include <string.h>

#include "sched/clock.h"

enum {
    OP_EMBED,
    OP_NORM,
    OP_PROJECT,
    OP_CONV,
    OP_SCAN,
    OP_GATE,
    OP_OUTPUT,
    OP_HEAD_HIDDEN,
    OP_REGRESS,
    OP_LOGITS,
    OP_ARGMAX
};

static const char *const names[ERX_PROFILE_OPERATIONS] = {
    "embedding", "norms",        "in_proj",     "convolution", "scan",  "gate",
    "out_proj",  "final hidden", "regressions", "logits",      "argmax"};

static const erx_kernel_t *inner;
static erx_kernel_t wrapped;
static erx_profile_entry_t entries[ERX_PROFILE_OPERATIONS];

uint64_t erx_profile_ticks(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return erx_clock_now();
#endif
}

static void count(uint32_t operation, uint64_t begin)
{
    entries[operation].ticks += erx_profile_ticks() - begin;
    entries[operation].calls++;
}

static void profile_gemm(const erx_gemm_t *call)
{
    uint64_t begin = erx_profile_ticks();
    inner->gemm(call);
    count(call->kind == ERX_GEMM_PROJECT    ? OP_PROJECT
          : call->kind == ERX_GEMM_RESIDUAL ? OP_OUTPUT
                                            : OP_LOGITS,
          begin);
}

static void profile_embed(const erx_image_t *image, const int16_t *features,
                          const uint16_t *categories, int32_t *x)
{
    uint64_t begin = erx_profile_ticks();
    inner->embed(image, features, categories, x);
    count(OP_EMBED, begin);
}

static int32_t profile_norm(const int32_t *v, uint32_t n, int64_t eps, const int16_t *gain,
                            int32_t gain_shift, uint8_t *activation)
{
    uint64_t begin = erx_profile_ticks();
    int32_t exponent = inner->norm(v, n, eps, gain, gain_shift, activation);
    count(OP_NORM, begin);
    return exponent;
}

static void profile_conv(const erx_image_t *image, const erx_layer_t *layer, const int16_t *c,
                         int16_t *state, const erx_conv_out_t *out)
{
    uint64_t begin = erx_profile_ticks();
    inner->conv(image, layer, c, state, out);
    count(OP_CONV, begin);
}

static void profile_scan(const erx_image_t *image, const erx_layer_t *layer, const int32_t *dt,
                         const erx_conv_out_t *in, int16_t *h, int16_t *y)
{
    uint64_t begin = erx_profile_ticks();
    inner->scan(image, layer, dt, in, h, y);
    count(OP_SCAN, begin);
}

static void profile_gate(const int16_t *y, const int16_t *z, int32_t fz, uint32_t n, int32_t *pg)
{
    uint64_t begin = erx_profile_ticks();
    inner->gate(y, z, fz, n, pg);
    count(OP_GATE, begin);
}

static void profile_head_hidden(const erx_image_t *image, const int32_t *x, const int16_t *controls,
                                int16_t *hidden)
{
    uint64_t begin = erx_profile_ticks();
    inner->head_hidden(image, x, controls, hidden);
    count(OP_HEAD_HIDDEN, begin);
}

static void profile_regress(const erx_image_t *image, const int16_t *hidden, int32_t *regressions)
{
    uint64_t begin = erx_profile_ticks();
    inner->regress(image, hidden, regressions);
    count(OP_REGRESS, begin);
}

static int32_t profile_head_quantize(const erx_image_t *image, const int16_t *hidden,
                                     uint8_t *activation)
{
    uint64_t begin = erx_profile_ticks();
    int32_t exponent = inner->head_quantize(image, hidden, activation);
    count(OP_NORM, begin);
    return exponent;
}

static uint32_t profile_argmax(const int32_t *values, uint32_t value_count)
{
    uint64_t begin = erx_profile_ticks();
    uint32_t index = inner->argmax(values, value_count);
    count(OP_ARGMAX, begin);
    return index;
}

const erx_kernel_t *erx_profile_wrap(const erx_kernel_t *kernel)
{
    memset(entries, 0, sizeof entries);
    for (uint32_t i = 0; i < ERX_PROFILE_OPERATIONS; i++)
        entries[i].name = names[i];
    inner = kernel;
    wrapped = *kernel;
    wrapped.gemm = profile_gemm;
    wrapped.embed = profile_embed;
    wrapped.norm = profile_norm;
    wrapped.conv = profile_conv;
    wrapped.scan = profile_scan;
    wrapped.gate = profile_gate;
    wrapped.head_hidden = profile_head_hidden;
    wrapped.regress = profile_regress;
    wrapped.head_quantize = profile_head_quantize;
    wrapped.argmax = profile_argmax;
    return &wrapped;
}

const erx_profile_entry_t *erx_profile_entries(void)
{
    return entries;
}
