/* The value rules of profiles i16ssm-1 and i16ssm-2. A model that passes cannot overflow:
 * every sum, product and addend of the frame stays inside the integer that
 * NUMERICS, or a kernel that adds in 32 bits, gives it. Each rule is derived
 * where it is checked. */
#include "engine/manifest.h"
#include "engine/policy_file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SAT16_MAX         32767 /* sat16: a 16-bit operand */
#define CONV_WEIGHT_MAX   16383 /* 4 * 16383 * 32767 < 2^31 */
#define FEATURE_SUM_MAX   65535 /* 65535 * 32767 < 2^31 */
#define BIAS_MAX          (1 << 29)
#define REGRESS_SCALE_MAX (1 << 22)
#define STATE_MAX         32768 /* |h|, which alone may be -32768 */
#define MULTIPLIER_MAX    INT32_MAX
/* With eps <= 2^62 the sum of squares stays below 2^63: the residual stream
 * adds at most 1024 * (2^26 - 1)^2 < 2^62, the gate 2048 * 2^44 = 2^55. */
#define EPSILON_MAX (INT64_C(1) << 62)

/* Whose tensors are being checked. */
typedef struct {
    char prefix[sizeof "layers.4294967295."];
    erx_error_t *error;
} scope_t;

#define NO_ROW (-1)

static erx_status_t refuse(const scope_t *scope, const char *tensor, int64_t row,
                           const char *format, ...) ERX_PRINTF(4, 5);

static erx_status_t refuse(const scope_t *scope, const char *tensor, int64_t row,
                           const char *format, ...)
{
    char reason[ERX_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (row == NO_ROW)
        return erx_error_set(scope->error, ERX_ERR_RANGE, "%s%s: %s", scope->prefix, tensor,
                             reason);
    return erx_error_set(scope->error, ERX_ERR_RANGE, "%s%s row %" PRId64 ": %s", scope->prefix,
                         tensor, row, reason);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? (uint64_t)-value : (uint64_t)value;
}

/* Greatest magnitude of RS(v, shift) where |v| <= greatest. */
static uint64_t round_shift_max(uint64_t greatest, int32_t shift)
{
    return (greatest + (UINT64_C(1) << (shift - 1))) >> shift;
}

/* ---- ranges of single values ---- */

/* A shift or format of sc, at a field of the struct that holds it. */
typedef struct {
    const char *name;
    size_t field;
    int32_t minimum, maximum;
} scalar_rule_t;

#define GLOBAL_RULE(scalar, minimum, maximum)                                                      \
    {                                                                                              \
        "sc " #scalar, offsetof(erx_tensors_t, scalar), minimum, maximum                           \
    }
#define LAYER_RULE(scalar, minimum, maximum)                                                       \
    {                                                                                              \
        "sc " #scalar, offsetof(erx_layer_tensors_t, scalar), minimum, maximum                     \
    }

/* A requantization shifts by 1 to 32 and keeps the low 32 bits. Where a block
 * exponent applies, s - e is used with e in [-2, 5], hence s <= 30, and 16 at
 * least (NUMERICS 8). A gain's shift is used as G_s + e, which must be >= 1.
 * fz and fx are bounded by the sigmoid's lookup (NUMERICS 5.4). */
static const scalar_rule_t global_scalars[] = {
    GLOBAL_RULE(R, ERX_RESIDUAL_BITS, ERX_RESIDUAL_BITS),
    GLOBAL_RULE(T_sh, 0, 14), /* 32767 << 14 < 2^29 */
    GLOBAL_RULE(Wf_s, 16, 32),
    GLOBAL_RULE(fh, 0, 12),
    GLOBAL_RULE(Gf_s, 3, 24),
    GLOBAL_RULE(Wctl_s, 1, 32),
    GLOBAL_RULE(Gh_s, 3, 24),
    GLOBAL_RULE(Wl_s, 16, 30),
};

static const scalar_rule_t layer_scalars[] = {
    LAYER_RULE(G1_s, 3, 24),  LAYER_RULE(Win_s, 16, 30), LAYER_RULE(fz, 8, 12),
    LAYER_RULE(Wc_s, 1, 32),  LAYER_RULE(fx, 8, 12),     LAYER_RULE(kb, 0, 8),
    LAYER_RULE(kc, 0, 15),    LAYER_RULE(y_s, 1, 32),    LAYER_RULE(G2_s, 3, 24),
    LAYER_RULE(Wo_s, 16, 30),
};

static erx_status_t check_scalars(const scope_t *scope, const scalar_rule_t *rules, size_t count,
                                  const void *base)
{
    for (size_t i = 0; i < count; i++) {
        int32_t value = *(const int32_t *)(const void *)((const uint8_t *)base + rules[i].field);
        if (value < rules[i].minimum || value > rules[i].maximum)
            return refuse(scope, rules[i].name, NO_ROW, "%d is outside [%d, %d]", value,
                          rules[i].minimum, rules[i].maximum);
    }
    return ERX_OK;
}

static erx_status_t check_epsilon(const scope_t *scope, const char *name, int64_t value)
{
    if (value < 1 || value > EPSILON_MAX)
        return refuse(scope, name, NO_ROW, "%" PRId64 " is outside [1, 2^62]", value);
    return ERX_OK;
}

/* A tensor whose values have a range of their own, whatever else they do. */
typedef struct {
    const char *name;
    const int16_t *i16; /* this or the next */
    const int32_t *i32;
    uint32_t rows, columns;
    int32_t minimum, maximum;
} range_rule_t;

#define RANGE16(owner, tensor, rows, columns, limit)                                               \
    {                                                                                              \
#tensor, (owner)->tensor, NULL, rows, columns, -(limit), limit                             \
    }
#define RANGE32(owner, tensor, rows, minimum, maximum)                                             \
    {                                                                                              \
#tensor, NULL, (owner)->tensor, rows, 1, minimum, maximum                                  \
    }

static erx_status_t check_range(const scope_t *scope, const range_rule_t *rule)
{
    size_t count = (size_t)rule->rows * rule->columns;
    for (size_t i = 0; i < count; i++) {
        int32_t value = rule->i16 != NULL ? rule->i16[i] : rule->i32[i];
        if (value < rule->minimum || value > rule->maximum)
            return refuse(scope, rule->name, (int64_t)(i / rule->columns), "%d is outside [%d, %d]",
                          value, rule->minimum, rule->maximum);
    }
    return ERX_OK;
}

static erx_status_t check_ranges(const scope_t *scope, const range_rule_t *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        erx_status_t status = check_range(scope, &rules[i]);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

/* ---- matrix products and what follows them ---- */

/* result[o] = RQ(sum_i W[o][i] * operand[i], m[o], s) + addends. */
typedef struct {
    const char *name;
    const int8_t *i8; /* this or the next */
    const int16_t *i16;
    uint32_t rows, columns;
    uint32_t operand_max; /* of |operand| */
    uint32_t sum_max;     /* of sum_i |W[o][i]|: keeps the accumulator in i32 */
    const int32_t *multipliers;
    int32_t shift_min;      /* the smallest shift in use: with a block exponent, s - 5 */
    uint32_t constant_max;  /* magnitude of what else is added in 32 bits */
    const int32_t *addends; /* added row by row; NULL for none */
    uint32_t addend_row;    /* row that addends[0] belongs to */
} product_t;

/* Sum of the magnitudes of a row; at most 2048 values of at most 2^15. */
static uint32_t row_sum(const product_t *product, uint32_t row)
{
    size_t first = (size_t)row * product->columns;
    int32_t sum = 0;
    if (product->i8 != NULL) {
        for (uint32_t i = 0; i < product->columns; i++)
            sum += abs(product->i8[first + i]);
    } else {
        for (uint32_t i = 0; i < product->columns; i++)
            sum += abs(product->i16[first + i]);
    }
    return (uint32_t)sum;
}

static bool row_holds_minimum(const product_t *product, uint32_t row)
{
    const int8_t *values = product->i8 + (size_t)row * product->columns;
    bool found = false;
    for (uint32_t i = 0; i < product->columns; i++)
        found |= values[i] == INT8_MIN;
    return found;
}

/* The accumulator is at most sum * operand_max < 2^31, |m| < 2^31: the product
 * and its rounding fit 64 bits; the shifted result and what is added to it must
 * fit 32. NUMERICS 8 states this as sum * 127 * 2^5 * |m| < 2^(31+s); here the
 * rounding half and the addends count too. */
static erx_status_t check_product_row(const scope_t *scope, const product_t *product, uint32_t row)
{
    if (product->i8 != NULL && row_holds_minimum(product, row))
        return refuse(scope, product->name, row, "holds -128; weights are in [-127, 127]");
    uint32_t sum = row_sum(product, row);
    if (sum > product->sum_max)
        return refuse(scope, product->name, row,
                      "its magnitudes sum to %u, above %u: the accumulator could overflow", sum,
                      product->sum_max);
    uint64_t accumulator_max = (uint64_t)sum * product->operand_max;
    uint64_t result_max =
        round_shift_max(accumulator_max * magnitude(product->multipliers[row]), product->shift_min);
    uint64_t addend = product->constant_max;
    if (product->addends != NULL && row >= product->addend_row)
        addend += magnitude(product->addends[row - product->addend_row]);
    if (result_max + addend > INT32_MAX)
        return refuse(scope, product->name, row,
                      "its requantized sum could reach %" PRIu64 " + %" PRIu64
                      ", above 2^31 - 1: multiplier, shift or bias do not fit the weights",
                      result_max, addend);
    return ERX_OK;
}

static erx_status_t check_products(const scope_t *scope, const product_t *products, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t row = 0; row < products[i].rows; row++) {
            erx_status_t status = check_product_row(scope, &products[i], row);
            if (status != ERX_OK)
                return status;
        }
    }
    return ERX_OK;
}

/* NUMERICS 3: bias and table rows are added in 32 bits; together they take at
 * most BIAS_MAX, whichever categories a frame has. */
static erx_status_t check_embedding(const scope_t *scope, const erx_tensors_t *tensors)
{
    uint32_t width = tensors->shape.d_model;
    uint64_t total[ERX_D_MODEL_MAX];
    for (uint32_t o = 0; o < width; o++)
        total[o] = magnitude(tensors->bf[o]);
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        uint16_t greatest[ERX_D_MODEL_MAX] = {0};
        for (uint32_t value = 0; value < erx_category_counts[k]; value++) {
            const int16_t *row = tensors->T[k] + (size_t)value * width;
            for (uint32_t o = 0; o < width; o++) {
                uint16_t size = (uint16_t)abs(row[o]);
                greatest[o] = size > greatest[o] ? size : greatest[o];
            }
        }
        for (uint32_t o = 0; o < width; o++)
            total[o] += (uint64_t)greatest[o] << tensors->T_sh;
    }
    for (uint32_t o = 0; o < width; o++) {
        if (total[o] > BIAS_MAX)
            return refuse(scope, "bf", o,
                          "bias and the tables' greatest values, shifted by T_sh, sum to %" PRIu64
                          ", above %d",
                          total[o], BIAS_MAX);
    }
    return ERX_OK;
}

/* NUMERICS 6: at most 1024 * 32767 * 32767 * 2^22 < 2^62 before rounding, which
 * adds at most 2^61: inside i64. The regression itself is i32. */
static erx_status_t check_regression(const scope_t *scope, const erx_tensors_t *tensors)
{
    const product_t product = {
        .i16 = tensors->Wr, .rows = ERX_REGRESSIONS, .columns = tensors->shape.d_model};
    for (uint32_t row = 0; row < ERX_REGRESSIONS; row++) {
        uint64_t sum_max = (uint64_t)row_sum(&product, row) * SAT16_MAX;
        uint64_t result_max =
            round_shift_max(sum_max * (uint64_t)tensors->Wr_m[row], tensors->Wr_s[row]);
        uint64_t bias = magnitude(tensors->br[row]);
        if (result_max + bias > INT32_MAX)
            return refuse(scope, "Wr", row,
                          "its result could reach %" PRIu64 " + %" PRIu64
                          ", above 2^31 - 1: Wr_m, Wr_s or br do not fit the weights",
                          result_max, bias);
    }
    return ERX_OK;
}

static erx_status_t check_global_scalars(const scope_t *scope, const erx_tensors_t *tensors)
{
    erx_status_t status = check_scalars(scope, global_scalars, ERX_COUNT(global_scalars), tensors);
    if (status != ERX_OK)
        return status;
    /* |acc| <= N * 32768 * Cmax < 2^31 (NUMERICS 5.4, 5.6); N >= 2 keeps Cmax in i16. */
    int32_t c_max = INT32_MAX / (STATE_MAX * (int32_t)tensors->shape.d_state);
    if (tensors->Cmax != c_max)
        return refuse(scope, "sc Cmax", NO_ROW, "is %d, must be %d where d_state is %u",
                      tensors->Cmax, c_max, tensors->shape.d_state);
    return check_epsilon(scope, "eps1", tensors->eps1);
}

static erx_status_t check_global_ranges(const scope_t *scope, const erx_tensors_t *tensors)
{
    uint32_t d = tensors->shape.d_model;
    const range_rule_t ranges[] = {
        RANGE16(tensors, Wf, d, ERX_FEATURES, SAT16_MAX),
        RANGE16(tensors, Wctl, d, ERX_CONTROLS, SAT16_MAX),
        RANGE16(tensors, Gf, d, 1, SAT16_MAX),
        RANGE16(tensors, Gh, d, 1, SAT16_MAX),
        RANGE16(tensors, Wr, ERX_REGRESSIONS, d, SAT16_MAX),
        RANGE32(tensors, Wf_m, d, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(tensors, Wctl_m, d, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(tensors, Wl_m, ERX_LOGITS, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(tensors, Wr_m, ERX_REGRESSIONS, 0, REGRESS_SCALE_MAX),
        RANGE32(tensors, Wr_s, ERX_REGRESSIONS, 1, 62),
        RANGE32(tensors, bctl, d, -BIAS_MAX, BIAS_MAX),
        RANGE32(tensors, fm, ERX_CONTINUOUS, 0, INT32_MAX),
    };
    erx_status_t status = check_ranges(scope, ranges, ERX_COUNT(ranges));
    for (uint32_t k = 0; k < ERX_CATEGORICALS && status == ERX_OK; k++) {
        char name[sizeof "T.4294967295"];
        (void)snprintf(name, sizeof name, "T.%u", k);
        const range_rule_t table = {name, tensors->T[k], NULL,     erx_category_counts[k],
                                    d,    -SAT16_MAX,    SAT16_MAX};
        status = check_range(scope, &table);
    }
    return status;
}

static erx_status_t check_global_products(const scope_t *scope, const erx_tensors_t *tensors)
{
    uint32_t d = tensors->shape.d_model;
    uint32_t activation_max = (uint32_t)erx_profile_activation_max(tensors->shape.profile);
    const product_t products[] = {
        {.name = "Wf",
         .i16 = tensors->Wf,
         .rows = d,
         .columns = ERX_FEATURES,
         .operand_max = SAT16_MAX,
         .sum_max = FEATURE_SUM_MAX,
         .multipliers = tensors->Wf_m,
         .shift_min = tensors->Wf_s,
         .constant_max = BIAS_MAX /* by check_embedding */},
        {.name = "Wctl",
         .i16 = tensors->Wctl,
         .rows = d,
         .columns = ERX_CONTROLS,
         .operand_max = SAT16_MAX,
         .sum_max = INT32_MAX / SAT16_MAX,
         .multipliers = tensors->Wctl_m,
         .shift_min = tensors->Wctl_s,
         .constant_max = SAT16_MAX /* hn, which it is added to */,
         .addends = tensors->bctl},
        {.name = "Wl",
         .i8 = tensors->Wl,
         .rows = ERX_LOGITS,
         .columns = d,
         .operand_max = activation_max,
         .sum_max = INT32_MAX / activation_max,
         .multipliers = tensors->Wl_m,
         .shift_min = tensors->Wl_s - ERX_EXPONENT_MAX,
         .addends = tensors->bl},
    };
    return check_products(scope, products, ERX_COUNT(products));
}

static erx_status_t check_globals(const erx_tensors_t *tensors, erx_error_t *error)
{
    const scope_t scope = {.prefix = "", .error = error};
    erx_status_t status = check_global_scalars(&scope, tensors);
    if (status == ERX_OK)
        status = check_global_ranges(&scope, tensors);
    if (status == ERX_OK)
        status = check_embedding(&scope, tensors);
    if (status == ERX_OK)
        status = check_global_products(&scope, tensors);
    if (status == ERX_OK)
        status = check_regression(&scope, tensors);
    return status;
}

/* NUMERICS 8: RS(acc * my + xs * mD, y_s) fits i32, with |acc| < 2^31 and
 * |xs| <= 32767. Before the shift it is at most 2^62 + 2^46, inside i64. */
static erx_status_t check_read_out(const scope_t *scope, const erx_layer_tensors_t *layer,
                                   uint32_t head_count)
{
    for (uint32_t head = 0; head < head_count; head++) {
        uint64_t greatest =
            (magnitude(layer->my[head]) << 31) + magnitude(layer->mD[head]) * (uint64_t)SAT16_MAX;
        if (round_shift_max(greatest, layer->y_s) > INT32_MAX)
            return refuse(scope, "my", head,
                          "2^31 * |my| + 32767 * |mD| is not below 2^(31 + y_s): my is %d, mD is "
                          "%d, y_s is %d",
                          layer->my[head], layer->mD[head], layer->y_s);
    }
    return ERX_OK;
}

static erx_status_t check_layer_ranges(const scope_t *scope, const erx_shape_t *shape,
                                       const erx_layer_tensors_t *layer)
{
    uint32_t channels = erx_shape_conv_dim(shape);
    uint32_t rows = erx_shape_project_rows(shape);
    uint32_t heads = shape->head_count;
    const range_rule_t ranges[] = {
        RANGE16(layer, G1, shape->d_model, 1, SAT16_MAX),
        RANGE16(layer, G2, shape->d_inner, 1, SAT16_MAX),
        RANGE16(layer, Wc, channels, ERX_CONV_TAPS, CONV_WEIGHT_MAX),
        RANGE32(layer, Win_m, rows, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(layer, Wc_m, channels, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(layer, Wo_m, shape->d_model, -MULTIPLIER_MAX, MULTIPLIER_MAX),
        RANGE32(layer, bc, channels, -BIAS_MAX, BIAS_MAX),
        RANGE32(layer, dtb, heads, -BIAS_MAX, BIAS_MAX),
        RANGE32(layer, Am, heads, 0, INT32_MAX),
        RANGE32(layer, md, heads, 0, INT32_MAX),
    };
    return check_ranges(scope, ranges, ERX_COUNT(ranges));
}

static erx_status_t check_layer_products(const scope_t *scope, const erx_shape_t *shape,
                                         const erx_layer_tensors_t *layer)
{
    uint32_t rows = erx_shape_project_rows(shape);
    uint32_t activation_max = (uint32_t)erx_profile_activation_max(shape->profile);
    const product_t products[] = {
        {.name = "Win",
         .i8 = layer->Win,
         .rows = rows,
         .columns = shape->d_model,
         .operand_max = activation_max,
         .sum_max = INT32_MAX / activation_max,
         .multipliers = layer->Win_m,
         .shift_min = layer->Win_s - ERX_EXPONENT_MAX,
         .addends = layer->dtb,
         .addend_row = rows - shape->head_count /* the dt rows come last */},
        {.name = "Wc",
         .i16 = layer->Wc,
         .rows = erx_shape_conv_dim(shape),
         .columns = ERX_CONV_TAPS,
         .operand_max = SAT16_MAX,
         .sum_max = INT32_MAX / SAT16_MAX,
         .multipliers = layer->Wc_m,
         .shift_min = layer->Wc_s,
         .addends = layer->bc},
        {.name = "Wo",
         .i8 = layer->Wo,
         .rows = shape->d_model,
         .columns = shape->d_inner,
         .operand_max = activation_max,
         .sum_max = INT32_MAX / activation_max,
         .multipliers = layer->Wo_m,
         .shift_min = layer->Wo_s - ERX_EXPONENT_MAX,
         .constant_max = ERX_RESIDUAL_MAX /* the residual that it is added to */},
    };
    return check_products(scope, products, ERX_COUNT(products));
}

static erx_status_t check_layer(const erx_tensors_t *tensors, uint32_t index, erx_error_t *error)
{
    const erx_layer_tensors_t *layer = &tensors->layers[index];
    scope_t scope = {.error = error};
    (void)snprintf(scope.prefix, sizeof scope.prefix, "layers.%u.", index);
    erx_status_t status = check_scalars(&scope, layer_scalars, ERX_COUNT(layer_scalars), layer);
    if (status == ERX_OK)
        status = check_epsilon(&scope, "eps2", layer->eps2);
    if (status == ERX_OK)
        status = check_layer_ranges(&scope, &tensors->shape, layer);
    if (status == ERX_OK)
        status = check_layer_products(&scope, &tensors->shape, layer);
    if (status == ERX_OK)
        status = check_read_out(&scope, layer, tensors->shape.head_count);
    return status;
}

erx_status_t erx_tensors_check(const erx_tensors_t *tensors, erx_error_t *error)
{
    if (erx_shape_is_stack(&tensors->shape))
        return erx_policy_tensors_check(&tensors->stack, error);
    erx_status_t status = erx_shape_check(&tensors->shape, error);
    if (status == ERX_OK)
        status = check_globals(tensors, error);
    for (uint32_t i = 0; i < tensors->shape.layer_count && status == ERX_OK; i++)
        status = check_layer(tensors, i, error);
    return status;
}
