#include "tools/published.h"

#include "tools/output.h"
#include "tools/output_directory.h"
#include "tools/published_tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_TARGET ((size_t)4 << 20)
#define SHARD_ALIGN  4096u
#define JSON_STYLE   (JSON_INDENT(2) | JSON_REAL_PRECISION(17))

enum { GROUP_LAYERS, GROUP_EMBEDDINGS, GROUP_PROJECTIONS, GROUP_HEADS, GROUPS };
static const char *const group_names[GROUPS] = {"layer_weights", "embeddings", "projections",
                                                "heads"};

/* What is being written. */
typedef struct {
    const erx_parameters_t *checkpoint;
    int8_t *steps;  /* the weights' file */
    float *scratch; /* as long as the longest tensor */
    double *scales;
    double *matrix_snr; /* of tensors with two dimensions or more */
    uint32_t matrix_count;
    json_t *groups[GROUPS];
    erx_error_t *error;
} writer_t;

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), wanted = strlen(ending);
    return length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

static uint32_t group_of(const char *name)
{
    if (strncmp(name, "layers.", strlen("layers.")) == 0)
        return GROUP_LAYERS;
    if (ends_with(name, "_embed.weight"))
        return GROUP_EMBEDDINGS;
    if (ends_with(name, "_head.weight") || ends_with(name, "_head.bias"))
        return GROUP_HEADS;
    return GROUP_PROJECTIONS;
}

static json_t *shape_json(const erx_parameters_tensor_t *tensor)
{
    json_t *shape = json_array();
    for (uint32_t i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->dimensions[i]));
    return shape;
}

static json_t *scales_json(const double *scales, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_real(scales[i]));
    return list;
}

/* JSON has no infinity, which the ratio of a tensor of zeros is. */
static json_t *ratio_json(double decibels)
{
    return isfinite(decibels) ? json_real(decibels) : json_null();
}

static json_t *tensor_json(const writer_t *writer, const erx_parameters_tensor_t *tensor,
                           size_t offset, const erx_published_error_t *error)
{
    json_t *entry = json_pack("{s:I, s:I, s:o}", "offset", (json_int_t)offset, "size",
                              (json_int_t)tensor->count, "shape", shape_json(tensor));
    if (tensor->rank == 3) {
        json_object_set_new(entry, "original_shape_3d", shape_json(tensor));
        json_object_set_new(entry, "reshaped_2d",
                            json_pack("[I, I]", (json_int_t)tensor->dimensions[0],
                                      (json_int_t)(tensor->count / tensor->dimensions[0])));
    }
    bool is_vector = tensor->rank == 1;
    json_object_set_new(entry, "quantization",
                        json_string(is_vector ? "per_tensor_symmetric" : "per_channel_symmetric"));
    if (is_vector)
        json_object_set_new(entry, "scale", json_real(writer->scales[0]));
    else
        json_object_set_new(entry, "scales",
                            scales_json(writer->scales, erx_published_rows(tensor)));
    json_object_set_new(entry, "snr_db", ratio_json(error->snr_db));
    json_object_set_new(entry, "error",
                        json_pack("{s:f, s:f, s:o, s:f}", "mse", error->mse, "max_abs_error",
                                  error->max_abs_error, "snr_db", ratio_json(error->snr_db),
                                  "relative_error_pct", error->relative_error_pct));
    return entry;
}

static erx_status_t add_tensors(writer_t *writer)
{
    size_t offset = 0;
    for (uint32_t i = 0; i < writer->checkpoint->count; i++) {
        const erx_parameters_tensor_t *tensor = &writer->checkpoint->tensors[i];
        if (tensor->rank < 1 || tensor->rank > 3)
            return erx_error_set(writer->error, ERX_ERR_UNSUPPORTED,
                                 "tensor %s has %u dimensions; the published format knows 1 to 3",
                                 tensor->name, tensor->rank);
        erx_published_error_t error =
            erx_published_quantize(tensor, writer->steps + offset, writer->scales, writer->scratch);
        if (!isfinite(error.mse) || !isfinite(error.relative_error_pct))
            return erx_error_set(writer->error, ERX_ERR_RANGE,
                                 "tensor %s holds values whose squares no float holds; trained "
                                 "weights are far smaller",
                                 tensor->name);
        json_object_set_new(writer->groups[group_of(tensor->name)], tensor->name,
                            tensor_json(writer, tensor, offset, &error));
        if (tensor->rank >= 2)
            writer->matrix_snr[writer->matrix_count++] = error.snr_db;
        offset += tensor->count;
    }
    return ERX_OK;
}

static json_t *shard_map_json(size_t bytes)
{
    size_t count = ERX_MAX(ERX_CEIL_DIV(bytes, SHARD_TARGET), (size_t)1), begin = 0;
    json_t *shards = json_array();
    for (size_t i = 0; i < count; i++) {
        size_t end =
            i + 1 < count ? ERX_ALIGN_UP((i + 1) * bytes / count, (size_t)SHARD_ALIGN) : bytes;
        json_array_append_new(shards,
                              json_pack("{s:I, s:I, s:I}", "index", (json_int_t)i, "offset",
                                        (json_int_t)begin, "size", (json_int_t)(end - begin)));
        begin = end;
    }
    return json_pack("{s:I, s:o}", "num_shards", (json_int_t)count, "shards", shards);
}

static json_t *error_summary_json(const writer_t *writer)
{
    double least = writer->matrix_snr[0], greatest = writer->matrix_snr[0];
    for (uint32_t i = 1; i < writer->matrix_count; i++) {
        least = ERX_MIN(least, writer->matrix_snr[i]);
        greatest = ERX_MAX(greatest, writer->matrix_snr[i]);
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "num_2d_weights", (int)writer->matrix_count,
                     "mean_snr_db",
                     ratio_json(erx_published_mean(writer->matrix_snr, writer->matrix_count)),
                     "min_snr_db", ratio_json(least), "max_snr_db", ratio_json(greatest));
}

json_t *erx_published_architecture(const erx_shape_t *shape)
{
    if (erx_shape_is_stack(shape))
        return json_pack("{s:s, s:i, s:i}", "model_type", "mlp", "hidden_dim",
                         (int)shape->stack.hidden, "trunk_dim", (int)shape->stack.trunk);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "model_type", "mamba2", "d_model",
                     (int)shape->d_model, "d_inner", (int)shape->d_inner, "d_state",
                     (int)shape->d_state, "n_layers", (int)shape->layer_count, "nheads",
                     (int)shape->head_count, "headdim", (int)shape->head_dim);
}

static json_t *manifest_json(const writer_t *writer, json_t *architecture)
{
    const erx_parameters_t *checkpoint = writer->checkpoint;
    const char *type = json_string_value(json_object_get(architecture, "model_type"));
    json_t *groups = json_object();
    for (uint32_t i = 0; i < GROUPS; i++)
        json_object_set(groups, group_names[i], writer->groups[i]);
    json_t *manifest =
        json_pack("{s:s+, s:O, s:I, s:o, s:o, s:o}", "format", type, "_int8_v1", "architecture",
                  architecture, "total_weight_bytes", (json_int_t)checkpoint->value_count,
                  "shard_map", shard_map_json(checkpoint->value_count), "weights", groups,
                  "error_summary", error_summary_json(writer));
    if (checkpoint->encoding_config != NULL)
        json_object_set(manifest, "encoding_config", checkpoint->encoding_config);
    if (checkpoint->context_len > 0)
        json_object_set_new(manifest, "context_len", json_integer(checkpoint->context_len));
    return manifest;
}

static erx_status_t write_files(const writer_t *writer, const json_t *manifest,
                                const erx_output_directory_t *directory)
{
    char path[PATH_MAX];
    erx_status_t status =
        erx_output_directory_file(directory, "weights_int8.bin", path, writer->error);
    if (status == ERX_OK)
        status =
            erx_output_write(path, writer->steps, writer->checkpoint->value_count, writer->error);
    if (status == ERX_OK)
        status = erx_output_directory_file(directory, "manifest.json", path, writer->error);
    if (status != ERX_OK)
        return status;
    /* 17 digits give every number back exactly. */
    char *text = json_dumps(manifest, JSON_STYLE);
    if (text == NULL)
        return erx_error_set(writer->error, ERX_ERR_MEMORY, "no memory for the manifest");
    status = erx_output_write(path, text, strlen(text), writer->error);
    free(text);
    return status;
}

static erx_status_t write_directory(const writer_t *writer, json_t *architecture, const char *path)
{
    erx_output_directory_t directory;
    erx_status_t status = erx_output_directory_open(&directory, path, writer->error);
    if (status != ERX_OK)
        return status;
    json_t *manifest = manifest_json(writer, architecture);
    status = write_files(writer, manifest, &directory);
    json_decref(manifest);
    if (status == ERX_OK)
        return erx_output_directory_commit(&directory, writer->error);
    erx_output_directory_abandon(&directory);
    return status;
}

static size_t longest_tensor(const erx_parameters_t *checkpoint)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < checkpoint->count; i++)
        longest = ERX_MAX(longest, checkpoint->tensors[i].count);
    return longest;
}

erx_status_t erx_published_write(const erx_parameters_t *checkpoint, json_t *architecture,
                                 const char *directory, erx_error_t *error)
{
    size_t longest = longest_tensor(checkpoint);
    writer_t writer = {
        .checkpoint = checkpoint,
        .steps = calloc(checkpoint->value_count, sizeof *writer.steps),
        .scratch = calloc(longest, sizeof *writer.scratch),
        .scales = calloc(longest, sizeof *writer.scales),
        .matrix_snr = calloc(checkpoint->count, sizeof *writer.matrix_snr),
        .error = error,
    };
    for (uint32_t i = 0; i < GROUPS; i++)
        writer.groups[i] = json_object();
    erx_status_t status = ERX_OK;
    if (writer.steps == NULL || writer.scratch == NULL || writer.scales == NULL ||
        writer.matrix_snr == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for the published format");
    if (status == ERX_OK)
        status = add_tensors(&writer);
    if (status == ERX_OK)
        status = write_directory(&writer, architecture, directory);
    for (uint32_t i = 0; i < GROUPS; i++)
        json_decref(writer.groups[i]);
    free(writer.steps);
    free(writer.scratch);
    free(writer.scales);
    free(writer.matrix_snr);
    return status;
}
