#include "tests/tools/parameters_fixture.h"

#include "mem/assert.h"
#include "tests/support/rng.h"
#include "tools/float_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMBED_WIDTH 4u

static const char encoding_text[] =
    "{\"xy_scale\": 0.05, \"percent_scale\": 0.01, \"shield_scale\": 0.01, "
    "\"velocity_scale\": 0.05, \"state_age_scale\": 0.01, \"hitlag_scale\": 0.1, "
    "\"stocks_scale\": 0.25, \"combo_count_scale\": 0.1, \"lookahead\": 0, \"hitstun\": false}";

typedef struct {
    erx_parameters_t *checkpoint;
    erx_rng_t rng;
} maker_t;

/* Uniform in [centre - spread, centre + spread]. */
static void add(maker_t *maker, const char *name, uint32_t rows, uint32_t columns, double centre,
                double spread)
{
    uint64_t dimensions[] = {rows, columns};
    erx_error_t error;
    float *values;
    ERX_ASSERT(erx_parameters_add(maker->checkpoint, name, dimensions, columns == 0 ? 1 : 2,
                                  &values, &error) == ERX_OK);
    for (size_t i = 0; i < (size_t)rows * ERX_MAX(columns, 1u); i++)
        values[i] =
            (float)(centre + spread * (double)erx_rng_range(&maker->rng, -10000, 10000) / 10000.0);
}

static void add_layer(maker_t *maker, const erx_shape_t *shape, uint32_t index)
{
    uint32_t d = shape->d_model, di = shape->d_inner, channels = erx_shape_conv_dim(shape);
    const struct {
        const char *name;
        uint32_t rows, columns;
        double centre, spread;
    } tensors[] = {
        {"norm.weight", d, 0, 1.0, 0.3},
        {"mamba.norm.weight", di, 0, 1.0, 0.3},
        {"mamba.in_proj.weight", erx_shape_project_rows(shape), d, 0.0, 1.7 / sqrt(d)},
        {"mamba.out_proj.weight", d, di, 0.0, 0.6 / sqrt(di)},
        {"mamba.conv1d.bias", channels, 0, 0.0, 0.2},
        {"mamba.dt_bias", shape->head_count, 0, -3.0, 1.0},
        {"mamba.A_log", shape->head_count, 0, 1.0, 1.0},
        {"mamba.D", shape->head_count, 0, 1.0, 0.2},
    };
    char name[ERX_PARAMETERS_NAME_MAX];
    for (uint32_t i = 0; i < ERX_COUNT(tensors); i++) {
        (void)snprintf(name, sizeof name, "layers.%u.%s", index, tensors[i].name);
        add(maker, name, tensors[i].rows, tensors[i].columns, tensors[i].centre, tensors[i].spread);
    }
    (void)snprintf(name, sizeof name, "layers.%u.mamba.conv1d.weight", index);
    add(maker, name, channels, ERX_CONV_TAPS, 0.0, 0.6);
    erx_parameters_tensor_t *conv = &maker->checkpoint->tensors[maker->checkpoint->count - 1];
    conv->rank = 3;
    conv->dimensions[1] = 1;
    conv->dimensions[2] = ERX_CONV_TAPS;
}

static void add_embeds(maker_t *maker)
{
    static const char *const names[ERX_EMBEDS] = {"action",  "jumps",  "character",   "l_cancel",
                                                  "hurtbox", "ground", "last_attack", "stage"};
    for (uint32_t i = 0; i < ERX_EMBEDS; i++) {
        char name[ERX_PARAMETERS_NAME_MAX];
        (void)snprintf(name, sizeof name, "%s_embed.weight", names[i]);
        uint32_t rows = erx_category_counts[i == ERX_EMBEDS - 1 ? ERX_C_STAGE : i];
        add(maker, name, rows, EMBED_WIDTH, 0.0, 1.0);
    }
}

static void add_heads(maker_t *maker, uint32_t columns)
{
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++) {
        char name[ERX_PARAMETERS_NAME_MAX];
        (void)snprintf(name, sizeof name, "%s_head.weight", erx_head_names[head]);
        add(maker, name, erx_float_head_width(head), columns, 0.0, 0.3);
        (void)snprintf(name, sizeof name, "%s_head.bias", erx_head_names[head]);
        add(maker, name, erx_float_head_width(head), 0, 0.0, 0.1);
    }
}

static void add_mamba2(maker_t *maker, const erx_shape_t *shape)
{
    uint32_t d = shape->d_model;
    maker->checkpoint->context_len = 64;
    add(maker, "frame_proj.weight", d, ERX_FEATURES + ERX_CATEGORICALS * EMBED_WIDTH, 0.0, 0.2);
    add(maker, "frame_proj.bias", d, 0, 0.0, 0.2);
    add(maker, "ctrl_proj.weight", d, ERX_CONTROLS, 0.0, 0.2);
    add(maker, "ctrl_proj.bias", d, 0, 0.0, 0.1);
    add(maker, "final_norm.weight", d, 0, 1.0, 0.3);
    for (uint32_t l = 0; l < shape->layer_count; l++)
        add_layer(maker, shape, l);
    add_heads(maker, d);
}

static void add_mlp(maker_t *maker, const erx_policy_shape_t *shape)
{
    const uint32_t frame = ERX_FEATURES + ERX_CATEGORICALS * EMBED_WIDTH;
    const uint32_t columns = shape->context * frame + ERX_CONTROLS;
    maker->checkpoint->context_len = shape->context;
    add(maker, "trunk.0.weight", shape->hidden, columns, 0.0, 2.0 / sqrt(columns));
    add(maker, "trunk.0.bias", shape->hidden, 0, 0.0, 0.2);
    add(maker, "trunk.3.weight", shape->trunk, shape->hidden, 0.0, 2.0 / sqrt(shape->hidden));
    add(maker, "trunk.3.bias", shape->trunk, 0, 0.0, 0.2);
    add_heads(maker, shape->trunk);
}

void erx_parameters_fixture(const erx_shape_t *shape, uint64_t seed,
                            erx_parameters_t *checkpoint_out)
{
    *checkpoint_out = (erx_parameters_t){0};
    maker_t maker = {.checkpoint = checkpoint_out, .rng = {seed}};
    add_embeds(&maker);
    if (erx_shape_is_stack(shape))
        add_mlp(&maker, &shape->stack);
    else
        add_mamba2(&maker, shape);
    checkpoint_out->encoding_config = json_loads(encoding_text, 0, NULL);
    ERX_ASSERT(checkpoint_out->encoding_config != NULL);
    erx_error_t error;
    ERX_ASSERT(erx_parameters_seal(checkpoint_out, &error) == ERX_OK);
}

/* Header and data as one file. */
static uint8_t *pack(json_t *header, const uint8_t *data, size_t data_bytes, size_t *size_out)
{
    char *text = json_dumps(header, JSON_COMPACT);
    uint64_t length = strlen(text);
    *size_out = sizeof length + length + data_bytes;
    uint8_t *bytes = malloc(*size_out);
    ERX_ASSERT(bytes != NULL);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, text, length);
    memcpy(bytes + sizeof length + length, data, data_bytes);
    free(text);
    json_decref(header);
    return bytes;
}

uint8_t *erx_parameters_fixture_file(const erx_parameters_t *checkpoint, size_t *size_out)
{
    char context[sizeof "-9223372036854775808"];
    (void)snprintf(context, sizeof context, "%" PRId64, checkpoint->context_len);
    float *data = malloc(checkpoint->value_count * sizeof *data);
    json_t *header = json_object();
    size_t at = 0;
    ERX_ASSERT(data != NULL);
    for (uint32_t i = 0; i < checkpoint->count; i++) {
        const erx_parameters_tensor_t *tensor = &checkpoint->tensors[i];
        json_t *shape = json_array();
        for (uint32_t k = 0; k < tensor->rank; k++)
            json_array_append_new(shape, json_integer(tensor->dimensions[k]));
        memcpy(data + at, tensor->values, tensor->count * sizeof *data);
        json_object_set_new(header, tensor->name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t)(at * sizeof *data),
                                      (json_int_t)((at + tensor->count) * sizeof *data)));
        at += tensor->count;
    }
    json_object_set_new(
        header, "__metadata__",
        json_pack("{s:s, s:s}", "encoding_config", encoding_text, "context_len", context));
    uint8_t *bytes = pack(header, (const uint8_t *)data, at * sizeof *data, size_out);
    free(data);
    return bytes;
}

/* The sequences being made: tensors are appended to data, widest values first,
 * so that each is aligned. */
typedef struct {
    json_t *header;
    uint8_t *data;
    size_t at;
} sequences_t;

static void *append(sequences_t *file, const char *name, const char *dtype, size_t value_bytes,
                    uint32_t rows, uint32_t width)
{
    uint8_t *values = file->data + file->at;
    size_t count = (size_t)rows * ERX_MAX(width * ERX_PLAYERS, 1u);
    json_t *shape = width == 0 ? json_pack("[i]", (int)rows)
                               : json_pack("[i, i, i]", (int)rows, (int)ERX_PLAYERS, (int)width);
    json_object_set_new(file->header, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape,
                                  "data_offsets", (json_int_t)file->at,
                                  (json_int_t)(file->at + count * value_bytes)));
    file->at += count * value_bytes;
    return values;
}

uint8_t *erx_sequences_fixture_file(uint32_t games, uint32_t frames, size_t *size_out)
{
    enum { FRAME_BYTES_MAX = 256 };
    uint32_t rows = games * frames;
    erx_rng_t rng = {7};
    sequences_t file = {.header = json_object(),
                        .data = calloc((size_t)rows + games + 1, FRAME_BYTES_MAX)};
    ERX_ASSERT(file.data != NULL);
    int64_t *offsets = append(&file, "game_off", "I64", sizeof *offsets, games + 1, 0);
    float *continuous = append(&file, "cont", "F32", sizeof *continuous, rows, ERX_CONTINUOUS);
    int16_t *category = append(&file, "cat", "I16", sizeof *category, rows, ERX_PLAYER_CATEGORIES);
    int16_t *stages = append(&file, "stage", "I16", sizeof *stages, games, 0);
    uint8_t *binary = append(&file, "binary", "U8", 1, rows, ERX_BINARIES);
    uint8_t *control = append(&file, "ctrl", "U8", 1, rows, ERX_CONTROLLER_BYTES);
    uint8_t *tests = append(&file, "is_test", "U8", 1, games, 0);
    for (uint32_t g = 0; g < games; g++) {
        offsets[g + 1] = (int64_t)(g + 1) * frames;
        stages[g] = 8;
        tests[g] = g % 2;
    }
    for (size_t i = 0; i < (size_t)rows * 2 * ERX_CONTINUOUS; i++)
        continuous[i] = (float)erx_rng_range(&rng, 0, 4000) / 1000.0f;
    for (size_t i = 0; i < (size_t)rows * 2 * ERX_PLAYER_CATEGORIES; i++)
        category[i] = (int16_t)erx_rng_range(
            &rng, 0, erx_category_counts[i % (2 * ERX_PLAYER_CATEGORIES)] - 1);
    for (size_t i = 0; i < (size_t)rows * 2 * ERX_BINARIES; i++)
        binary[i] = (uint8_t)erx_rng_range(&rng, 0, 1);
    erx_rng_fill(&rng, control, (size_t)rows * 2 * ERX_CONTROLLER_BYTES);
    uint8_t *bytes = pack(file.header, file.data, file.at, size_out);
    free(file.data);
    return bytes;
}
