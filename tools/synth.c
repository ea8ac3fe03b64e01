#include "tools/synth.h"

#include "kernels/world.h"
#include "tools/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX     127
#define WEIGHT_SPREAD  73.6  /* of uniform i8 weights */
#define ACTIVATION     34.0  /* usual size of a normed 8-bit activation */
#define TOP_OF_GAUSS   3.2   /* largest of some hundred values, in deviations */
#define TOP_OF_PRODUCT 8.0   /* the same of gated products, which have long tails */
#define FILLED         101.6 /* 80 % of 127: where the largest activation belongs, in 8 bits */
#define Q15            32768.0
#define GAIN_LEAST     0.6     /* gains spread around their mean by this factor ... */
#define GAIN_MOST      1.4     /* ... to this one */
#define GAIN_ROOM      16000.0 /* leaves calibration a factor of two below 2^15 */
#define ROW_SUM_MAX    65000   /* NUMERICS 3: sum |Wf| <= 65535 */
#define FULL_WEIGHT    700     /* weights of features that span an i16 ... */
#define SMALL_WEIGHT   2800    /* ... and of those that use a small part of it */
#define PLACE_WEIGHT   9000
#define EPSILON        1e-5
#define LOG2_E         94548 /* log2(e) in Q16 */

/* Requantization shifts: as large as the multipliers of any shape allow. */
#define WF_SHIFT   32
#define WCTL_SHIFT 32
#define WIN_SHIFT  28
#define WC_SHIFT   32
#define WO_SHIFT   28
#define WL_SHIFT   26
#define Y_SHIFT    28

#define STATE_BITS 15 /* B and C fill an i16 and Cmax where w is 8.0 */

/* Inputs of the judge: calibration counts up from the seed, these are far off. */
#define HEALTH_SEED_OFFSET UINT64_C(1000003)

typedef struct {
    erx_model_draft_t *draft;
    const erx_shape_t *shape;
    double filled, activation; /* FILLED and ACTIVATION in the profile's bits */
    erx_random_t random;
} maker_t;

static int32_t nearest(double value)
{
    return (int32_t)(value < 0 ? value - 0.5 : value + 0.5);
}

static double uniform(erx_random_t *random, double low, double high)
{
    return low + (high - low) * ((double)(erx_random_next(random) >> 11) / 9007199254740992.0);
}

static void fill_i8(erx_random_t *random, int8_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (int8_t)erx_random_between(random, -WEIGHT_MAX, WEIGHT_MAX);
}

static void fill_i16(erx_random_t *random, int16_t *values, size_t count, int32_t greatest)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (int16_t)erx_random_between(random, -greatest, greatest);
}

static void fill_same(int32_t *values, size_t count, int32_t value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static int32_t floor_log2(double value)
{
    int exponent = 0;
    (void)frexp(value, &exponent);
    return exponent - 1;
}

/* Gains around mean; returns their shift. */
static int32_t fill_gains(erx_random_t *random, int16_t *gains, uint32_t count, double mean)
{
    int32_t shift = floor_log2(GAIN_ROOM / (GAIN_MOST * mean));
    for (uint32_t i = 0; i < count; i++)
        gains[i] = (int16_t)nearest(ldexp(mean * uniform(random, GAIN_LEAST, GAIN_MOST), shift));
    return shift;
}

/* Mean gain that puts the largest of n normed values, top deviations out, where
 * it belongs at block exponent 0. */
static double norm_gain(const maker_t *maker, uint32_t n, double top)
{
    return maker->filled / (top * Q15 / sqrt(n));
}

/* Keeps the accumulator of a row inside i32. */
static void limit_row(int16_t *row, uint32_t columns)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < columns; i++)
        sum += abs(row[i]);
    for (uint32_t i = 0; i < columns && sum > ROW_SUM_MAX; i++)
        row[i] = (int16_t)((int64_t)row[i] * ROW_SUM_MAX / sum);
}

/* Greatest weight of a player's feature: more for values that use a small part
 * of their range, most for the place, which must be felt to be held. */
static int32_t feature_weight(uint32_t feature)
{
    if (feature == ERX_S_X || feature == ERX_S_Y)
        return PLACE_WEIGHT;
    bool wide = feature >= ERX_CONTINUOUS || feature == ERX_S_SHIELD ||
                feature == ERX_S_STATE_AGE || feature == ERX_S_STOCKS;
    return wide ? FULL_WEIGHT : SMALL_WEIGHT;
}

static void make_embedding(maker_t *maker)
{
    static const int32_t limits[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                                   60,  60,  1023, 50, 4,  50};
    const uint32_t d = maker->shape->d_model;
    int16_t *Wf = erx_model_draft_global(maker->draft, "Wf");
    for (uint32_t o = 0; o < d; o++) {
        int16_t *row = Wf + (size_t)o * ERX_FEATURES;
        for (uint32_t j = 0; j < ERX_FEATURES; j++) {
            fill_i16(&maker->random, row + j, 1, feature_weight(j % (ERX_FEATURES / 2)));
        }
        limit_row(row, ERX_FEATURES);
    }
    /* A row's sum moves by about 4e7; wanted: 12000, three quarters in Q14. */
    fill_same(erx_model_draft_global(maker->draft, "Wf_m"), d,
              nearest(ldexp(12000.0 / 4e7, WF_SHIFT)));
    int32_t *fm = erx_model_draft_global(maker->draft, "fm");
    for (uint32_t i = 0; i < ERX_CONTINUOUS; i++)
        fm[i] = (256 * 32000 + limits[i] / 2) / limits[i];
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        char name[ERX_TENSOR_NAME_MAX];
        (void)snprintf(name, sizeof name, "T.%u", k);
        /* What a player does matters more than who plays, and where. */
        bool action = k == 0 || k == ERX_CATEGORICALS / 2;
        fill_i16(&maker->random, erx_model_draft_global(maker->draft, name),
                 (size_t)erx_category_counts[k] * d, action ? 20000 : 5000);
    }
}

static int32_t make_control(maker_t *maker)
{
    const uint32_t d = maker->shape->d_model;
    int16_t *Wctl = erx_model_draft_global(maker->draft, "Wctl");
    for (uint32_t o = 0; o < d; o++) {
        fill_i16(&maker->random, Wctl + (size_t)o * ERX_CONTROLS, ERX_CONTROLS, 4000);
        limit_row(Wctl + (size_t)o * ERX_CONTROLS, ERX_CONTROLS);
    }
    /* A row's sum moves by about 5e7; wanted: half of what the network says. */
    fill_same(erx_model_draft_global(maker->draft, "Wctl_m"), d,
              nearest(ldexp(2000.0 / 5e7, WCTL_SHIFT)));
    return WCTL_SHIFT;
}

/* Feature that shows the network the value which a regression row adds to; -1
 * where the row replaces its value. Rows are percent, x, y, shield of both
 * players from 0, five speeds of both from 14. */
static int32_t integrated_feature(uint32_t row)
{
    const uint32_t features_a_player = ERX_FEATURES / 2;
    if (row < 8)
        return (int32_t)(row / 4 * features_a_player + row % 4);
    if (row >= 14 && row < 24)
        return (int32_t)((row - 14) / 5 * features_a_player + 4 + (row - 14) % 5);
    return -1;
}

/* Random rows; those that are summed up in the world lean against the value
 * itself, as it comes through the residual stream, or it would wander to its
 * bound and stay. */
static void make_regressions(maker_t *maker)
{
    const uint32_t d = maker->shape->d_model;
    int16_t *Wr = erx_model_draft_global(maker->draft, "Wr");
    const int16_t *Wf = erx_model_draft_global(maker->draft, "Wf");
    fill_i16(&maker->random, Wr, (size_t)ERX_REGRESSIONS * d, 32767);
    for (uint32_t row = 0; row < ERX_REGRESSIONS; row++) {
        int32_t feature = integrated_feature(row);
        uint32_t shown = (uint32_t)feature % (ERX_FEATURES / 2);
        for (uint32_t o = 0; feature >= 0 && o < d; o++) {
            int32_t seen = Wf[(size_t)o * ERX_FEATURES + (uint32_t)feature];
            int16_t *weight = &Wr[(size_t)row * d + o];
            *weight = (int16_t)(*weight / 4 - seen * (32767 / 4 * 3) / feature_weight(shown));
        }
    }
}

static void make_heads(maker_t *maker)
{
    erx_model_draft_t *draft = maker->draft;
    const uint32_t d = maker->shape->d_model;
    const double hidden = 4096; /* 1.0 in fh = 12 */
    int32_t *sc = erx_model_draft_global(draft, "sc");
    sc[ERX_SC_R] = ERX_RESIDUAL_BITS;
    sc[ERX_SC_WF_S] = WF_SHIFT;
    sc[ERX_SC_FH] = 12;
    sc[ERX_SC_GF_S] = fill_gains(&maker->random, erx_model_draft_global(draft, "Gf"), d,
                                 hidden / (Q15 / sqrt(d)));
    sc[ERX_SC_WCTL_S] = make_control(maker);
    sc[ERX_SC_GH_S] = fill_gains(&maker->random, erx_model_draft_global(draft, "Gh"), d,
                                 maker->filled / (TOP_OF_GAUSS * hidden));
    sc[ERX_SC_WL_S] = WL_SHIFT;
    sc[ERX_SC_CMAX] =
        ERX_MIN(32767, (int32_t)(INT32_MAX / (maker->shape->d_state * (uint32_t)Q15)));
    *(int64_t *)erx_model_draft_global(draft, "eps1") =
        nearest(ldexp(EPSILON * d, 2 * ERX_RESIDUAL_BITS));
    make_regressions(maker);
    /* Half a unit in Q16, from sums that spread by sqrt(d) * 18918 * 4096. */
    double scale = 32768 / (sqrt(d) * 18918 * hidden);
    int32_t shift = 21 - floor_log2(scale);
    fill_same(erx_model_draft_global(draft, "Wr_m"), ERX_REGRESSIONS, nearest(ldexp(scale, shift)));
    fill_same(erx_model_draft_global(draft, "Wr_s"), ERX_REGRESSIONS, shift);
    fill_i8(&maker->random, erx_model_draft_global(draft, "Wl"), (size_t)ERX_LOGITS * d);
    fill_same(
        erx_model_draft_global(draft, "Wl_m"), ERX_LOGITS,
        nearest(ldexp(ERX_SYNTH_LOGIT / (sqrt(d) * WEIGHT_SPREAD * maker->activation), WL_SHIFT)));
}

static void make_projection(maker_t *maker, uint32_t l)
{
    erx_model_draft_t *draft = maker->draft;
    const erx_shape_t *shape = maker->shape;
    const uint32_t rows = erx_shape_project_rows(shape);
    const double sum = sqrt(shape->d_model) * WEIGHT_SPREAD * maker->activation;
    fill_i8(&maker->random, erx_model_draft_layer(draft, l, "Win"), (size_t)rows * shape->d_model);
    int32_t *Win_m = erx_model_draft_layer(draft, l, "Win_m");
    fill_same(Win_m, shape->d_inner, nearest(ldexp(ERX_SYNTH_Z / sum, WIN_SHIFT)));
    fill_same(Win_m + shape->d_inner, erx_shape_conv_dim(shape),
              nearest(ldexp(ERX_SYNTH_C / sum, WIN_SHIFT)));
    fill_same(Win_m + rows - shape->head_count, shape->head_count,
              nearest(ldexp(ERX_SYNTH_DT / sum, WIN_SHIFT)));
}

static void make_convolution(maker_t *maker, uint32_t l)
{
    const uint32_t channels = erx_shape_conv_dim(maker->shape);
    int16_t *Wc = erx_model_draft_layer(maker->draft, l, "Wc");
    fill_i16(&maker->random, Wc, (size_t)channels * ERX_CONV_TAPS, 16383);
    int32_t *Wc_m = erx_model_draft_layer(maker->draft, l, "Wc_m");
    int32_t *bc = erx_model_draft_layer(maker->draft, l, "bc");
    for (uint32_t i = 0; i < channels; i++)
        bc[i] = erx_random_between(&maker->random, 0, 1 << (ERX_SYNTH_FORMAT - 1));
    /* Four taps that spread by 9459 add up like two. */
    fill_same(Wc_m, channels, nearest(ldexp(ERX_SYNTH_V / (ERX_SYNTH_C * 2 * 9459), WC_SHIFT)));
}

/* Time steps of 0.02 to 0.26 and rates of 1 to 2.5: memories of two frames to
 * fifty. */
static void make_scan(maker_t *maker, uint32_t l)
{
    erx_model_draft_t *draft = maker->draft;
    int32_t *dtb = erx_model_draft_layer(draft, l, "dtb");
    int32_t *Am = erx_model_draft_layer(draft, l, "Am");
    int32_t *md = erx_model_draft_layer(draft, l, "md");
    int32_t *my = erx_model_draft_layer(draft, l, "my");
    int32_t *mD = erx_model_draft_layer(draft, l, "mD");
    for (uint32_t head = 0; head < maker->shape->head_count; head++) {
        dtb[head] = nearest(uniform(&maker->random, -3.9, -1.2) * 65536);
        Am[head] = nearest(uniform(&maker->random, 1.0, 2.5) * LOG2_E);
        md[head] = 5000000;
        my[head] = nearest(
            ldexp(ERX_SYNTH_Y * 0.8 / (sqrt(maker->shape->d_state) * ERX_SYNTH_H * 700), Y_SHIFT));
        mD[head] = nearest(ldexp(ERX_SYNTH_Y * 0.6 / 1500, Y_SHIFT));
    }
}

static void make_layer(maker_t *maker, uint32_t l)
{
    erx_model_draft_t *draft = maker->draft;
    const erx_shape_t *shape = maker->shape;
    int32_t *sc = erx_model_draft_layer(draft, l, "sc");
    sc[ERX_SC_G1_S] = fill_gains(&maker->random, erx_model_draft_layer(draft, l, "G1"),
                                 shape->d_model, norm_gain(maker, shape->d_model, TOP_OF_GAUSS));
    sc[ERX_SC_WIN_S] = WIN_SHIFT;
    sc[ERX_SC_FZ] = ERX_SYNTH_FORMAT;
    sc[ERX_SC_WC_S] = WC_SHIFT;
    sc[ERX_SC_FX] = ERX_SYNTH_FORMAT;
    sc[ERX_SC_KB] = STATE_BITS - ERX_SYNTH_FORMAT - 3;
    const int32_t *globals = erx_model_draft_global(draft, "sc");
    while ((globals[ERX_SC_CMAX] + 1) << sc[ERX_SC_KC] < 1 << (STATE_BITS - 1))
        sc[ERX_SC_KC]++;
    sc[ERX_SC_Y_S] = Y_SHIFT;
    sc[ERX_SC_G2_S] = fill_gains(&maker->random, erx_model_draft_layer(draft, l, "G2"),
                                 shape->d_inner, norm_gain(maker, shape->d_inner, TOP_OF_PRODUCT));
    sc[ERX_SC_WO_S] = WO_SHIFT;
    /* s_g is 2^-15 where y's unit is 4096: eps2 = 1e-5 * di / s_g^2. */
    *(int64_t *)erx_model_draft_layer(draft, l, "eps2") =
        nearest(ldexp(EPSILON * shape->d_inner, 30));
    make_projection(maker, l);
    make_convolution(maker, l);
    make_scan(maker, l);
    fill_i8(&maker->random, erx_model_draft_layer(draft, l, "Wo"),
            (size_t)shape->d_model * shape->d_inner);
    fill_same(erx_model_draft_layer(draft, l, "Wo_m"), shape->d_model,
              nearest(ldexp(ERX_SYNTH_STEP /
                                (sqrt(shape->d_inner) * WEIGHT_SPREAD * maker->activation / 2),
                            WO_SHIFT)));
}

void erx_synth_fill(erx_model_draft_t *draft, uint64_t seed, uint32_t attempt)
{
    const erx_shape_t *shape = &draft->manifest.shape;
    const double unit =
        (double)erx_profile_activation_max(shape->profile) / (double)ERX_ACTIVATION_MAX;
    maker_t maker = {
        .draft = draft, .shape = shape, .filled = FILLED * unit, .activation = ACTIVATION * unit};
    memset(draft->weights, 0, draft->manifest.weight_bytes);
    const uint64_t stream = (uint64_t)attempt * (ERX_LAYERS_MAX + 1);
    erx_random_seed(&maker.random, seed, stream);
    make_embedding(&maker);
    make_heads(&maker);
    for (uint32_t l = 0; l < maker.shape->layer_count; l++) {
        erx_random_seed(&maker.random, seed, stream + 1 + l);
        make_layer(&maker, l);
    }
}

erx_status_t erx_synth(erx_model_draft_t *draft, uint64_t seed, erx_health_t *health_out,
                       erx_error_t *error)
{
    erx_progress_t progress;
    erx_status_t status = ERX_OK;
    *health_out = (erx_health_t){0};
    erx_progress_start(&progress, "calibrating", erx_synth_work());
    for (uint32_t attempt = 0; attempt < ERX_SYNTH_ATTEMPTS; attempt++) {
        erx_synth_fill(draft, seed, attempt);
        status = erx_synth_calibrate(draft, seed, &progress, error);
        if (status == ERX_OK)
            status = erx_health_measure(draft, seed + HEALTH_SEED_OFFSET, health_out, error);
        if (status != ERX_OK || health_out->healthy)
            break;
    }
    erx_progress_finish(&progress);
    return status;
}
