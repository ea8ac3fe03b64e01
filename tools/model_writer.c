#include "tools/model_writer.h"

#include "engine/model_file.h"
#include "engine/policy_file.h"
#include "kernels/tables.h"
#include "tools/activation_tables.h"
#include "tools/output.h"
#include "tools/output_directory.h"

ERX_STATIC_ASSERT(ERX_ACTIVATION_BYTES == ERX_LUTS_BYTES, "luts.bin is what the engine reads");

static const char *const dtype_names[] = {[ERX_DTYPE_I8] = "i8",
                                          [ERX_DTYPE_I16] = "i16",
                                          [ERX_DTYPE_I32] = "i32",
                                          [ERX_DTYPE_I64] = "i64"};

static const char *const file_names[] = {"manifest.json", "weights_int8.bin", ERX_LUTS_FILE};

static json_t *digest_json(const uint8_t digest[ERX_SHA256_BYTES])
{
    char text[ERX_SHA256_TEXT_MAX];
    erx_sha256_text(digest, text);
    return json_string(text);
}

/* kernels/MLP.md */
static json_t *stack_json(const erx_policy_shape_t *shape)
{
    json_t *widths = json_array();
    for (uint32_t i = 0; i < ERX_POLICY_EMBEDS; i++)
        json_array_append_new(widths, json_integer(shape->embed_widths[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o}", "model_type", "mlp", "context_len",
                     (int)shape->context, "hidden_dim", (int)shape->hidden, "trunk_dim",
                     (int)shape->trunk, "embed_widths", widths);
}

static json_t *architecture_json(const erx_shape_t *shape)
{
    if (erx_shape_is_stack(shape))
        return stack_json(&shape->stack);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "model_type", "mamba2", "d_model",
                     (int)shape->d_model, "d_inner", (int)shape->d_inner, "d_state",
                     (int)shape->d_state, "n_layers", (int)shape->layer_count, "nheads",
                     (int)shape->head_count, "headdim", (int)shape->head_dim, "d_conv",
                     (int)ERX_CONV_TAPS);
}

static json_t *heads_json(void)
{
    json_t *heads = json_object();
    for (size_t i = 0; i < ERX_COUNT(erx_head_names); i++) {
        int width = i < ERX_REGRESSION_HEADS ? erx_regression_widths[i]
                                             : erx_logit_widths[i - ERX_REGRESSION_HEADS];
        json_object_set_new(heads, erx_head_names[i], json_integer(width));
    }
    return heads;
}

static json_t *shard_map_json(const erx_manifest_t *manifest)
{
    json_t *shards = json_array();
    for (uint32_t i = 0; i < manifest->shard_count; i++) {
        const erx_shard_t *shard = &manifest->shards[i];
        json_array_append_new(shards,
                              json_pack("{s:i, s:I, s:I, s:o}", "index", (int)i, "offset",
                                        (json_int_t)shard->offset, "size", (json_int_t)shard->bytes,
                                        "sha256", digest_json(shard->sha256)));
    }
    return json_pack("{s:i, s:o}", "num_shards", (int)manifest->shard_count, "shards", shards);
}

static json_t *tensors_json(const erx_manifest_t *manifest)
{
    json_t *tensors = json_object();
    for (uint32_t i = 0; i < manifest->tensor_count; i++) {
        const erx_tensor_entry_t *entry = &manifest->tensors[i];
        json_t *dimensions = json_array();
        for (uint32_t k = 0; k < entry->dimension_count; k++)
            json_array_append_new(dimensions, json_integer(entry->dimensions[k]));
        json_object_set_new(tensors, entry->name,
                            json_pack("{s:s, s:o, s:I, s:I}", "dtype", dtype_names[entry->dtype],
                                      "shape", dimensions, "offset", (json_int_t)entry->offset,
                                      "size", (json_int_t)entry->bytes));
    }
    return tensors;
}

const char *erx_model_writer_profile(const erx_shape_t *shape)
{
    return erx_shape_is_stack(shape) ? ERX_POLICY_PROFILE : erx_profile_names[shape->profile];
}

json_t *erx_model_writer_manifest(const erx_manifest_t *manifest)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:[i,i], s:I, s:o, s:o, s:o, s:o}", "format",
                     "erx_model_v1", "profile", erx_model_writer_profile(&manifest->shape), "name",
                     manifest->name, "architecture", architecture_json(&manifest->shape), "heads",
                     heads_json(), "block_exponent", ERX_EXPONENT_MIN, ERX_EXPONENT_MAX,
                     "total_weight_bytes", (json_int_t)manifest->weight_bytes, "sha256",
                     digest_json(manifest->weight_sha256), "tables_sha256",
                     digest_json(erx_tables_sha256), "shard_map", shard_map_json(manifest),
                     "tensors", tensors_json(manifest));
}

erx_status_t erx_model_writer_check(const char *directory, erx_error_t *error)
{
    return erx_output_directory_check(directory, error);
}

static erx_status_t write_files(const erx_model_draft_t *draft,
                                const erx_output_directory_t *directory, const json_t *manifest,
                                erx_error_t *error)
{
    char paths[ERX_COUNT(file_names)][PATH_MAX];
    for (size_t i = 0; i < ERX_COUNT(file_names); i++) {
        erx_status_t named = erx_output_directory_file(directory, file_names[i], paths[i], error);
        if (named != ERX_OK)
            return named;
    }
    uint8_t tables[ERX_ACTIVATION_BYTES];
    erx_activation_tables_fill(tables);
    erx_status_t status = erx_output_json(paths[0], manifest, error);
    if (status == ERX_OK)
        status = erx_output_write(paths[1], draft->weights, draft->manifest.weight_bytes, error);
    if (status == ERX_OK)
        status = erx_output_write(paths[2], tables, sizeof tables, error);
    return status;
}

static erx_status_t write_directory(const erx_model_draft_t *draft, const char *path,
                                    const json_t *manifest, erx_error_t *error)
{
    erx_output_directory_t directory;
    erx_status_t status = erx_output_directory_open(&directory, path, error);
    if (status != ERX_OK)
        return status;
    status = write_files(draft, &directory, manifest, error);
    if (status == ERX_OK)
        return erx_output_directory_commit(&directory, error);
    erx_output_directory_abandon(&directory);
    return status;
}

erx_status_t erx_model_write(const erx_model_draft_t *draft, const char *directory,
                             json_t *provenance, json_t *fidelity, erx_error_t *error)
{
    erx_status_t status = erx_model_writer_check(directory, error);
    if (status != ERX_OK)
        return status;
    json_t *manifest = erx_model_writer_manifest(&draft->manifest);
    if (manifest == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the manifest");
    if (provenance != NULL)
        json_object_set(manifest, "provenance", provenance);
    if (fidelity != NULL)
        json_object_set(manifest, "fidelity", fidelity);
    status = write_directory(draft, directory, manifest, error);
    json_decref(manifest);
    return status;
}
