#include "engine/manifest_sections.h"

#include "engine/policy_file.h"
#include "kernels/tables.h"

#include <inttypes.h>
#include <string.h>

#define FORMAT "erx_model_v1"

/* ---- the shape ---- */

/* Sizes of the architecture that a shape stores. */
static const struct {
    const char *key;
    size_t field;
    uint32_t minimum, maximum, step;
} sizes[] = {
    {"d_model", offsetof(erx_shape_t, d_model), ERX_D_MODEL_STEP, ERX_D_MODEL_MAX,
     ERX_D_MODEL_STEP},
    {"d_inner", offsetof(erx_shape_t, d_inner), 2 * ERX_D_MODEL_STEP, 2 * ERX_D_MODEL_MAX,
     2 * ERX_D_MODEL_STEP},
    {"d_state", offsetof(erx_shape_t, d_state), 2, ERX_D_STATE_MAX, 2},
    {"n_layers", offsetof(erx_shape_t, layer_count), 1, ERX_LAYERS_MAX, 1},
    {"nheads", offsetof(erx_shape_t, head_count), 1, ERX_HEADS_MAX, 1},
    {"headdim", offsetof(erx_shape_t, head_dim), ERX_HEAD_DIM_STEP, 2 * ERX_D_MODEL_MAX,
     ERX_HEAD_DIM_STEP},
};

static uint32_t *size_of(erx_shape_t *shape, size_t index)
{
    return (uint32_t *)(void *)((uint8_t *)shape + sizes[index].field);
}

erx_status_t erx_shape_check(const erx_shape_t *shape, erx_error_t *error)
{
    if (erx_shape_is_stack(shape))
        return erx_policy_shape_check(&shape->stack, error);
    erx_shape_t copy = *shape;
    for (size_t i = 0; i < ERX_COUNT(sizes); i++) {
        uint32_t size = *size_of(&copy, i);
        if (size < sizes[i].minimum || size > sizes[i].maximum || size % sizes[i].step != 0)
            return erx_error_set(
                error, ERX_ERR_RANGE, "architecture.%s: %u is not a multiple of %u in [%u, %u]",
                sizes[i].key, size, sizes[i].step, sizes[i].minimum, sizes[i].maximum);
    }
    if (shape->d_inner != 2 * shape->d_model)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "architecture.d_inner: is %u, must be 2 * d_model = %u",
                             shape->d_inner, 2 * shape->d_model);
    if (shape->head_count * shape->head_dim != shape->d_inner)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "architecture.nheads: nheads * headdim is %u, must be d_inner = %u",
                             shape->head_count * shape->head_dim, shape->d_inner);
    return ERX_OK;
}

/* ---- sections of the manifest; each reads and checks its keys of root ---- */

static erx_status_t check_format(const erx_fields_t *root)
{
    static const char *const published[] = {"mamba2_int8_v1", "mlp_int8_v1", "policy_int8_v1"};
    const char *format = NULL;
    erx_status_t status = erx_fields_string(root, "format", &format);
    if (status != ERX_OK)
        return status;
    for (size_t i = 0; i < ERX_COUNT(published); i++) {
        if (strcmp(format, published[i]) == 0)
            return erx_fields_refuse(root, "format", ERX_ERR_UNSUPPORTED,
                                     "%s holds no activation scales, so it cannot run in "
                                     "integers; `erx quantize --from DIR --calib DATA --out OUT` "
                                     "makes a runnable directory from it",
                                     published[i]);
    }
    if (strcmp(format, FORMAT) != 0)
        return erx_fields_refuse(root, "format", ERX_ERR_UNSUPPORTED,
                                 "must be \"" FORMAT "\"; `erx quantize` writes it");
    return ERX_OK;
}

/* A name goes to logs and metrics: a short, printable label. */
static erx_status_t read_name(const erx_fields_t *root, erx_manifest_t *manifest)
{
    const char *name = NULL;
    erx_status_t status = erx_fields_string(root, "name", &name);
    if (status != ERX_OK)
        return status;
    size_t length = strlen(name);
    if (length == 0 || length > ERX_MODEL_NAME_MAX)
        return erx_fields_refuse(root, "name", ERX_ERR_RANGE, "is %zu bytes long, must be 1 to %u",
                                 length, ERX_MODEL_NAME_MAX);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < ' ' || name[i] == '\x7f')
            return erx_fields_refuse(root, "name", ERX_ERR_FORMAT,
                                     "must not hold control characters");
    }
    memcpy(manifest->name, name, length + 1);
    return ERX_OK;
}

static erx_status_t read_identity(const erx_fields_t *root, erx_manifest_t *manifest)
{
    erx_status_t status = check_format(root);
    if (status != ERX_OK)
        return status;
    return read_name(root, manifest);
}

static erx_status_t read_mamba2(const erx_fields_t *architecture, erx_shape_t *shape)
{
    static const char *const keys[] = {"model_type", "d_model", "d_inner", "d_state",
                                       "n_layers",   "nheads",  "headdim", "d_conv"};
    erx_status_t status = ERX_OK;
    for (size_t i = 0; i < ERX_COUNT(sizes) && status == ERX_OK; i++) {
        int64_t size = 0;
        status = erx_fields_integer(architecture, sizes[i].key, sizes[i].minimum, sizes[i].maximum,
                                    &size);
        *size_of(shape, i) = (uint32_t)size;
    }
    int64_t taps = 0;
    if (status == ERX_OK)
        status = erx_fields_integer(architecture, "d_conv", ERX_CONV_TAPS, ERX_CONV_TAPS, &taps);
    if (status == ERX_OK)
        status = erx_fields_only(architecture, keys, ERX_COUNT(keys));
    return status == ERX_OK ? erx_shape_check(shape, architecture->error) : status;
}

/* The arithmetic of a Mamba2 world model. */
static erx_status_t read_profile(const erx_fields_t *root, const char *profile,
                                 erx_profile_t *profile_out)
{
    for (uint32_t i = 0; i < ERX_PROFILES; i++) {
        *profile_out = (erx_profile_t)i;
        if (strcmp(profile, erx_profile_names[i]) == 0)
            return ERX_OK;
    }
    return erx_fields_refuse(root, "profile", ERX_ERR_UNSUPPORTED,
                             "must be \"%s\" or \"%s\", the arithmetic of this engine for "
                             "model_type mamba2",
                             erx_profile_names[ERX_PROFILE_1], erx_profile_names[ERX_PROFILE_2]);
}

/* An architecture has profiles of its own. */
static erx_status_t read_architecture(const erx_fields_t *root, erx_manifest_t *manifest)
{
    erx_fields_t architecture;
    const char *type = NULL, *profile = NULL;
    erx_status_t status = erx_fields_object(root, "architecture", &architecture);
    if (status == ERX_OK)
        status = erx_fields_string(root, "profile", &profile);
    if (status == ERX_OK)
        status = erx_fields_string(&architecture, "model_type", &type);
    if (status != ERX_OK)
        return status;
    if (strcmp(type, "mamba2") == 0) {
        status = read_profile(root, profile, &manifest->shape.profile);
        return status == ERX_OK ? read_mamba2(&architecture, &manifest->shape) : status;
    }
    if (strcmp(type, "mlp") != 0)
        return erx_fields_refuse(&architecture, "model_type", ERX_ERR_UNSUPPORTED,
                                 "must be \"mamba2\" or \"mlp\"");
    if (strcmp(profile, ERX_POLICY_PROFILE) != 0)
        return erx_fields_refuse(root, "profile", ERX_ERR_UNSUPPORTED,
                                 "must be \"%s\", the arithmetic of this engine for model_type mlp",
                                 ERX_POLICY_PROFILE);
    manifest->shape.stack.is_world = true;
    return erx_policy_read_shape(&architecture, &manifest->shape.stack);
}

/* The profile fixes the heads: regression rows first, then the logits. */
static erx_status_t check_heads(const erx_fields_t *root, erx_manifest_t *manifest)
{
    (void)manifest;
    erx_fields_t heads;
    erx_status_t status = erx_fields_object(root, "heads", &heads);
    if (status != ERX_OK)
        return status;
    for (size_t i = 0; i < ERX_COUNT(erx_head_names); i++) {
        int64_t expected = i < ERX_REGRESSION_HEADS ? erx_regression_widths[i]
                                                    : erx_logit_widths[i - ERX_REGRESSION_HEADS];
        int64_t width = 0;
        status = erx_fields_integer(&heads, erx_head_names[i], expected, expected, &width);
        if (status != ERX_OK)
            return status;
    }
    status = erx_fields_only(&heads, erx_head_names, ERX_COUNT(erx_head_names));
    if (status != ERX_OK)
        return status;
    void *position = json_object_iter(heads.object); /* in the order of the text */
    for (size_t i = 0; i < ERX_COUNT(erx_head_names); i++) {
        const char *name = json_object_iter_key(position);
        if (strcmp(name, erx_head_names[i]) != 0)
            return erx_fields_refuse(&heads, name, ERX_ERR_FORMAT,
                                     "out of order: %s comes here, outputs lie in this order",
                                     erx_head_names[i]);
        position = json_object_iter_next(heads.object, position);
    }
    return ERX_OK;
}

static erx_status_t check_exponents(const erx_fields_t *root, erx_manifest_t *manifest)
{
    (void)manifest;
    json_t *limits = NULL;
    erx_status_t status = erx_fields_array(root, "block_exponent", 2, 2, &limits);
    if (status != ERX_OK)
        return status;
    const json_t *least = json_array_get(limits, 0);
    const json_t *greatest = json_array_get(limits, 1);
    if (!json_is_integer(least) || json_integer_value(least) != ERX_EXPONENT_MIN ||
        !json_is_integer(greatest) || json_integer_value(greatest) != ERX_EXPONENT_MAX)
        return erx_fields_refuse(root, "block_exponent", ERX_ERR_RANGE,
                                 "must be [%d, %d], as the profile has it", ERX_EXPONENT_MIN,
                                 ERX_EXPONENT_MAX);
    return ERX_OK;
}

static erx_status_t read_hashes(const erx_fields_t *root, erx_manifest_t *manifest)
{
    int64_t bytes = 0;
    erx_status_t status =
        erx_fields_integer(root, "total_weight_bytes", 1, (int64_t)ERX_WEIGHT_BYTES_MAX, &bytes);
    if (status != ERX_OK)
        return status;
    manifest->weight_bytes = (uint64_t)bytes;
    status = erx_fields_digest(root, "sha256", manifest->weight_sha256);
    if (status != ERX_OK)
        return status;
    uint8_t tables[ERX_SHA256_BYTES];
    status = erx_fields_digest(root, "tables_sha256", tables);
    if (status != ERX_OK)
        return status;
    if (memcmp(tables, erx_tables_sha256, sizeof tables) != 0) {
        char text[ERX_SHA256_TEXT_MAX];
        erx_sha256_text(erx_tables_sha256, text);
        return erx_fields_refuse(root, "tables_sha256", ERX_ERR_UNSUPPORTED,
                                 "the model was made for other tables than this engine's (%s); "
                                 "quantize it again",
                                 text);
    }
    return ERX_OK;
}

/* Reads shard index, which must begin at *end, and moves *end behind it. */
static erx_status_t read_shard(const erx_fields_t *map, size_t index, uint64_t *end,
                               erx_shard_t *shard_out)
{
    static const char *const keys[] = {"index", "offset", "size", "sha256"};
    erx_fields_t shard;
    erx_status_t status = erx_fields_element(map, "shards", index, &shard);
    if (status != ERX_OK)
        return status;
    int64_t value = 0;
    status = erx_fields_integer(&shard, "index", (int64_t)index, (int64_t)index, &value);
    if (status != ERX_OK)
        return status;
    /* Contiguous: the one place where the shard can begin. */
    status = erx_fields_integer(&shard, "offset", (int64_t)*end, (int64_t)*end, &value);
    if (status != ERX_OK)
        return status;
    if (*end % ERX_SHARD_ALIGN != 0)
        return erx_fields_refuse(&shard, "offset", ERX_ERR_RANGE,
                                 "%" PRIu64 " is not a multiple of %u", *end, ERX_SHARD_ALIGN);
    shard_out->offset = *end;
    status = erx_fields_integer(&shard, "size", 1, ERX_SHARD_BYTES_MAX, &value);
    if (status != ERX_OK)
        return status;
    shard_out->bytes = (uint64_t)value;
    *end += shard_out->bytes;
    status = erx_fields_digest(&shard, "sha256", shard_out->sha256);
    if (status != ERX_OK)
        return status;
    return erx_fields_only(&shard, keys, ERX_COUNT(keys));
}

static erx_status_t read_shards(const erx_fields_t *root, erx_manifest_t *manifest)
{
    static const char *const keys[] = {"num_shards", "shards"};
    erx_fields_t map;
    erx_status_t status = erx_fields_object(root, "shard_map", &map);
    if (status != ERX_OK)
        return status;
    int64_t count = 0;
    status = erx_fields_integer(&map, "num_shards", 1, ERX_SHARDS_MAX, &count);
    if (status != ERX_OK)
        return status;
    manifest->shard_count = (uint32_t)count;
    json_t *shards = NULL;
    status = erx_fields_array(&map, "shards", (size_t)count, (size_t)count, &shards);
    if (status != ERX_OK)
        return status;
    uint64_t end = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        status = read_shard(&map, i, &end, &manifest->shards[i]);
        if (status != ERX_OK)
            return status;
    }
    if (end != manifest->weight_bytes)
        return erx_fields_refuse(&map, "shards", ERX_ERR_RANGE,
                                 "cover %" PRIu64 " bytes, total_weight_bytes is %" PRIu64, end,
                                 manifest->weight_bytes);
    return erx_fields_only(&map, keys, ERX_COUNT(keys));
}

erx_status_t erx_manifest_read_sections(const erx_fields_t *root, erx_manifest_t *manifest)
{
    typedef erx_status_t (*section_fn)(const erx_fields_t *root, erx_manifest_t *manifest);
    static const section_fn sections[] = {read_identity,   read_architecture, check_heads,
                                          check_exponents, read_hashes,       read_shards};
    for (size_t i = 0; i < ERX_COUNT(sections); i++) {
        erx_status_t status = sections[i](root, manifest);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}
