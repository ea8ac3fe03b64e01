#include "kernels/policy_net.h"

uint32_t erx_policy_dense_columns(const erx_policy_shape_t *shape)
{
    uint32_t columns = ERX_PLAYERS * ERX_POLICY_FLAGS;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        columns += shape->embed_widths[erx_policy_embed_of(k)];
    return columns;
}

uint32_t erx_policy_dense_input(const erx_policy_shape_t *shape)
{
    return shape->context * erx_policy_dense_columns(shape) + (shape->is_world ? ERX_CONTROLS : 0);
}

uint32_t erx_policy_output_count(const erx_policy_shape_t *shape)
{
    return shape->is_world ? ERX_REGRESSIONS + ERX_LOGITS : ERX_POLICY_OUTPUTS;
}

static erx_status_t check_size(const char *key, uint32_t size, uint32_t most, erx_error_t *error)
{
    if (size < 1 || size > most)
        return erx_error_set(error, ERX_ERR_RANGE, "architecture.%s: %u is outside [1, %u]", key,
                             size, most);
    return ERX_OK;
}

erx_status_t erx_policy_shape_check(const erx_policy_shape_t *shape, erx_error_t *error)
{
    erx_status_t status = check_size("context_len", shape->context, ERX_POLICY_CONTEXT_MAX, error);
    if (status == ERX_OK)
        status = check_size("hidden_dim", shape->hidden, ERX_POLICY_WIDTH_MAX, error);
    if (status == ERX_OK)
        status = check_size("trunk_dim", shape->trunk, ERX_POLICY_WIDTH_MAX, error);
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS && status == ERX_OK; i++)
        status = check_size("embed_widths", shape->embed_widths[i], ERX_POLICY_EMBED_MAX, error);
    if (status != ERX_OK)
        return status;
    uint32_t columns = erx_policy_dense_input(shape);
    if (columns > ERX_POLICY_WIDTH_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "architecture.context_len: %u frames of %u columns make %u, more than "
                             "the %u that a product takes",
                             shape->context, erx_policy_dense_columns(shape), columns,
                             ERX_POLICY_WIDTH_MAX);
    return ERX_OK;
}
