/* The part of Python's pickle format that a file of tensors needs, read as
 * data. Nothing is ever called or imported: a strict list of opcodes builds
 * plain values, and a strict list of names stands for the few classes that
 * torch.save writes. Anything else is refused, with the opcode named. */
#ifndef ERX_TOOLS_PARAMETERS_PICKLE_H
#define ERX_TOOLS_PARAMETERS_PICKLE_H

#include "mem/status.h"
#include "tools/safetensors.h"

#define ERX_PICKLE_BYTES_MAX  ((size_t)16 << 20)
#define ERX_PICKLE_VALUES_MAX (1u << 21)
#define ERX_PICKLE_RANK       4u

typedef enum {
    ERX_PICKLE_NONE,
    ERX_PICKLE_BOOL,
    ERX_PICKLE_INTEGER,
    ERX_PICKLE_REAL,
    ERX_PICKLE_STRING,
    ERX_PICKLE_LIST, /* also a tuple */
    ERX_PICKLE_DICT, /* keys and values in turns */
    ERX_PICKLE_CLASS,
    ERX_PICKLE_STORAGE,
    ERX_PICKLE_TENSOR,
    ERX_PICKLE_OPAQUE /* something harmless that is never looked into */
} erx_pickle_kind_t;

/* A value is known by its index; values may be shared, and a container may
 * even hold itself. */
typedef uint32_t erx_pickle_ref_t;

typedef struct {
    erx_pickle_kind_t kind;
    union {
        int64_t integer; /* BOOL, INTEGER */
        double real;
        struct {
            const char *text; /* in the pickle; not terminated */
            size_t length;
        } string;
        struct {
            erx_pickle_ref_t *items; /* owned */
            uint32_t count;
            uint32_t capacity;
            bool is_object; /* of a DICT: it holds the fields of an object */
        } items;            /* LIST, DICT */
        uint32_t class_index;
        struct {
            erx_number_t number;
            erx_pickle_ref_t key; /* STRING: the record's name */
            uint64_t count;       /* values in the storage */
        } storage;
        struct {
            erx_pickle_ref_t storage;
            uint32_t rank;
            uint64_t first; /* value of the storage that the tensor starts with */
            uint64_t dimensions[ERX_PICKLE_RANK];
            uint64_t strides[ERX_PICKLE_RANK];
        } tensor;
    };
} erx_pickle_value_t;

typedef struct {
    erx_pickle_value_t *values; /* owned */
    uint32_t count;
    uint32_t capacity;
    erx_pickle_ref_t root;
} erx_pickle_t;

/* Reads bytes[0, size), which must outlive the result. Errors name the opcode
 * and its place: ERX_ERR_FORMAT, ERX_ERR_UNSUPPORTED (not on the lists),
 * ERX_ERR_RANGE, ERX_ERR_MEMORY. On success the caller closes it; on failure
 * it is all zero. */
erx_status_t erx_pickle_read(const uint8_t *bytes, size_t size, erx_pickle_t *pickle_out,
                             erx_error_t *error);

/* An all-zero pickle is allowed. */
void erx_pickle_close(erx_pickle_t *pickle);

/* Value of a key of a DICT; NULL where there is none (the last of several). */
const erx_pickle_value_t *erx_pickle_get(const erx_pickle_t *pickle, const erx_pickle_value_t *dict,
                                         const char *key);

/* Whether value is a STRING of this text. */
bool erx_pickle_is_text(const erx_pickle_value_t *value, const char *text);

#endif
