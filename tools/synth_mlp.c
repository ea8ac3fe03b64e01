/* Random MLP world models (kernels/MLP.md). */
#include "tools/random.h"
#include "tools/synth.h"

#include <math.h>

#define WEIGHT_MAX    127
#define WEIGHT_SPREAD 73.6 /* of uniform i8 weights */
#define COLUMN        60.0 /* usual size of an 8-bit column */
#define WIDE_COLUMN   3000.0
#define UNIT          8000.0 /* 31 of 127 in Q8: what either kind of column adds to a unit */
#define ACTIVATION    30.0
#define MOVE          20000.0 /* 0.3 in Q16: a regression */
#define SHIFT         24
#define COLUMN_SHIFT  30

/* Limit of each continuous value (NUMERICS 2). */
static const int32_t limits[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                               60,  60,  1023, 50, 4,  50};

static void fill_weights(erx_model_draft_t *draft, erx_random_t *random, const char *name,
                         size_t count)
{
    int8_t *weights = erx_model_draft_global(draft, name);
    for (size_t i = 0; i < count; i++)
        weights[i] = (int8_t)erx_random_between(random, -WEIGHT_MAX, WEIGHT_MAX);
}

/* Neighbours cancel out: units are never negative, and what all have in common
 * would drive every output to one side. */
static void fill_balanced(erx_model_draft_t *draft, erx_random_t *random, const char *name,
                          size_t count)
{
    int8_t *weights = erx_model_draft_global(draft, name);
    fill_weights(draft, random, name, count);
    for (size_t i = 1; i < count; i += 2)
        weights[i] = (int8_t)-weights[i - 1];
}

static void fill_multipliers(erx_model_draft_t *draft, const char *name, uint32_t first,
                             uint32_t end, double factor, int32_t shift)
{
    int32_t *multipliers = erx_model_draft_global(draft, name);
    for (uint32_t i = first; i < end; i++)
        multipliers[i] = (int32_t)lround(ldexp(factor, shift));
}

static void fill_embeds(erx_model_draft_t *draft, erx_random_t *random)
{
    const erx_policy_shape_t *shape = &draft->manifest.shape.stack;
    static const char *const names[ERX_POLICY_EMBEDS] = {"E.0", "E.1", "E.2", "E.3",
                                                         "E.4", "E.5", "E.6", "E.7"};
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        fill_weights(draft, random, names[i],
                     (size_t)erx_policy_embed_rows(i) * shape->embed_widths[i]);
}

void erx_synth_mlp_fill(erx_model_draft_t *draft, uint64_t seed)
{
    const erx_policy_shape_t *shape = &draft->manifest.shape.stack;
    const uint32_t wide = shape->context * ERX_POLICY_WIDE, dense = erx_policy_dense_input(shape);
    const uint32_t outputs = erx_policy_output_count(shape);
    erx_random_t random;
    erx_random_seed(&random, seed, 0);
    int32_t *fm = erx_model_draft_global(draft, "fm");
    for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
        fm[j] = (WEIGHT_MAX << 7) * 256 / limits[j];
    fill_weights(draft, &random, "Wd", (size_t)shape->hidden * dense);
    fill_weights(draft, &random, "Wc", (size_t)shape->hidden * wide);
    fill_balanced(draft, &random, "Wt", (size_t)shape->trunk * shape->hidden);
    fill_balanced(draft, &random, "Wo", (size_t)outputs * shape->trunk);
    fill_embeds(draft, &random);
    fill_multipliers(draft, "Wd_m", 0, shape->hidden, UNIT / (sqrt(dense) * WEIGHT_SPREAD * COLUMN),
                     COLUMN_SHIFT);
    fill_multipliers(draft, "Wc_m", 0, shape->hidden,
                     UNIT / (sqrt(wide) * WEIGHT_SPREAD * WIDE_COLUMN), COLUMN_SHIFT);
    double sum = sqrt(shape->hidden) * WEIGHT_SPREAD * ACTIVATION;
    fill_multipliers(draft, "Wt_m", 0, shape->trunk, UNIT / sum, SHIFT);
    sum = sqrt(shape->trunk) * WEIGHT_SPREAD * ACTIVATION;
    fill_multipliers(draft, "Wo_m", 0, ERX_REGRESSIONS, MOVE / sum, SHIFT);
    fill_multipliers(draft, "Wo_m", ERX_REGRESSIONS, outputs, ERX_SYNTH_LOGIT / sum, SHIFT);
    int32_t *sc = erx_model_draft_global(draft, "sc");
    sc[0] = sc[1] = COLUMN_SHIFT;
    sc[2] = sc[3] = SHIFT;
}
