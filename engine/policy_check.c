/* The value rules of profile i8mlp-1 (POLICY.md 8). Accumulators cannot
 * overflow whatever the weights are: 2048 columns of 127 * 127 stay below 2^25,
 * 416 columns of 127 * 16256 below 2^30. What follows them can, and is checked
 * here. */
#include "engine/policy_file.h"
#include "kernels/requant.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHIFT_MIN    16
#define SHIFT_MAX    30
#define OPERAND8_MAX 127
#define WIDE_MAX     (127 << 7) /* of a 16-bit column */

ERX_STATIC_ASSERT((int64_t)ERX_POLICY_WIDTH_MAX *OPERAND8_MAX *OPERAND8_MAX < INT32_MAX,
                  "accumulators of 8-bit columns fit");
ERX_STATIC_ASSERT((int64_t)ERX_POLICY_CONTEXT_MAX *ERX_POLICY_WIDE *OPERAND8_MAX *WIDE_MAX <
                      INT32_MAX,
                  "accumulators of 16-bit columns fit");

static uint64_t magnitude(int32_t value)
{
    return value < 0 ? (uint64_t) - (int64_t)value : (uint64_t)value;
}

static erx_status_t check_shift(const char *name, int32_t shift, erx_error_t *error)
{
    if (shift < SHIFT_MIN || shift > SHIFT_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "sc %s: %d is outside [%d, %d]", name, shift,
                             SHIFT_MIN, SHIFT_MAX);
    return ERX_OK;
}

/* One of the products that a unit sums up. */
typedef struct {
    const char *name;
    const int8_t *weights;
    const int32_t *multipliers;
    uint32_t columns;
    uint32_t operand_max;
    int32_t shift; /* the smallest in use */
} product_t;

/* Greatest magnitude of the requantized sum of a row. */
static erx_status_t row_bound(const product_t *product, uint32_t row, uint64_t *bound_out,
                              erx_error_t *error)
{
    const int8_t *weights = product->weights + (size_t)row * product->columns;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < product->columns; i++) {
        if (weights[i] == INT8_MIN)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "%s row %u: holds -128; weights are in [-127, 127]", product->name,
                                 row);
        sum += (uint64_t)abs(weights[i]);
    }
    /* Below 2^30 times at most 2^31: a sum of two such bounds fits 64 bits. */
    uint64_t product_max = sum * product->operand_max * magnitude(product->multipliers[row]);
    *bound_out = (product_max + (UINT64_C(1) << (product->shift - 1))) >> product->shift;
    return ERX_OK;
}

/* A unit is the sum of its products' bounds and its bias, in 32 bits. */
static erx_status_t check_units(const product_t *products, uint32_t count, uint32_t rows,
                                const int32_t *bias, const char *bias_name, erx_error_t *error)
{
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t total = magnitude(bias[row]);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t bound = 0;
            erx_status_t status = row_bound(&products[i], row, &bound, error);
            if (status != ERX_OK)
                return status;
            total += bound;
        }
        if (total > INT32_MAX)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "%s row %u: the unit could reach %" PRIu64
                                 ", above 2^31 - 1: multipliers, shifts and bias do not fit the "
                                 "weights",
                                 bias_name, row, total);
    }
    return ERX_OK;
}

static erx_status_t check_layers(const erx_policy_tensors_t *tensors, erx_error_t *error)
{
    const erx_policy_shape_t *shape = &tensors->shape;
    const product_t first[] = {
        {"Wc", tensors->Wc, tensors->Wc_m, shape->context * ERX_POLICY_WIDE, WIDE_MAX,
         tensors->Wc_s},
        {"Wd", tensors->Wd, tensors->Wd_m, erx_policy_dense_input(shape), OPERAND8_MAX,
         tensors->Wd_s},
    };
    const product_t trunk = {"Wt",          tensors->Wt,  tensors->Wt_m,
                             shape->hidden, OPERAND8_MAX, tensors->Wt_s - ERX_EXPONENT_MAX};
    const product_t heads = {"Wo",         tensors->Wo,  tensors->Wo_m,
                             shape->trunk, OPERAND8_MAX, tensors->Wo_s - ERX_EXPONENT_MAX};
    erx_status_t status =
        check_units(first, ERX_COUNT(first), shape->hidden, tensors->b1, "b1", error);
    if (status == ERX_OK)
        status = check_units(&trunk, 1, shape->trunk, tensors->bt, "bt", error);
    if (status == ERX_OK)
        status = check_units(&heads, 1, erx_policy_output_count(shape), tensors->bo, "bo", error);
    return status;
}

static erx_status_t check_embeds(const erx_policy_tensors_t *tensors, erx_error_t *error)
{
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++) {
        uint32_t width = tensors->shape.embed_widths[i];
        for (uint32_t k = 0; k < erx_policy_embed_rows(i) * width; k++)
            if (tensors->E[i][k] == INT8_MIN)
                return erx_error_set(error, ERX_ERR_RANGE,
                                     "E.%u row %u: holds -128; values are in [-127, 127]", i,
                                     k / width);
    }
    return ERX_OK;
}

erx_status_t erx_policy_tensors_check(const erx_policy_tensors_t *tensors, erx_error_t *error)
{
    erx_status_t status = erx_policy_shape_check(&tensors->shape, error);
    if (status == ERX_OK)
        status = check_shift("Wc_s", tensors->Wc_s, error);
    if (status == ERX_OK)
        status = check_shift("Wd_s", tensors->Wd_s, error);
    if (status == ERX_OK)
        status = check_shift("Wt_s", tensors->Wt_s, error);
    if (status == ERX_OK)
        status = check_shift("Wo_s", tensors->Wo_s, error);
    for (uint32_t j = 0; j < ERX_CONTINUOUS && status == ERX_OK; j++)
        if (tensors->fm[j] < 0)
            status =
                erx_error_set(error, ERX_ERR_RANGE, "fm row %u: %d is below 0", j, tensors->fm[j]);
    if (status == ERX_OK)
        status = check_embeds(tensors, error);
    return status == ERX_OK ? check_layers(tensors, error) : status;
}
