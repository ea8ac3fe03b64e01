/* What a pickle may name, and what its opcodes are called.
 *
 * The names are those that checkpoints of tensors are made of: what torch.load
 * reads with weights_only, as far as training files hold it, and a few objects
 * of named fields. Whatever is not on the list is refused. */
#ifndef ERX_TOOLS_PARAMETERS_PICKLE_NAMES_H
#define ERX_TOOLS_PARAMETERS_PICKLE_NAMES_H

#include "tools/safetensors.h"

typedef enum {
    ERX_PICKLE_CLASS_STORAGE,           /* names the number type of a storage */
    ERX_PICKLE_CLASS_REBUILD_TENSOR,    /* (storage, first value, shape, strides, ...) -> tensor */
    ERX_PICKLE_CLASS_REBUILD_PARAMETER, /* (tensor, ...) -> tensor */
    ERX_PICKLE_CLASS_DICT,              /* () -> dict */
    ERX_PICKLE_CLASS_FIELDS,            /* an object whose fields are read as a dict */
    ERX_PICKLE_CLASS_OPAQUE,            /* whatever it makes, nobody looks into it */
    ERX_PICKLE_CLASS_VALUE              /* a value by itself, which nobody looks into */
} erx_pickle_class_kind_t;

typedef struct {
    const char *name; /* module and name, as opcode GLOBAL has them */
    erx_pickle_class_kind_t kind;
    erx_number_t number; /* of a storage */
} erx_pickle_class_t;

/* Whether a name is on the list, and its index there. */
bool erx_pickle_class_find(const char *module, size_t module_length, const char *name,
                           size_t name_length, uint32_t *index_out);

/* index is one that was found. */
const erx_pickle_class_t *erx_pickle_class(uint32_t index);

/* "(unknown)" for a byte that is no opcode. */
const char *erx_pickle_opcode_name(uint8_t code);

#endif
