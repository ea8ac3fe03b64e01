#include "tools/policy_checkpoint.h"

#include "tools/output.h"
#include "tools/policy_float.h"
#include "tools/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMBED_SPREAD 0.5 /* embeddings begin in [-this, this] */
#define HEADER_ALIGN 8u

/* ---- an untrained network ---- */

typedef struct {
    erx_parameters_t *checkpoint;
    erx_random_t random;
    erx_error_t *error;
} maker_t;

/* A tensor of numbers in [-spread, spread]; columns = 0 for a vector. */
static erx_status_t add(maker_t *maker, const char *name, uint32_t rows, uint32_t columns,
                        double spread)
{
    const uint64_t dimensions[] = {rows, columns};
    float *values;
    erx_status_t status = erx_parameters_add(maker->checkpoint, name, dimensions,
                                             columns == 0 ? 1 : 2, &values, maker->error);
    if (status != ERX_OK)
        return status;
    for (size_t i = 0; i < (size_t)rows * ERX_MAX(columns, 1u); i++) {
        double uniform = ldexp((double)(erx_random_next(&maker->random) >> 11), -52) - 1.0;
        values[i] = (float)(spread * uniform);
    }
    return ERX_OK;
}

static erx_status_t add_layer(maker_t *maker, uint32_t index, uint32_t rows, uint32_t columns)
{
    char name[ERX_PARAMETERS_NAME_MAX];
    double spread = 1.0 / sqrt(columns);
    (void)snprintf(name, sizeof name, "%s.weight", erx_policy_layer_names[index]);
    erx_status_t status = add(maker, name, rows, columns, spread);
    if (status != ERX_OK)
        return status;
    (void)snprintf(name, sizeof name, "%s.bias", erx_policy_layer_names[index]);
    return add(maker, name, rows, 0, spread);
}

static erx_status_t add_all(maker_t *maker, const erx_policy_shape_t *shape)
{
    uint32_t frame = ERX_FEATURES;
    for (uint32_t k = 0; k < ERX_CATEGORICALS; k++)
        frame += shape->embed_widths[erx_policy_embed_of(k)];
    const uint32_t sizes[ERX_POLICY_LAYERS][2] = {
        {shape->hidden, shape->context * frame},
        {shape->trunk, shape->hidden},
        {ERX_POLICY_ANALOGS, shape->trunk},
        {ERX_POLICY_BUTTONS, shape->trunk},
    };
    erx_status_t status = ERX_OK;
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS && status == ERX_OK; i++)
        status = add(maker, erx_policy_embed_names[i], erx_policy_embed_rows(i),
                     shape->embed_widths[i], EMBED_SPREAD);
    for (uint32_t l = 0; l < ERX_POLICY_LAYERS && status == ERX_OK; l++)
        status = add_layer(maker, l, sizes[l][0], sizes[l][1]);
    return status;
}

erx_status_t erx_policy_checkpoint_make(const erx_policy_shape_t *shape, uint64_t seed,
                                        erx_parameters_t *checkpoint_out, erx_error_t *error)
{
    *checkpoint_out = (erx_parameters_t){.context_len = shape->context};
    maker_t maker = {.checkpoint = checkpoint_out, .error = error};
    erx_random_seed(&maker.random, seed, 0);
    erx_status_t status = erx_policy_shape_check(shape, error);
    if (status == ERX_OK)
        status = add_all(&maker, shape);
    if (status == ERX_OK)
        status = erx_parameters_seal(checkpoint_out, error);
    if (status != ERX_OK) {
        erx_parameters_close(checkpoint_out);
        return status;
    }
    checkpoint_out->encoding_config =
        json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "xy_scale", 0.05, "percent_scale",
                  0.01, "shield_scale", 0.01, "velocity_scale", 0.05, "state_age_scale", 0.01,
                  "hitlag_scale", 0.1, "stocks_scale", 0.25, "combo_count_scale", 0.1);
    return ERX_OK;
}

/* ---- files ---- */

/* The metadata holds strings only: objects as their JSON text. */
static void add_text(json_t *metadata, const char *key, const json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text != NULL)
        json_object_set_new(metadata, key, json_string(text));
    free(text);
}

static json_t *header_json(const erx_parameters_t *checkpoint, const json_t *facts)
{
    json_t *header = json_object(), *metadata = json_object();
    char context[sizeof "-9223372036854775808"];
    (void)snprintf(context, sizeof context, "%" PRId64, checkpoint->context_len);
    json_object_set_new(metadata, "context_len", json_string(context));
    add_text(metadata, "encoding_config", checkpoint->encoding_config);
    add_text(metadata, "training", facts);
    json_object_set_new(header, "__metadata__", metadata);
    size_t offset = 0;
    for (uint32_t i = 0; i < checkpoint->count; i++) {
        const erx_parameters_tensor_t *tensor = &checkpoint->tensors[i];
        json_t *shape = json_array();
        for (uint32_t k = 0; k < tensor->rank; k++)
            json_array_append_new(shape, json_integer(tensor->dimensions[k]));
        size_t end = offset + tensor->count * sizeof(float);
        json_object_set_new(header, tensor->name,
                            json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t)offset, (json_int_t)end));
        offset = end;
    }
    return header;
}

static void write_values(const erx_parameters_t *checkpoint, const char *text, FILE *stream)
{
    uint64_t length = ERX_ALIGN_UP((uint64_t)strlen(text), (uint64_t)HEADER_ALIGN);
    (void)fwrite(&length, sizeof length, 1, stream);
    (void)fprintf(stream, "%-*s", (int)length, text);
    for (uint32_t i = 0; i < checkpoint->count; i++)
        (void)fwrite(checkpoint->tensors[i].values, sizeof(float), checkpoint->tensors[i].count,
                     stream);
}

erx_status_t erx_policy_checkpoint_write(const erx_parameters_t *checkpoint, const json_t *facts,
                                         const char *path, erx_error_t *error)
{
    json_t *header = header_json(checkpoint, facts);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (text == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the checkpoint's header");
    erx_output_t output;
    erx_status_t status = erx_output_open(&output, path, error);
    if (status == ERX_OK) {
        write_values(checkpoint, text, output.stream);
        status = erx_output_commit(&output, error);
    }
    free(text);
    return status;
}
