#include "tools/float_model.h"

#include "engine/manifest.h"
#include "tools/encoding_scales.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENCODING "encoding_config"

/* The categoricals of a player and the stage, as keys name them. */
static const char *const embed_names[ERX_EMBEDS] = {
    "action", "jumps", "character", "l_cancel", "hurtbox", "ground", "last_attack", "stage",
};

uint32_t erx_float_head_width(uint32_t head)
{
    return head < ERX_REGRESSION_HEADS ? erx_regression_widths[head]
                                       : erx_logit_widths[head - ERX_REGRESSION_HEADS];
}

/* A model being bound: which of the checkpoint's tensors were asked for. */
typedef struct {
    const erx_parameters_t *checkpoint;
    erx_float_model_t *model;
    bool *used; /* [checkpoint->count] */
    erx_error_t *error;
} binder_t;

/* ---- tensors ---- */

static erx_status_t find(binder_t *binder, const char *name,
                         const erx_parameters_tensor_t **tensor_out)
{
    *tensor_out = erx_parameters_find(binder->checkpoint, name);
    if (*tensor_out == NULL)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s is missing from the checkpoint", name);
    binder->used[*tensor_out - binder->checkpoint->tensors] = true;
    return ERX_OK;
}

static void shape_text(const uint32_t *dimensions, uint32_t rank, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < rank && at + 16 < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%u", i == 0 ? "" : " x ", dimensions[i]);
}

/* A tensor of exactly this shape; columns = 0 for a vector, taps = 0 but for
 * the convolution's [rows][1][taps]. */
typedef struct {
    uint32_t rows, columns, taps;
} wanted_t;

static erx_status_t check_shape(binder_t *binder, const erx_parameters_tensor_t *tensor,
                                wanted_t wanted)
{
    uint32_t dimensions[3] = {wanted.rows, wanted.taps > 0 ? 1 : wanted.columns, wanted.taps};
    uint32_t rank = wanted.taps > 0 ? 3 : wanted.columns > 0 ? 2 : 1;
    if (tensor->rank == rank &&
        memcmp(tensor->dimensions, dimensions, rank * sizeof dimensions[0]) == 0)
        return ERX_OK;
    char has[64], needs[64];
    shape_text(tensor->dimensions, tensor->rank, has, sizeof has);
    shape_text(dimensions, rank, needs, sizeof needs);
    return erx_error_set(binder->error, ERX_ERR_FORMAT,
                         "tensor %s is %s, the other tensors ask for %s", tensor->name,
                         rank == 0 ? "a number" : has, needs);
}

static erx_status_t take(binder_t *binder, const char *name, wanted_t wanted,
                         const float **values_out)
{
    const erx_parameters_tensor_t *tensor;
    erx_status_t status = find(binder, name, &tensor);
    if (status == ERX_OK)
        status = check_shape(binder, tensor, wanted);
    if (status == ERX_OK && (wanted.columns > 0 || wanted.taps > 0))
        status = erx_parameters_check_rows(tensor, binder->error);
    if (status == ERX_OK)
        *values_out = tensor->values;
    return status;
}

static erx_status_t take_layer(binder_t *binder, uint32_t layer, const char *name, wanted_t wanted,
                               const float **values_out)
{
    char key[ERX_PARAMETERS_NAME_MAX];
    (void)snprintf(key, sizeof key, "layers.%u.%s", layer, name);
    return take(binder, key, wanted, values_out);
}

/* ---- shape ---- */

static erx_status_t find_rows(binder_t *binder, const char *name, uint32_t rank, uint32_t *rows_out)
{
    const erx_parameters_tensor_t *tensor;
    erx_status_t status = find(binder, name, &tensor);
    if (status != ERX_OK)
        return status;
    if (tensor->rank != rank)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s has %u dimensions, must have %u", name, tensor->rank, rank);
    *rows_out = tensor->dimensions[0];
    return ERX_OK;
}

static uint32_t count_layers(const erx_parameters_t *checkpoint)
{
    uint32_t count = 0;
    char name[ERX_PARAMETERS_NAME_MAX];
    do
        (void)snprintf(name, sizeof name, "layers.%u.mamba.in_proj.weight", count);
    while (erx_parameters_find(checkpoint, name) != NULL && ++count <= ERX_LAYERS_MAX);
    return count;
}

/* A layer that is there behind one that is not. */
static erx_status_t check_layers(const binder_t *binder, uint32_t count)
{
    for (uint32_t i = 0; i < binder->checkpoint->count; i++) {
        const char *name = binder->checkpoint->tensors[i].name;
        unsigned layer;
        char part;
        if (sscanf(name, "layers.%5u.mamba.in_proj.weigh%c", &layer, &part) == 2 && layer > count)
            return erx_error_set(binder->error, ERX_ERR_FORMAT,
                                 "tensor layers.%u.mamba.in_proj.weight is missing from the "
                                 "checkpoint, which has %s",
                                 count, name);
    }
    return ERX_OK;
}

/* The architecture as the sizes of a few tensors tell it. */
static erx_status_t find_shape(binder_t *binder)
{
    uint32_t d, heads, channels;
    erx_status_t status = find_rows(binder, "frame_proj.weight", 2, &d);
    if (status == ERX_OK)
        status = find_rows(binder, "layers.0.mamba.A_log", 1, &heads);
    if (status == ERX_OK)
        status = find_rows(binder, "layers.0.mamba.conv1d.weight", 3, &channels);
    const uint32_t layer_count = count_layers(binder->checkpoint);
    if (status == ERX_OK)
        status = check_layers(binder, layer_count);
    if (status != ERX_OK)
        return status;
    uint32_t d_inner = 2 * d;
    if (d > ERX_D_MODEL_MAX || d_inner % heads != 0)
        return erx_error_set(binder->error, ERX_ERR_RANGE,
                             "d_model %u (rows of frame_proj.weight) and %u heads (length of "
                             "layers.0.mamba.A_log) do not make a model: d_model is at most %u and "
                             "2 d_model a multiple of the heads",
                             d, heads, ERX_D_MODEL_MAX);
    if (channels <= d_inner || (channels - d_inner) % 2 != 0)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor layers.0.mamba.conv1d.weight has %u channels, must have "
                             "2 d_model + 2 d_state with d_model %u",
                             channels, d);
    binder->model->shape = (erx_shape_t){
        .d_model = d,
        .d_inner = d_inner,
        .d_state = (channels - d_inner) / 2,
        .layer_count = layer_count,
        .head_count = heads,
        .head_dim = d_inner / heads,
    };
    return erx_shape_check(&binder->model->shape, binder->error);
}

/* What the file says of its architecture must be what its tensors say. */
static erx_status_t check_arch(const binder_t *binder)
{
    const erx_shape_t *shape = &binder->model->shape;
    const struct {
        const char *key;
        uint32_t value;
    } facts[] = {{"d_model", shape->d_model},
                 {"n_layers", shape->layer_count},
                 {"d_state", shape->d_state},
                 {"headdim", shape->head_dim}};
    for (uint32_t i = 0; i < ERX_COUNT(facts); i++) {
        const json_t *said = json_object_get(binder->checkpoint->arch, facts[i].key);
        if (said != NULL && json_integer_value(said) != (json_int_t)facts[i].value)
            return erx_error_set(binder->error, ERX_ERR_FORMAT,
                                 "arch.%s contradicts the tensors, whose sizes give %u",
                                 facts[i].key, facts[i].value);
    }
    return ERX_OK;
}

/* ---- encoding ---- */

/* Variants of the encoding that change the network's inputs or outputs in a way
 * that the engine has no place for. multi_position is none of them: it trains
 * on every frame of a sequence, and runs as any other. */
static const char *const variants[] = {
    "state_age_as_embed",
    "press_events",
    "lookahead",
    "projectiles",
    "state_flags",
    "hitstun",
    "focal_offset",
    "ctrl_residual_to_action",
    "ctrl_threshold_features",
    "character_conditioning",
};

/* What a regression row means (NUMERICS 6) gives its scale. */
static void set_output_scales(erx_float_model_t *model)
{
    float *scale = model->output_scale;
    for (uint32_t r = 0; r < ERX_REGRESSIONS; r++)
        scale[r] = 1.0f;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t i = 0; i < 4; i++)
            scale[p * 4 + i] = 1.0f / model->input_scale[ERX_S_PERCENT + i];
        for (uint32_t i = 0; i < 5; i++)
            scale[14 + p * 5 + i] = 1.0f / model->input_scale[ERX_S_SPEED_AIR_X + i];
        for (uint32_t i = 0; i < 3; i++)
            scale[24 + p * 3 + i] = 1.0f / model->input_scale[ERX_S_HITLAG + i];
    }
}

static erx_status_t check_vocabulary(const binder_t *binder, uint32_t embed)
{
    static const char *const facts[] = {"vocab", "embed_dim"};
    const uint32_t values[] = {binder->model->embed_rows[embed],
                               binder->model->embed_widths[embed]};
    for (uint32_t i = 0; i < ERX_COUNT(facts); i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "%s_%s", embed_names[embed], facts[i]);
        const json_t *value = json_object_get(binder->checkpoint->encoding_config, key);
        if (value != NULL && json_integer_value(value) != (json_int_t)values[i])
            return erx_error_set(binder->error, ERX_ERR_FORMAT,
                                 ENCODING ".%s contradicts tensor %s_embed.weight, which says %u",
                                 key, embed_names[embed], values[i]);
    }
    return ERX_OK;
}

static erx_status_t bind_embed(binder_t *binder, uint32_t embed)
{
    erx_float_model_t *model = binder->model;
    const erx_parameters_tensor_t *tensor;
    char name[ERX_PARAMETERS_NAME_MAX];
    (void)snprintf(name, sizeof name, "%s_embed.weight", embed_names[embed]);
    erx_status_t status = find(binder, name, &tensor);
    if (status != ERX_OK)
        return status;
    uint32_t category = embed == ERX_EMBEDS - 1 ? ERX_C_STAGE : embed;
    uint32_t rows = erx_category_counts[category];
    if (tensor->rank != 2 || tensor->dimensions[0] != rows ||
        tensor->dimensions[1] > ERX_FLOAT_EMBED_MAX)
        return erx_error_set(binder->error, ERX_ERR_UNSUPPORTED,
                             "tensor %s must have %u rows of at most %u values: profile i16ssm-1 "
                             "knows that many %s values",
                             name, rows, ERX_FLOAT_EMBED_MAX, embed_names[embed]);
    model->embeds[embed] = tensor->values;
    model->embed_rows[embed] = rows;
    model->embed_widths[embed] = tensor->dimensions[1];
    return check_vocabulary(binder, embed);
}

static erx_status_t bind_embeds(binder_t *binder)
{
    erx_float_model_t *model = binder->model;
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < ERX_EMBEDS && status == ERX_OK; i++)
        status = bind_embed(binder, i);
    if (status != ERX_OK)
        return status;
    model->input_width = ERX_FEATURES;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        model->embed_columns[k] = model->input_width;
        model->input_width += model->embed_widths[erx_float_embed_of(k)];
    }
    return ERX_OK;
}

static erx_status_t bind_inputs(binder_t *binder)
{
    erx_float_model_t *model = binder->model;
    uint32_t d = model->shape.d_model;
    erx_status_t status = bind_embeds(binder);
    if (status == ERX_OK)
        status = take(binder, "frame_proj.weight", (wanted_t){d, model->input_width, 0},
                      &model->frame_proj);
    if (status == ERX_OK)
        status = take(binder, "frame_proj.bias", (wanted_t){d, 0, 0}, &model->frame_bias);
    return status;
}

/* Heads on columns units. */
static erx_status_t bind_output_heads(binder_t *binder, uint32_t columns)
{
    erx_float_model_t *model = binder->model;
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < ERX_OUTPUT_HEADS && status == ERX_OK; i++) {
        char name[ERX_PARAMETERS_NAME_MAX];
        uint32_t width = erx_float_head_width(i);
        (void)snprintf(name, sizeof name, "%s_head.weight", erx_head_names[i]);
        status = take(binder, name, (wanted_t){width, columns, 0}, &model->heads[i]);
        (void)snprintf(name, sizeof name, "%s_head.bias", erx_head_names[i]);
        if (status == ERX_OK)
            status = take(binder, name, (wanted_t){width, 0, 0}, &model->head_biases[i]);
    }
    return status;
}

static erx_status_t bind_heads(binder_t *binder)
{
    erx_float_model_t *model = binder->model;
    uint32_t d = model->shape.d_model;
    erx_status_t status =
        take(binder, "final_norm.weight", (wanted_t){d, 0, 0}, &model->final_norm);
    if (status == ERX_OK)
        status =
            take(binder, "ctrl_proj.weight", (wanted_t){d, ERX_CONTROLS, 0}, &model->control_proj);
    if (status == ERX_OK)
        status = take(binder, "ctrl_proj.bias", (wanted_t){d, 0, 0}, &model->control_bias);
    return status == ERX_OK ? bind_output_heads(binder, d) : status;
}

static erx_status_t bind_layer(binder_t *binder, uint32_t index)
{
    const erx_shape_t *shape = &binder->model->shape;
    erx_float_layer_t *layer = &binder->model->layers[index];
    uint32_t channels = erx_shape_conv_dim(shape);
    uint32_t heads = shape->head_count;
    const struct {
        const char *name;
        wanted_t wanted;
        const float **values;
    } tensors[] = {
        {"norm.weight", {shape->d_model, 0, 0}, &layer->norm},
        {"mamba.in_proj.weight",
         {erx_shape_project_rows(shape), shape->d_model, 0},
         &layer->in_proj},
        {"mamba.conv1d.weight", {channels, 0, ERX_CONV_TAPS}, &layer->conv},
        {"mamba.conv1d.bias", {channels, 0, 0}, &layer->conv_bias},
        {"mamba.dt_bias", {heads, 0, 0}, &layer->dt_bias},
        {"mamba.A_log", {heads, 0, 0}, &layer->A_log},
        {"mamba.D", {heads, 0, 0}, &layer->D},
        {"mamba.norm.weight", {shape->d_inner, 0, 0}, &layer->gate_norm},
        {"mamba.out_proj.weight", {shape->d_model, shape->d_inner, 0}, &layer->out_proj},
    };
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < ERX_COUNT(tensors) && status == ERX_OK; i++)
        status = take_layer(binder, index, tensors[i].name, tensors[i].wanted, tensors[i].values);
    return status;
}

static erx_status_t check_kind(const binder_t *binder)
{
    switch (erx_parameters_kind(binder->checkpoint)) {
    case ERX_PARAMETERS_MAMBA2:
    case ERX_PARAMETERS_MLP:
        return ERX_OK;
    case ERX_PARAMETERS_POLICY:
        return erx_error_set(
            binder->error, ERX_ERR_UNSUPPORTED,
            "a policy network (keys trunk.* and *analog_head*), where a world model "
            "is needed");
    case ERX_PARAMETERS_UNKNOWN:
    default:
        return erx_error_set(
            binder->error, ERX_ERR_FORMAT,
            "no world model: no keys begin with layers.0.mamba. or trunk., as those of a plain "
            "module's state_dict do; the first tensor is %s",
            binder->checkpoint->tensors[0].name);
    }
}

static erx_status_t check_unused(const binder_t *binder)
{
    for (uint32_t i = 0; i < binder->checkpoint->count; i++)
        if (!binder->used[i])
            return erx_error_set(binder->error, ERX_ERR_FORMAT,
                                 "tensor %s is not part of a world model of this architecture and "
                                 "size",
                                 binder->checkpoint->tensors[i].name);
    return ERX_OK;
}

/* ---- MLP world models ---- */

/* The stack of frames, as the sizes of the trunk's tensors tell it; embeddings
 * are bound. */
static erx_status_t find_stack(binder_t *binder)
{
    erx_float_model_t *model = binder->model;
    erx_policy_shape_t *shape = &model->shape.stack;
    const erx_parameters_tensor_t *first;
    erx_status_t status = find_rows(binder, "trunk.0.weight", 2, &shape->hidden);
    if (status == ERX_OK)
        status = find_rows(binder, "trunk.3.weight", 2, &shape->trunk);
    if (status == ERX_OK)
        status = find(binder, "trunk.0.weight", &first);
    if (status != ERX_OK)
        return status;
    uint32_t columns = first->dimensions[1];
    if (columns <= ERX_CONTROLS || (columns - ERX_CONTROLS) % model->input_width != 0)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor trunk.0.weight has %u columns, must have %u of controllers "
                             "and %u for each frame",
                             columns, ERX_CONTROLS, model->input_width);
    shape->context = (columns - ERX_CONTROLS) / model->input_width;
    shape->is_world = 1;
    memcpy(shape->embed_widths, model->embed_widths, sizeof shape->embed_widths);
    int64_t said = binder->checkpoint->context_len;
    if (said > 0 && said != (int64_t)shape->context)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "context_len is %" PRId64
                             ", tensor trunk.0.weight has columns for %u frames",
                             said, shape->context);
    return erx_shape_check(&model->shape, binder->error);
}

static erx_status_t bind_stack(binder_t *binder)
{
    erx_float_model_t *model = binder->model;
    const erx_policy_shape_t *shape = &model->shape.stack;
    erx_status_t status = bind_embeds(binder);
    if (status == ERX_OK)
        status = find_stack(binder);
    if (status != ERX_OK)
        return status;
    const uint32_t H = shape->hidden, T = shape->trunk;
    const uint32_t columns = shape->context * model->input_width + ERX_CONTROLS;
    status = take(binder, "trunk.0.weight", (wanted_t){H, columns, 0}, &model->hidden);
    if (status == ERX_OK)
        status = take(binder, "trunk.0.bias", (wanted_t){H, 0, 0}, &model->hidden_bias);
    if (status == ERX_OK)
        status = take(binder, "trunk.3.weight", (wanted_t){T, H, 0}, &model->trunk);
    if (status == ERX_OK)
        status = take(binder, "trunk.3.bias", (wanted_t){T, 0, 0}, &model->trunk_bias);
    return status == ERX_OK ? bind_output_heads(binder, T) : status;
}

static erx_status_t bind_mamba2(binder_t *binder)
{
    erx_status_t status = find_shape(binder);
    if (status == ERX_OK)
        status = check_arch(binder);
    if (status == ERX_OK)
        status = bind_inputs(binder);
    for (uint32_t i = 0; i < binder->model->shape.layer_count && status == ERX_OK; i++)
        status = bind_layer(binder, i);
    return status == ERX_OK ? bind_heads(binder) : status;
}

static erx_status_t bind_all(binder_t *binder)
{
    if (binder->checkpoint->encoding_config == NULL)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             ENCODING
                             " is missing: without it nobody knows what the inputs mean; save "
                             "it beside the tensors (an empty one stands for the "
                             "published scales)");
    const json_t *encoding = binder->checkpoint->encoding_config;
    erx_status_t status =
        erx_encoding_check_variants(encoding, variants, ERX_COUNT(variants), binder->error);
    if (status == ERX_OK)
        status = erx_encoding_scales(encoding, binder->model->input_scale, binder->error);
    bool is_stack = erx_parameters_kind(binder->checkpoint) == ERX_PARAMETERS_MLP;
    if (status == ERX_OK)
        status = is_stack ? bind_stack(binder) : bind_mamba2(binder);
    if (status == ERX_OK)
        status = check_unused(binder);
    set_output_scales(binder->model);
    return status;
}

erx_status_t erx_float_model_bind(erx_float_model_t *model_out, const erx_parameters_t *checkpoint,
                                  erx_error_t *error)
{
    *model_out = (erx_float_model_t){0};
    binder_t binder = {.checkpoint = checkpoint, .model = model_out, .error = error};
    erx_status_t status = check_kind(&binder);
    if (status != ERX_OK)
        return status;
    binder.used = calloc(checkpoint->count, sizeof *binder.used);
    if (binder.used == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a list of tensors");
    status = bind_all(&binder);
    free(binder.used);
    return status;
}
