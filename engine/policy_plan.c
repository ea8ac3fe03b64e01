/* The tensors of a policy directory: which there are, and where they lie. */
#include "engine/policy_file.h"

#include "engine/tensor_plan.h"

#include <string.h>

/* A dimension is a fixed count (> 0) or one of these sizes. */
enum {
    NONE = 0,
    HIDDEN = -1,
    TRUNK = -2,
    WIDE = -3,  /* 16-bit columns of all frames */
    DENSE = -4, /* 8-bit columns of the input */
    OUTPUTS = -5,
    EMBED_0 = -6 /* EMBED_0 - i: rows of embedding i; its width is the other dimension */
};

enum { SCALARS = 4, SC = ERX_POLICY_TENSORS - 1 };

typedef struct {
    const char *name;
    erx_dtype_t dtype;
    int32_t dimensions[2];
    size_t field; /* of the pointer in erx_policy_tensors_t; of the first scalar for sc */
} spec_t;

#define TENSOR(tensor, type, rows, columns)                                                        \
    {                                                                                              \
#tensor, ERX_DTYPE_##type, {rows, columns }, offsetof(erx_policy_tensors_t, tensor)        \
    }
#define EMBED(i)                                                                                   \
    {                                                                                              \
        "E." #i, ERX_DTYPE_I8, {EMBED_0 - (i), NONE}, offsetof(erx_policy_tensors_t, E[i])         \
    }

/* The scalars are copied as one run of i32. */
ERX_STATIC_ASSERT(offsetof(erx_policy_tensors_t, Wo_s) ==
                      offsetof(erx_policy_tensors_t, Wc_s) + (SCALARS - 1) * sizeof(int32_t),
                  "sc lies in the order of POLICY.md 9");
ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are read in place");

static const spec_t specs[] = {
    TENSOR(Wd, I8, HIDDEN, DENSE),
    TENSOR(Wc, I8, HIDDEN, WIDE),
    TENSOR(Wt, I8, TRUNK, HIDDEN),
    TENSOR(Wo, I8, OUTPUTS, TRUNK),
    EMBED(0),
    EMBED(1),
    EMBED(2),
    EMBED(3),
    EMBED(4),
    EMBED(5),
    EMBED(6),
    EMBED(7),
    TENSOR(fm, I32, ERX_CONTINUOUS, NONE),
    TENSOR(Wc_m, I32, HIDDEN, NONE),
    TENSOR(Wd_m, I32, HIDDEN, NONE),
    TENSOR(b1, I32, HIDDEN, NONE),
    TENSOR(Wt_m, I32, TRUNK, NONE),
    TENSOR(bt, I32, TRUNK, NONE),
    TENSOR(Wo_m, I32, OUTPUTS, NONE),
    TENSOR(bo, I32, OUTPUTS, NONE),
    {"sc", ERX_DTYPE_I32, {SCALARS, NONE}, offsetof(erx_policy_tensors_t, Wc_s)},
};
ERX_STATIC_ASSERT(ERX_COUNT(specs) == ERX_POLICY_TENSORS, "every tensor has its line");

static uint32_t dimension_of(const erx_policy_shape_t *shape, int32_t dimension)
{
    switch (dimension) {
    case HIDDEN:
        return shape->hidden;
    case TRUNK:
        return shape->trunk;
    case WIDE:
        return shape->context * ERX_POLICY_WIDE;
    case DENSE:
        return erx_policy_dense_input(shape);
    case OUTPUTS:
        return erx_policy_output_count(shape);
    default:
        return (uint32_t)dimension;
    }
}

static void set_dimensions(const erx_policy_shape_t *shape, const spec_t *spec,
                           erx_tensor_entry_t *entry)
{
    if (spec->dimensions[0] <= EMBED_0) {
        uint32_t embed = (uint32_t)(EMBED_0 - spec->dimensions[0]);
        entry->dimension_count = 2;
        entry->dimensions[0] = erx_policy_embed_rows(embed);
        entry->dimensions[1] = shape->embed_widths[embed];
        return;
    }
    entry->dimension_count = spec->dimensions[1] == NONE ? 1 : 2;
    for (uint32_t i = 0; i < entry->dimension_count; i++)
        entry->dimensions[i] = dimension_of(shape, spec->dimensions[i]);
}

void erx_policy_plan(const erx_policy_shape_t *shape, erx_tensor_entry_t *entries,
                     uint64_t *bytes_out)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++) {
        erx_tensor_entry_t *entry = &entries[i];
        memset(entry, 0, sizeof *entry);
        strncpy(entry->name, specs[i].name, sizeof entry->name - 1);
        entry->dtype = specs[i].dtype;
        set_dimensions(shape, &specs[i], entry);
        entry->bytes = (uint64_t)erx_dtype_bytes(entry->dtype) * entry->dimensions[0] *
                       (entry->dimension_count == 2 ? entry->dimensions[1] : 1);
        entry->offset = end;
        end = ERX_ALIGN_UP(end + entry->bytes, (uint64_t)ERX_TENSOR_ALIGN);
    }
    *bytes_out = end;
}

void erx_policy_bind_at(const erx_policy_shape_t *shape, const erx_tensor_entry_t *entries,
                        const uint8_t *weights, erx_policy_tensors_t *tensors_out)
{
    memset(tensors_out, 0, sizeof *tensors_out);
    tensors_out->shape = *shape;
    for (uint32_t i = 0; i < ERX_POLICY_TENSORS; i++) {
        const uint8_t *values = weights + entries[i].offset;
        uint8_t *field = (uint8_t *)tensors_out + specs[i].field;
        if (i == SC)
            memcpy(field, values, SCALARS * sizeof(int32_t));
        else
            memcpy(field, &values, sizeof values); /* all object pointers have one form */
    }
}

void erx_policy_bind(const erx_policy_shape_t *shape, const uint8_t *weights,
                     erx_policy_tensors_t *tensors_out)
{
    erx_tensor_entry_t entries[ERX_POLICY_TENSORS];
    uint64_t bytes;
    erx_policy_plan(shape, entries, &bytes);
    erx_policy_bind_at(shape, entries, weights, tensors_out);
}
