#include "tools/mlp_float.h"

#include "mem/layout.h"
#include "tools/policy_product.h"

#include <stdlib.h>
#include <string.h>

static uint32_t input_rows(const erx_float_model_t *model)
{
    return model->shape.stack.context * model->input_width + ERX_CONTROLS;
}

static size_t place(erx_mlp_pass_t *pass, const erx_float_model_t *model, void *memory)
{
    const size_t row = ERX_MLP_GROUP * sizeof(float);
    erx_layout_t layout = erx_layout_begin(memory);
    pass->input = erx_layout_take(&layout, input_rows(model) * row);
    pass->hidden = erx_layout_take(&layout, model->shape.stack.hidden * row);
    pass->trunk = erx_layout_take(&layout, model->shape.stack.trunk * row);
    pass->output = erx_layout_take(&layout, ERX_FLOAT_OUTPUTS * row);
    return erx_layout_bytes(&layout);
}

erx_status_t erx_mlp_pass_open(erx_mlp_pass_t *pass_out, const erx_float_model_t *model,
                               erx_error_t *error)
{
    *pass_out = (erx_mlp_pass_t){0};
    size_t bytes = place(pass_out, model, NULL);
    pass_out->memory = aligned_alloc(ERX_CACHE_LINE, bytes);
    if (pass_out->memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to run the float model");
    memset(pass_out->memory, 0, bytes);
    (void)place(pass_out, model, pass_out->memory);
    return ERX_OK;
}

void erx_mlp_pass_close(erx_mlp_pass_t *pass)
{
    free(pass->memory);
    *pass = (erx_mlp_pass_t){0};
}

/* Puts one value after the other into a moment's column. */
typedef struct {
    float *to;
} column_t;

static void put(column_t *column, float value)
{
    *column->to = value;
    column->to += ERX_MLP_GROUP;
}

static void put_control(column_t *column, const uint8_t control[ERX_CONTROLLER_BYTES])
{
    float values[ERX_CONTROLS / ERX_PLAYERS];
    erx_float_control_values(control, values);
    for (uint32_t i = 0; i < ERX_COUNT(values); i++)
        put(column, values[i]);
}

static void put_frame(column_t *column, const erx_float_model_t *model,
                      const erx_float_world_t *world)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            put(column, world->continuous[p][j] * model->input_scale[j]);
        for (uint32_t j = 0; j < ERX_BINARIES; j++)
            put(column, (float)world->binary[p][j]);
        put_control(column, world->control[p]);
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        uint32_t embed = erx_float_embed_of(k), width = model->embed_widths[embed];
        const float *vector = model->embeds[embed] + (size_t)world->category[k] * width;
        for (uint32_t i = 0; i < width; i++)
            put(column, vector[i]);
    }
}

static void put_moment(const erx_float_model_t *model, const erx_sequences_t *sequences,
                       const erx_mlp_moment_t *moment, float *to)
{
    uint32_t K = model->shape.stack.context;
    column_t column = {to};
    for (uint32_t k = 0; k < K; k++) {
        uint32_t back = K - 1 - k;
        erx_float_world_t world;
        erx_sequences_world(sequences, moment->game,
                            moment->frame > back ? moment->frame - back : 0, &world);
        put_frame(&column, model, &world);
    }
    const uint8_t(*control)[ERX_CONTROLLER_BYTES] =
        erx_sequences_control(sequences, moment->game, moment->frame + 1);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        put_control(&column, control[p]);
}

/* out = weights * in + bias, and ReLU where it is asked for. */
static void run_layer(const float *weights, const float *bias, uint32_t rows, uint32_t columns,
                      const float *in, bool rectified, float *out)
{
    const erx_policy_product_t product = {
        .a = weights,
        .a_row = columns,
        .a_step = 1,
        .b = in,
        .b_row = ERX_MLP_GROUP,
        .c = out,
        .c_row = ERX_MLP_GROUP,
        .rows = rows,
        .depth = columns,
        .columns = ERX_MLP_GROUP,
    };
    erx_policy_product_run(&product);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t m = 0; m < ERX_MLP_GROUP; m++) {
            float value = out[(size_t)row * ERX_MLP_GROUP + m] + bias[row];
            out[(size_t)row * ERX_MLP_GROUP + m] = rectified && value < 0.0f ? 0.0f : value;
        }
}

void erx_mlp_float_run(const erx_float_model_t *model, const erx_sequences_t *sequences,
                       const erx_mlp_moment_t *moments, uint32_t count, erx_mlp_pass_t *pass)
{
    const uint32_t H = model->shape.stack.hidden, T = model->shape.stack.trunk;
    float *output = pass->output;
    for (uint32_t m = 0; m < count; m++)
        put_moment(model, sequences, &moments[m], pass->input + m);
    run_layer(model->hidden, model->hidden_bias, H, input_rows(model), pass->input, true,
              pass->hidden);
    run_layer(model->trunk, model->trunk_bias, T, H, pass->hidden, true, pass->trunk);
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        uint32_t width = erx_float_head_width(head);
        run_layer(model->heads[head], model->head_biases[head], width, T, pass->trunk, false,
                  output);
        output += (size_t)width * ERX_MLP_GROUP;
    }
}
