#include "engine/matmul/compute_units.h"

#include "kernels/policy_net.h"

const erx_compute_table_t erx_compute_table_default = {
    .matmul_base = 100,
    .matmul_divisor = 100,
    .scan_numerator = 77, /* 616 a channel of 16 elements */
    .scan_denominator = 2,
    .lookup = 13,
    .norm = 30,
    .requantize = 30,
    .residual = 30,
    .encode = 5000,
    .decode = 5000,
};

erx_status_t erx_compute_table_check(const erx_compute_table_t *table, erx_error_t *error)
{
    const struct {
        const char *name;
        uint64_t value;
    } prices[] = {
        {"matmul_base", table->matmul_base}, {"scan_numerator", table->scan_numerator},
        {"lookup", table->lookup},           {"norm", table->norm},
        {"requantize", table->requantize},   {"residual", table->residual},
        {"encode", table->encode},           {"decode", table->decode},
    };
    for (size_t i = 0; i < ERX_COUNT(prices); i++)
        if (prices[i].value > ERX_COMPUTE_PRICE_MAX)
            return erx_error_set(error, ERX_ERR_RANGE, "compute units: %s is %llu, at most %u",
                                 prices[i].name, (unsigned long long)prices[i].value,
                                 ERX_COMPUTE_PRICE_MAX);
    if (table->matmul_divisor == 0 || table->scan_denominator == 0)
        return erx_error_set(error, ERX_ERR_RANGE, "compute units: %s is 0, at least 1",
                             table->matmul_divisor == 0 ? "matmul_divisor" : "scan_denominator");
    return ERX_OK;
}

uint64_t erx_compute_units_matmul(const erx_compute_table_t *table, uint64_t multiply_adds)
{
    uint64_t units = multiply_adds / table->matmul_divisor;
    return units > UINT64_MAX - table->matmul_base ? UINT64_MAX : table->matmul_base + units;
}

erx_compute_units_t erx_compute_units_layer(const erx_compute_table_t *table,
                                            const erx_shape_t *shape)
{
    uint64_t d_model = shape->d_model, d_inner = shape->d_inner;
    uint64_t gate_and_channels = d_inner + erx_shape_conv_dim(shape);
    uint64_t step_and_decay = 2 * (uint64_t)shape->head_count;
    uint64_t activation_bytes = shape->profile == ERX_PROFILE_2 ? 2 : 1;
    uint64_t products = erx_compute_units_matmul(table, 2 * d_inner * d_model) +
                        erx_compute_units_matmul(table, d_model * d_inner);
    return (erx_compute_units_t){
        .matmul = activation_bytes * products,
        .scan = d_inner * shape->d_state * table->scan_numerator / table->scan_denominator,
        .lookup = (gate_and_channels + step_and_decay) * table->lookup,
        .elementwise = d_model * (table->norm + table->requantize + table->residual),
    };
}

erx_compute_units_t erx_compute_units_chunk(const erx_compute_table_t *table,
                                            const erx_shape_t *shape, uint32_t first_layer,
                                            uint32_t layer_count)
{
    erx_compute_units_t layer = erx_compute_units_layer(table, shape);
    bool is_first = first_layer == 0;
    bool is_last = first_layer + layer_count == shape->layer_count;
    return (erx_compute_units_t){
        .matmul = layer_count * layer.matmul,
        .scan = layer_count * layer.scan,
        .lookup = layer_count * layer.lookup,
        .elementwise = layer_count * layer.elementwise,
        .coding = (is_first ? table->encode : 0) + (is_last ? table->decode : 0),
    };
}

/* An MLP world model: its three products and the steps between them. */
static erx_compute_units_t stack_units(const erx_compute_table_t *table,
                                       const erx_policy_shape_t *shape)
{
    uint64_t H = shape->hidden, T = shape->trunk;
    uint64_t columns = shape->context * ERX_POLICY_WIDE + erx_policy_dense_input(shape);
    return (erx_compute_units_t){
        .matmul = erx_compute_units_matmul(table, H * columns) +
                  erx_compute_units_matmul(table, T * H) +
                  erx_compute_units_matmul(table, erx_policy_output_count(shape) * T),
        .elementwise = (H + T) * table->requantize,
        .coding = table->encode + table->decode,
    };
}

erx_compute_units_t erx_compute_units_frame(const erx_compute_table_t *table,
                                            const erx_shape_t *shape)
{
    if (erx_shape_is_stack(shape))
        return stack_units(table, &shape->stack);
    return erx_compute_units_chunk(table, shape, 0, shape->layer_count);
}

uint64_t erx_compute_units_total(const erx_compute_units_t *units)
{
    return units->matmul + units->scan + units->lookup + units->elementwise + units->coding;
}
