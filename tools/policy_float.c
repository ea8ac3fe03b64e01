#include "tools/policy_float.h"

#include "mem/layout.h"
#include "tools/encoding_scales.h"
#include "tools/policy_product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64u

const char *const erx_policy_embed_names[ERX_POLICY_EMBEDS] = {
    "action_embed.weight",      "jumps_embed.weight",   "character_embed.weight",
    "l_cancel_embed.weight",    "hurtbox_embed.weight", "ground_embed.weight",
    "last_attack_embed.weight", "stage_embed.weight",
};

const char *const erx_policy_layer_names[ERX_POLICY_LAYERS] = {"trunk.0", "trunk.3", "analog_head",
                                                               "button_head"};

/* Variants of the encoding that give the network other inputs. */
static const char *const variants[] = {"state_age_as_embed", "projectiles", "state_flags",
                                       "hitstun"};

/* ---- tensors ---- */

typedef struct {
    const erx_parameters_t *checkpoint;
    erx_policy_float_t *policy;
    erx_error_t *error;
} binder_t;

static erx_status_t find(binder_t *binder, const char *name, uint32_t rank,
                         const erx_parameters_tensor_t **tensor_out)
{
    *tensor_out = erx_parameters_find(binder->checkpoint, name);
    if (*tensor_out == NULL)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s is missing from the checkpoint", name);
    if ((*tensor_out)->rank != rank)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s has %u dimensions, must have %u", name, (*tensor_out)->rank,
                             rank);
    return ERX_OK;
}

static erx_status_t bind_embeds(binder_t *binder)
{
    erx_policy_float_t *policy = binder->policy;
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++) {
        const erx_parameters_tensor_t *tensor;
        const char *name = erx_policy_embed_names[i];
        erx_status_t status = find(binder, name, 2, &tensor);
        if (status != ERX_OK)
            return status;
        if (tensor->dimensions[0] != erx_policy_embed_rows(i) ||
            tensor->dimensions[1] > ERX_POLICY_EMBED_MAX)
            return erx_error_set(binder->error, ERX_ERR_UNSUPPORTED,
                                 "tensor %s must have %u rows of at most %u values: profile "
                                 "i8mlp-1 knows that many",
                                 name, erx_policy_embed_rows(i), ERX_POLICY_EMBED_MAX);
        policy->embeds[i] = tensor->values;
        policy->shape.embed_widths[i] = tensor->dimensions[1];
    }
    policy->frame_width = ERX_FEATURES;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        policy->embed_columns[k] = policy->frame_width;
        policy->frame_width += policy->shape.embed_widths[erx_policy_embed_of(k)];
    }
    return ERX_OK;
}

/* Binds layer index; rows or columns of 0 stand for any number. */
static erx_status_t bind_layer(binder_t *binder, uint32_t index, uint32_t rows, uint32_t columns)
{
    char name[ERX_PARAMETERS_NAME_MAX];
    const erx_parameters_tensor_t *weights, *bias;
    (void)snprintf(name, sizeof name, "%s.weight", erx_policy_layer_names[index]);
    erx_status_t status = find(binder, name, 2, &weights);
    if (status != ERX_OK)
        return status;
    if ((rows != 0 && weights->dimensions[0] != rows) ||
        (columns != 0 && weights->dimensions[1] != columns))
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s is %u x %u, the other tensors ask for %u x %u", name,
                             weights->dimensions[0], weights->dimensions[1],
                             rows != 0 ? rows : weights->dimensions[0],
                             columns != 0 ? columns : weights->dimensions[1]);
    status = erx_parameters_check_rows(weights, binder->error);
    if (status != ERX_OK)
        return status;
    (void)snprintf(name, sizeof name, "%s.bias", erx_policy_layer_names[index]);
    status = find(binder, name, 1, &bias);
    if (status != ERX_OK)
        return status;
    if (bias->dimensions[0] != weights->dimensions[0])
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor %s has %u values, its layer has %u rows", name,
                             bias->dimensions[0], weights->dimensions[0]);
    binder->policy->layers[index] = (erx_policy_layer_t){
        weights->values, bias->values, weights->dimensions[0], weights->dimensions[1]};
    return ERX_OK;
}

static erx_status_t bind_layers(binder_t *binder)
{
    erx_policy_float_t *policy = binder->policy;
    erx_status_t status = bind_layer(binder, ERX_POLICY_HIDDEN, 0, 0);
    if (status != ERX_OK)
        return status;
    const erx_policy_layer_t *hidden = &policy->layers[ERX_POLICY_HIDDEN];
    if (hidden->columns % policy->frame_width != 0)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "tensor trunk.0.weight has %u columns, must have a multiple of %u, "
                             "the values of a frame",
                             hidden->columns, policy->frame_width);
    policy->input_width = hidden->columns;
    policy->shape.context = hidden->columns / policy->frame_width;
    policy->shape.hidden = hidden->rows;
    status = bind_layer(binder, ERX_POLICY_TRUNK, 0, hidden->rows);
    policy->shape.trunk = policy->layers[ERX_POLICY_TRUNK].rows;
    if (status == ERX_OK)
        status = bind_layer(binder, ERX_POLICY_ANALOG, ERX_POLICY_ANALOGS, policy->shape.trunk);
    if (status == ERX_OK)
        status = bind_layer(binder, ERX_POLICY_BUTTON, ERX_POLICY_BUTTONS, policy->shape.trunk);
    return status;
}

static bool is_known(const char *name)
{
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        if (strcmp(name, erx_policy_embed_names[i]) == 0)
            return true;
    for (uint32_t i = 0; i < ERX_POLICY_LAYERS; i++) {
        size_t length = strlen(erx_policy_layer_names[i]);
        if (strncmp(name, erx_policy_layer_names[i], length) == 0 &&
            (strcmp(name + length, ".weight") == 0 || strcmp(name + length, ".bias") == 0))
            return true;
    }
    return false;
}

static erx_status_t check_whole(const binder_t *binder)
{
    int64_t said = binder->checkpoint->context_len;
    const erx_policy_shape_t *shape = &binder->policy->shape;
    if (said != 0 && said != (int64_t)shape->context)
        return erx_error_set(binder->error, ERX_ERR_FORMAT,
                             "context_len contradicts tensor trunk.0.weight, which has columns "
                             "for %u frames",
                             shape->context);
    for (uint32_t i = 0; i < binder->checkpoint->count; i++)
        if (!is_known(binder->checkpoint->tensors[i].name))
            return erx_error_set(binder->error, ERX_ERR_FORMAT,
                                 "tensor %s is not part of a policy network",
                                 binder->checkpoint->tensors[i].name);
    return erx_policy_shape_check(shape, binder->error);
}

erx_status_t erx_policy_float_bind(erx_policy_float_t *policy_out,
                                   const erx_parameters_t *checkpoint, erx_error_t *error)
{
    *policy_out = (erx_policy_float_t){0};
    binder_t binder = {.checkpoint = checkpoint, .policy = policy_out, .error = error};
    const json_t *encoding = checkpoint->encoding_config;
    erx_status_t status =
        erx_encoding_check_variants(encoding, variants, ERX_COUNT(variants), error);
    if (status == ERX_OK)
        status = erx_encoding_scales(encoding, policy_out->input_scale, error);
    if (status == ERX_OK)
        status = bind_embeds(&binder);
    if (status == ERX_OK)
        status = bind_layers(&binder);
    if (status == ERX_OK)
        status = check_whole(&binder);
    return status;
}

/* ---- running ---- */

static size_t pass_place(erx_policy_pass_t *pass, const erx_policy_float_t *policy, void *memory)
{
    const size_t group = ERX_POLICY_GROUP * sizeof(float);
    erx_layout_t layout = erx_layout_begin(memory);
    pass->input = erx_layout_take(&layout, policy->input_width * group);
    pass->hidden = erx_layout_take(&layout, policy->shape.hidden * group);
    pass->trunk = erx_layout_take(&layout, policy->shape.trunk * group);
    pass->output = erx_layout_take(&layout, ERX_POLICY_OUTPUTS * group);
    return erx_layout_bytes(&layout);
}

erx_status_t erx_policy_pass_open(erx_policy_pass_t *pass_out, const erx_policy_float_t *policy,
                                  erx_error_t *error)
{
    size_t bytes = pass_place(pass_out, policy, NULL);
    void *memory = aligned_alloc(ALIGNMENT, bytes);
    if (memory == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a pass of the policy");
    memset(memory, 0, bytes);
    (void)pass_place(pass_out, policy, memory);
    pass_out->memory = memory;
    return ERX_OK;
}

void erx_policy_pass_close(erx_policy_pass_t *pass)
{
    free(pass->memory);
    *pass = (erx_policy_pass_t){0};
}

/* The 13 controller values of one player. */
static void control_values(const uint8_t control[ERX_CONTROLLER_BYTES], float *values)
{
    int16_t features[ERX_CONTROLS / ERX_PLAYERS];
    erx_world_control_features(control, features);
    for (uint32_t i = 0; i < ERX_COUNT(features); i++)
        values[i] = (float)features[i] / (i < ERX_POLICY_ANALOGS ? 128.0f * 255.0f : 16384.0f);
}

void erx_policy_float_encode(const erx_policy_float_t *policy, const erx_float_world_t *world,
                             float *values)
{
    float *to = values;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            *to++ = world->continuous[p][j] * policy->input_scale[j];
        for (uint32_t j = 0; j < ERX_BINARIES; j++)
            *to++ = (float)world->binary[p][j];
        control_values(world->control[p], to);
        to += ERX_CONTROLS / ERX_PLAYERS;
    }
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++) {
        uint32_t embed = erx_policy_embed_of(k);
        uint32_t width = policy->shape.embed_widths[embed];
        memcpy(values + policy->embed_columns[k],
               policy->embeds[embed] + (size_t)world->category[k] * width, width * sizeof *values);
    }
}

/* out = weights * in + bias, and ReLU where it is asked for. */
static void run_layer(const erx_policy_layer_t *layer, const float *in, bool rectified, float *out)
{
    const erx_policy_product_t product = {
        .a = layer->weights,
        .a_row = layer->columns,
        .a_step = 1,
        .b = in,
        .b_row = ERX_POLICY_GROUP,
        .c = out,
        .c_row = ERX_POLICY_GROUP,
        .rows = layer->rows,
        .depth = layer->columns,
        .columns = ERX_POLICY_GROUP,
    };
    erx_policy_product_run(&product);
    for (uint32_t row = 0; row < layer->rows; row++)
        for (uint32_t s = 0; s < ERX_POLICY_GROUP; s++) {
            float value = out[(size_t)row * ERX_POLICY_GROUP + s] + layer->bias[row];
            out[(size_t)row * ERX_POLICY_GROUP + s] = rectified && value < 0.0f ? 0.0f : value;
        }
}

void erx_policy_float_run_layer(const erx_policy_float_t *policy, const erx_policy_pass_t *pass,
                                uint32_t layer)
{
    const size_t buttons = (size_t)ERX_POLICY_ANALOGS * ERX_POLICY_GROUP;
    const struct {
        const float *in;
        float *out;
    } flows[ERX_POLICY_LAYERS] = {{pass->input, pass->hidden},
                                  {pass->hidden, pass->trunk},
                                  {pass->trunk, pass->output},
                                  {pass->trunk, pass->output + buttons}};
    run_layer(&policy->layers[layer], flows[layer].in, layer <= ERX_POLICY_TRUNK, flows[layer].out);
}

void erx_policy_float_run(const erx_policy_float_t *policy, const erx_policy_pass_t *pass)
{
    for (uint32_t layer = 0; layer < ERX_POLICY_LAYERS; layer++)
        erx_policy_float_run_layer(policy, pass, layer);
}
