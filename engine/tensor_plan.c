#include "engine/tensor_plan.h"

#include "engine/policy_file.h"
#include "mem/assert.h"

#include <stdio.h>
#include <string.h>

/* A dimension is a fixed count (> 0) or one of these sizes. */
enum {
    NONE = 0,
    D_MODEL = -1,
    D_INNER = -2,
    CONV = -3,
    PROJECT = -4,
    HEADS = -5,
    CATEGORY_0 = -6 /* CATEGORY_0 - k: number of values of categorical k */
};

/* One tensor. field is an offset in erx_tensors_t, or in erx_layer_tensors_t
 * for a layer's: of the pointer into the weights, or, where copied is set, of
 * the scalars that are copied out of them. */
typedef struct {
    const char *name;
    erx_dtype_t dtype;
    int32_t dimensions[2];
    bool copied;
    size_t field;
} spec_t;

#define GLOBAL(tensor, type, rows, columns)                                                        \
    {                                                                                              \
#tensor, ERX_DTYPE_##type, {rows, columns }, false, offsetof(erx_tensors_t, tensor)        \
    }
#define CATEGORY(k)                                                                                \
    {                                                                                              \
        "T." #k, ERX_DTYPE_I16, {CATEGORY_0 - (k), D_MODEL}, false, offsetof(erx_tensors_t, T[k])  \
    }
#define LAYER(tensor, type, rows, columns)                                                         \
    {                                                                                              \
#tensor, ERX_DTYPE_##type, {rows, columns }, false, offsetof(erx_layer_tensors_t, tensor)  \
    }

enum { GLOBAL_SCALARS = 9, LAYER_SCALARS = 10, MATRICES = 2 };

/* The scalars are copied as one run of i32. */
ERX_STATIC_ASSERT(offsetof(erx_tensors_t, Cmax) ==
                      offsetof(erx_tensors_t, R) + (GLOBAL_SCALARS - 1) * sizeof(int32_t),
                  "sc lies in the order of NUMERICS 11");
ERX_STATIC_ASSERT(offsetof(erx_layer_tensors_t, Wo_s) ==
                      offsetof(erx_layer_tensors_t, G1_s) + (LAYER_SCALARS - 1) * sizeof(int32_t),
                  "layers.l.sc lies in the order of NUMERICS 11");
ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are read in place");

/* In the order of their names. */
static const spec_t global_specs[ERX_GLOBAL_TENSORS] = {
    GLOBAL(Gf, I16, D_MODEL, NONE),
    GLOBAL(Gh, I16, D_MODEL, NONE),
    CATEGORY(0),
    CATEGORY(1),
    CATEGORY(10),
    CATEGORY(11),
    CATEGORY(12),
    CATEGORY(13),
    CATEGORY(14),
    CATEGORY(2),
    CATEGORY(3),
    CATEGORY(4),
    CATEGORY(5),
    CATEGORY(6),
    CATEGORY(7),
    CATEGORY(8),
    CATEGORY(9),
    GLOBAL(Wctl, I16, D_MODEL, ERX_CONTROLS),
    GLOBAL(Wctl_m, I32, D_MODEL, NONE),
    GLOBAL(Wf, I16, D_MODEL, ERX_FEATURES),
    GLOBAL(Wf_m, I32, D_MODEL, NONE),
    GLOBAL(Wl, I8, ERX_LOGITS, D_MODEL),
    GLOBAL(Wl_m, I32, ERX_LOGITS, NONE),
    GLOBAL(Wr, I16, ERX_REGRESSIONS, D_MODEL),
    GLOBAL(Wr_m, I32, ERX_REGRESSIONS, NONE),
    GLOBAL(Wr_s, I32, ERX_REGRESSIONS, NONE),
    GLOBAL(bctl, I32, D_MODEL, NONE),
    GLOBAL(bf, I32, D_MODEL, NONE),
    GLOBAL(bl, I32, ERX_LOGITS, NONE),
    GLOBAL(br, I32, ERX_REGRESSIONS, NONE),
    {"eps1", ERX_DTYPE_I64, {1, NONE}, true, offsetof(erx_tensors_t, eps1)},
    GLOBAL(fm, I32, ERX_CONTINUOUS, NONE),
    {"sc", ERX_DTYPE_I32, {GLOBAL_SCALARS, NONE}, true, offsetof(erx_tensors_t, R)},
};

/* The matrices, which come first in the file, then the rest by name. */
static const spec_t layer_specs[ERX_LAYER_TENSORS] = {
    LAYER(Win, I8, PROJECT, D_MODEL),
    LAYER(Wo, I8, D_MODEL, D_INNER),
    LAYER(Am, I32, HEADS, NONE),
    LAYER(G1, I16, D_MODEL, NONE),
    LAYER(G2, I16, D_INNER, NONE),
    LAYER(Wc, I16, CONV, ERX_CONV_TAPS),
    LAYER(Wc_m, I32, CONV, NONE),
    LAYER(Win_m, I32, PROJECT, NONE),
    LAYER(Wo_m, I32, D_MODEL, NONE),
    LAYER(bc, I32, CONV, NONE),
    LAYER(dtb, I32, HEADS, NONE),
    {"eps2", ERX_DTYPE_I64, {1, NONE}, true, offsetof(erx_layer_tensors_t, eps2)},
    LAYER(mD, I32, HEADS, NONE),
    LAYER(md, I32, HEADS, NONE),
    LAYER(my, I32, HEADS, NONE),
    {"sc", ERX_DTYPE_I32, {LAYER_SCALARS, NONE}, true, offsetof(erx_layer_tensors_t, G1_s)},
};

uint32_t erx_dtype_bytes(erx_dtype_t dtype)
{
    return 1u << dtype;
}

const char *erx_dtype_name(erx_dtype_t dtype)
{
    static const char *const names[] = {"i8", "i16", "i32", "i64"};
    ERX_STATIC_ASSERT(ERX_DTYPE_I8 == 0 && ERX_DTYPE_I64 == 3, "names and sizes follow the enum");
    return names[dtype];
}

static uint32_t dimension_of(const erx_shape_t *shape, int32_t dimension)
{
    switch (dimension) {
    case D_MODEL:
        return shape->d_model;
    case D_INNER:
        return shape->d_inner;
    case CONV:
        return erx_shape_conv_dim(shape);
    case PROJECT:
        return erx_shape_project_rows(shape);
    case HEADS:
        return shape->head_count;
    default:
        return dimension > 0 ? (uint32_t)dimension : erx_category_counts[CATEGORY_0 - dimension];
    }
}

/* A spec's name in the manifest: layer < 0 for the global ones. */
static void spec_name(const spec_t *spec, int32_t layer, char name[ERX_TENSOR_NAME_MAX])
{
    int length = layer < 0 ? snprintf(name, ERX_TENSOR_NAME_MAX, "%s", spec->name)
                           : snprintf(name, ERX_TENSOR_NAME_MAX, "layers.%d.%s", layer, spec->name);
    ERX_ASSERT(length > 0 && length < (int)ERX_TENSOR_NAME_MAX);
}

/* Appends the entry of one spec at the file's end. */
static void plan_append(const erx_shape_t *shape, const spec_t *spec, int32_t layer,
                        erx_tensor_entry_t *entry, uint64_t *end)
{
    memset(entry, 0, sizeof *entry);
    spec_name(spec, layer, entry->name);
    entry->dtype = spec->dtype;
    entry->dimension_count = spec->dimensions[1] == NONE ? 1 : 2;
    entry->bytes = erx_dtype_bytes(spec->dtype);
    for (uint32_t i = 0; i < entry->dimension_count; i++) {
        entry->dimensions[i] = dimension_of(shape, spec->dimensions[i]);
        entry->bytes *= entry->dimensions[i];
    }
    entry->offset = *end;
    *end = ERX_ALIGN_UP(*end + entry->bytes, ERX_TENSOR_ALIGN);
}

uint32_t erx_manifest_plan(const erx_shape_t *shape, erx_tensor_entry_t *entries,
                           uint64_t *bytes_out)
{
    ERX_ASSERT(shape->layer_count <= ERX_LAYERS_MAX);
    if (erx_shape_is_stack(shape)) {
        erx_policy_plan(&shape->stack, entries, bytes_out);
        return ERX_POLICY_TENSORS;
    }
    int32_t layer_count = (int32_t)shape->layer_count;
    uint32_t count = 0;
    uint64_t end = 0;
    for (int32_t layer = 0; layer < layer_count; layer++) {
        for (uint32_t i = 0; i < MATRICES; i++)
            plan_append(shape, &layer_specs[i], layer, &entries[count++], &end);
    }
    for (uint32_t i = 0; i < ERX_GLOBAL_TENSORS; i++)
        plan_append(shape, &global_specs[i], -1, &entries[count++], &end);
    for (int32_t layer = 0; layer < layer_count; layer++) {
        for (uint32_t i = MATRICES; i < ERX_LAYER_TENSORS; i++)
            plan_append(shape, &layer_specs[i], layer, &entries[count++], &end);
    }
    *bytes_out = end;
    return count;
}

/* Fills one field of the struct at base from where the manifest puts it. */
static void bind_field(const erx_manifest_t *manifest, const spec_t *spec, int32_t layer,
                       const uint8_t *weights, void *base)
{
    char name[ERX_TENSOR_NAME_MAX];
    spec_name(spec, layer, name);
    const erx_tensor_entry_t *entry = erx_manifest_find(manifest, name);
    ERX_ASSERT(entry != NULL);
    const uint8_t *values = weights + entry->offset;
    uint8_t *field = (uint8_t *)base + spec->field;
    if (spec->copied)
        memcpy(field, values, entry->bytes);
    else
        memcpy(field, &values, sizeof values); /* all object pointers have one representation */
}

/* An MLP world model: its tensors where the manifest puts them. */
static void bind_stack(const erx_manifest_t *manifest, const uint8_t *weights,
                       erx_policy_tensors_t *tensors_out)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(&manifest->shape.stack, entries, &bytes);
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++) {
        const erx_tensor_entry_t *entry = erx_manifest_find(manifest, entries[i].name);
        ERX_ASSERT(entry != NULL);
        entries[i].offset = entry->offset;
    }
    erx_policy_bind_at(&manifest->shape.stack, entries, weights, tensors_out);
}

void erx_tensor_plan_bind(const erx_manifest_t *manifest, const uint8_t *weights,
                          erx_tensors_t *tensors_out)
{
    memset(tensors_out, 0, sizeof *tensors_out);
    tensors_out->shape = manifest->shape;
    if (erx_shape_is_stack(&manifest->shape)) {
        bind_stack(manifest, weights, &tensors_out->stack);
        return;
    }
    for (uint32_t i = 0; i < ERX_GLOBAL_TENSORS; i++)
        bind_field(manifest, &global_specs[i], -1, weights, tensors_out);
    for (uint32_t layer = 0; layer < manifest->shape.layer_count; layer++) {
        for (uint32_t i = 0; i < ERX_LAYER_TENSORS; i++)
            bind_field(manifest, &layer_specs[i], (int32_t)layer, weights,
                       &tensors_out->layers[layer]);
    }
}
