/* Calibration of random models: run, measure, correct, again. A correction of
 * one layer changes what the later ones see, so a few passes are needed; each
 * brings every quantity near the size that synth.h names. */
#include "tools/probe.h"
#include "tools/synth.h"

#include <math.h>

#define LANES        8u
#define FIND_PASSES  6u /* bring everything to size, up or down ... */
#define FIND_FRAMES  200u
#define LIMIT_PASSES 2u /* ... then only make smaller what grew too large in longer games */
#define LIMIT_FRAMES 480u
#define RATIO_MAX    8.0 /* of one correction, and its inverse */
#define FULL16       32767.0
#define LIMIT_TOP    0.85 /* of full scale, while limiting */
#define WR_M_LEAST   (1 << 21)

typedef struct {
    erx_model_draft_t *draft;
    const erx_probe_t *probe;
    uint32_t layer;
    bool limit; /* shrink only */
} correction_t;

static int32_t nearest(double value)
{
    return (int32_t)(value < 0 ? value - 0.5 : value + 0.5);
}

/* Factor from measured to wanted, bounded; 1 where nothing was measured. */
static double ratio_to(double wanted, double measured)
{
    double ratio = measured > 0 ? wanted / measured : 1;
    return fmin(fmax(ratio, 1 / RATIO_MAX), RATIO_MAX);
}

static int32_t scaled(int32_t value, double ratio)
{
    double result = value * ratio;
    return nearest(fmin(fmax(result, -INT32_MAX), INT32_MAX));
}

static void scale_all(int32_t *values, uint32_t count, double ratio)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = scaled(values[i], ratio);
}

/* Brings the mean block exponent to 0. */
static void correct_gains(int16_t *gains, uint32_t count, const erx_exponents_t *exponents)
{
    double mean = erx_exponents_mean(exponents);
    /* 2^-mean, linear between whole numbers: exact arithmetic only. */
    double whole = floor(mean);
    double ratio = ldexp(1 - (mean - whole) / 2, -(int)whole);
    for (uint32_t i = 0; i < count; i++)
        gains[i] = (int16_t)nearest(fmin(gains[i] * ratio, 32767));
}

/* Root mean square of all that the gauges saw. One scale for all channels of a
 * kind: a channel alone has seen too few sessions to be judged. */
static double merged_rms(const erx_gauge_t *gauges, uint32_t count)
{
    erx_gauge_t all = {0};
    for (uint32_t i = 0; i < count; i++)
        erx_gauge_merge(&all, &gauges[i]);
    return erx_gauge_rms(&all);
}

static double mean_deviation(const erx_gauge_t *gauges, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += erx_gauge_deviation(&gauges[i]);
    return sum / count;
}

static void correct_embedding(erx_model_draft_t *draft, const erx_probe_t *probe)
{
    int32_t *bf = erx_model_draft_global(draft, "bf");
    int32_t *bctl = erx_model_draft_global(draft, "bctl");
    for (uint32_t o = 0; o < probe->shape.d_model; o++) {
        bf[o] -= nearest(erx_gauge_mean(&probe->embedding[o]));
        bctl[o] -= nearest(erx_gauge_mean(&probe->hidden[o]));
    }
}

static void correct_projection(const correction_t *at)
{
    const erx_shape_t *shape = &at->probe->shape;
    const erx_probe_layer_t *seen = &at->probe->layers[at->layer];
    int32_t *Win_m = erx_model_draft_layer(at->draft, at->layer, "Win_m");
    scale_all(Win_m, shape->d_inner, ratio_to(ERX_SYNTH_Z, erx_gauge_rms(&seen->z)));
    uint32_t channels = erx_shape_conv_dim(shape);
    scale_all(Win_m + shape->d_inner, channels,
              ratio_to(ERX_SYNTH_C, merged_rms(seen->c, channels)));
    scale_all(Win_m + shape->d_inner + channels, shape->head_count,
              ratio_to(ERX_SYNTH_DT, erx_gauge_rms(&seen->dt)));
}

/* Factor that brings what was seen to a size, unless its largest value would
 * then pass ERX_SYNTH_TOP of full. While limiting it only ever shrinks, and
 * only what came close to full. */
static double fitting_ratio(const correction_t *at, const erx_gauge_t *seen, double size,
                            double full)
{
    double top = (double)seen->greatest;
    if (at->limit)
        return fmin(ratio_to(LIMIT_TOP * full, top), 1);
    return fmin(ratio_to(size, erx_gauge_rms(seen)), ratio_to(ERX_SYNTH_TOP * full, top));
}

/* B and C are few channels that meet every state, so each is brought to size;
 * their shifts put 8.0 at full scale, as v has it. */
static void correct_convolution(const correction_t *at)
{
    const erx_probe_layer_t *seen = &at->probe->layers[at->layer];
    uint32_t channels = erx_shape_conv_dim(&at->probe->shape);
    int32_t *Wc_m = erx_model_draft_layer(at->draft, at->layer, "Wc_m");
    for (uint32_t i = 0; i < channels; i++)
        Wc_m[i] = scaled(Wc_m[i], fitting_ratio(at, &seen->v[i], ERX_SYNTH_V, ERX_SYNTH_V_FULL));
}

static void correct_scan(const correction_t *at)
{
    const erx_probe_layer_t *seen = &at->probe->layers[at->layer];
    int32_t *md = erx_model_draft_layer(at->draft, at->layer, "md");
    int32_t *my = erx_model_draft_layer(at->draft, at->layer, "my");
    int32_t *mD = erx_model_draft_layer(at->draft, at->layer, "mD");
    for (uint32_t head = 0; head < at->probe->shape.head_count; head++) {
        double push = fitting_ratio(at, &seen->push[head], FULL16, FULL16);
        double state = fitting_ratio(at, &seen->h[head], ERX_SYNTH_H, FULL16);
        double ratio = fitting_ratio(at, &seen->y[head], ERX_SYNTH_Y, FULL16);
        md[head] = scaled(md[head], fmin(push, state));
        my[head] = scaled(my[head], ratio);
        mD[head] = scaled(mD[head], ratio);
    }
}

static void correct_layer(const correction_t *at)
{
    const erx_shape_t *shape = &at->probe->shape;
    const erx_probe_layer_t *seen = &at->probe->layers[at->layer];
    correct_gains(erx_model_draft_layer(at->draft, at->layer, "G1"), shape->d_model, &seen->in);
    correct_gains(erx_model_draft_layer(at->draft, at->layer, "G2"), shape->d_inner, &seen->out);
    correct_projection(at);
    correct_convolution(at);
    correct_scan(at);
    scale_all(erx_model_draft_layer(at->draft, at->layer, "Wo_m"), shape->d_model,
              ratio_to(ERX_SYNTH_STEP, erx_gauge_rms(&seen->step)));
}

/* What a regression row should say: mean and deviation, in units of Q16. */
typedef struct {
    double mean, deviation;
} say_t;

static say_t regression_wanted(uint32_t row)
{
    static const say_t moved[] = {{0.02, 0.05}, {0, 0.5}, {0, 0.5}, {0, 0.1}}; /* %, x, y, shield */
    static const say_t replaced[] = {{1, 2}, {3, 0.5}, {1, 1}}; /* hitlag, stocks, combo */
    if (row < 8)
        return moved[row % 4];
    if (row < 14)
        return (say_t){0, 1}; /* a bit: both values are equally likely */
    if (row < 24)
        return (say_t){0, 0.2}; /* change of speed */
    return replaced[(row - 24) % 3];
}

static void correct_regressions(erx_model_draft_t *draft, const erx_probe_t *probe)
{
    int32_t *Wr_m = erx_model_draft_global(draft, "Wr_m");
    int32_t *Wr_s = erx_model_draft_global(draft, "Wr_s");
    int32_t *br = erx_model_draft_global(draft, "br");
    for (uint32_t row = 0; row < ERX_REGRESSIONS; row++) {
        const erx_gauge_t *seen = &probe->regressions[row];
        say_t wanted = regression_wanted(row);
        double ratio = ratio_to(wanted.deviation * 65536, erx_gauge_deviation(seen));
        double centre = erx_gauge_mean(seen) - br[row];
        double multiplier = Wr_m[row] * ratio;
        for (; multiplier >= 2 * WR_M_LEAST; multiplier /= 2)
            Wr_s[row]--;
        for (; multiplier < WR_M_LEAST; multiplier *= 2)
            Wr_s[row]++;
        Wr_m[row] = nearest(multiplier);
        br[row] = nearest(wanted.mean * 65536 - centre * ratio);
    }
}

/* Every class of a head wins now and then: rows are centred. */
static void correct_logits(erx_model_draft_t *draft, const erx_probe_t *probe)
{
    int32_t *Wl_m = erx_model_draft_global(draft, "Wl_m");
    int32_t *bl = erx_model_draft_global(draft, "bl");
    double ratio = ratio_to(ERX_SYNTH_LOGIT, mean_deviation(probe->logits, ERX_LOGITS));
    scale_all(Wl_m, ERX_LOGITS, ratio);
    for (uint32_t row = 0; row < ERX_LOGITS; row++)
        bl[row] = nearest((bl[row] - erx_gauge_mean(&probe->logits[row])) * ratio);
}

static void correct(erx_model_draft_t *draft, const erx_probe_t *probe, bool limit)
{
    correct_embedding(draft, probe);
    for (uint32_t l = 0; l < probe->shape.layer_count; l++) {
        const correction_t at = {.draft = draft, .probe = probe, .layer = l, .limit = limit};
        correct_layer(&at);
    }
    correct_gains(erx_model_draft_global(draft, "Gh"), probe->shape.d_model, &probe->heads);
    correct_regressions(draft, probe);
    correct_logits(draft, probe);
}

uint64_t erx_synth_work(void)
{
    return FIND_PASSES * FIND_FRAMES + LIMIT_PASSES * LIMIT_FRAMES;
}

erx_status_t erx_synth_calibrate(erx_model_draft_t *draft, uint64_t seed, erx_progress_t *progress,
                                 erx_error_t *error)
{
    uint64_t done = 0;
    for (uint32_t pass = 0; pass < FIND_PASSES + LIMIT_PASSES; pass++) {
        bool limit = pass >= FIND_PASSES;
        uint32_t frames = limit ? LIMIT_FRAMES : FIND_FRAMES;
        erx_probe_t probe;
        erx_status_t status = erx_model_draft_seal(draft, error);
        if (status == ERX_OK)
            status = erx_probe_run(draft, seed + pass, LANES, frames, &probe, error);
        if (status != ERX_OK)
            return status;
        correct(draft, &probe, limit);
        erx_probe_close(&probe);
        done += frames;
        erx_progress_update(progress, done);
    }
    return erx_model_draft_seal(draft, error);
}
