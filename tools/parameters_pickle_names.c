#include "tools/parameters_pickle_names.h"

#include <string.h>

static const erx_pickle_class_t classes[] = {
    {"torch FloatStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_F32},
    {"torch DoubleStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_F64},
    {"torch HalfStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_F16},
    {"torch BFloat16Storage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_BF16},
    {"torch LongStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_I64},
    {"torch IntStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_I32},
    {"torch ShortStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_I16},
    {"torch CharStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_I8},
    {"torch ByteStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_U8},
    {"torch BoolStorage", ERX_PICKLE_CLASS_STORAGE, ERX_NUMBER_BOOL},
    {"torch._utils _rebuild_tensor_v2", ERX_PICKLE_CLASS_REBUILD_TENSOR, ERX_NUMBERS},
    {"torch._utils _rebuild_parameter", ERX_PICKLE_CLASS_REBUILD_PARAMETER, ERX_NUMBERS},
    {"collections OrderedDict", ERX_PICKLE_CLASS_DICT, ERX_NUMBERS},
    /* Training metrics are often NumPy scalars. */
    {"numpy.core.multiarray scalar", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"numpy._core.multiarray scalar", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"numpy dtype", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"_codecs encode", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    /* Schedules and settings of a training run. */
    {"collections Counter", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"builtins set", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"__builtin__ set", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"torch Size", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"torch device", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"pathlib PosixPath", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"pathlib WindowsPath", ERX_PICKLE_CLASS_OPAQUE, ERX_NUMBERS},
    {"torch float32", ERX_PICKLE_CLASS_VALUE, ERX_NUMBERS},
    {"torch float16", ERX_PICKLE_CLASS_VALUE, ERX_NUMBERS},
    {"torch bfloat16", ERX_PICKLE_CLASS_VALUE, ERX_NUMBERS},
    {"argparse Namespace", ERX_PICKLE_CLASS_FIELDS, ERX_NUMBERS},
    /* The published pipeline takes an encoding_config that is still an object. */
    {"models.encoding EncodingConfig", ERX_PICKLE_CLASS_FIELDS, ERX_NUMBERS},
    {"worldmodel.model.encoding EncodingConfig", ERX_PICKLE_CLASS_FIELDS, ERX_NUMBERS},
};

bool erx_pickle_class_find(const char *module, size_t module_length, const char *name,
                           size_t name_length, uint32_t *index_out)
{
    for (uint32_t i = 0; i < ERX_COUNT(classes); i++) {
        const char *known = classes[i].name;
        if (strlen(known) == module_length + 1 + name_length &&
            memcmp(known, module, module_length) == 0 && known[module_length] == ' ' &&
            memcmp(known + module_length + 1, name, name_length) == 0) {
            *index_out = i;
            return true;
        }
    }
    return false;
}

const erx_pickle_class_t *erx_pickle_class(uint32_t index)
{
    return &classes[index];
}

/* All opcodes, so that a refusal can say which one it was. */
static const char *const opcode_names[256] = {['('] = "MARK",
                                              ['.'] = "STOP",
                                              ['0'] = "POP",
                                              ['1'] = "POP_MARK",
                                              ['2'] = "DUP",
                                              ['F'] = "FLOAT",
                                              ['I'] = "INT",
                                              ['J'] = "BININT",
                                              ['K'] = "BININT1",
                                              ['L'] = "LONG",
                                              ['M'] = "BININT2",
                                              ['N'] = "NONE",
                                              ['P'] = "PERSID",
                                              ['Q'] = "BINPERSID",
                                              ['R'] = "REDUCE",
                                              ['S'] = "STRING",
                                              ['T'] = "BINSTRING",
                                              ['U'] = "SHORT_BINSTRING",
                                              ['V'] = "UNICODE",
                                              ['X'] = "BINUNICODE",
                                              ['a'] = "APPEND",
                                              ['b'] = "BUILD",
                                              ['c'] = "GLOBAL",
                                              ['d'] = "DICT",
                                              ['}'] = "EMPTY_DICT",
                                              ['e'] = "APPENDS",
                                              ['g'] = "GET",
                                              ['h'] = "BINGET",
                                              ['i'] = "INST",
                                              ['j'] = "LONG_BINGET",
                                              ['l'] = "LIST",
                                              [']'] = "EMPTY_LIST",
                                              ['o'] = "OBJ",
                                              ['p'] = "PUT",
                                              ['q'] = "BINPUT",
                                              ['r'] = "LONG_BINPUT",
                                              ['s'] = "SETITEM",
                                              ['t'] = "TUPLE",
                                              [')'] = "EMPTY_TUPLE",
                                              ['u'] = "SETITEMS",
                                              ['G'] = "BINFLOAT",
                                              [0x80] = "PROTO",
                                              [0x81] = "NEWOBJ",
                                              [0x82] = "EXT1",
                                              [0x83] = "EXT2",
                                              [0x84] = "EXT4",
                                              [0x85] = "TUPLE1",
                                              [0x86] = "TUPLE2",
                                              [0x87] = "TUPLE3",
                                              [0x88] = "NEWTRUE",
                                              [0x89] = "NEWFALSE",
                                              [0x8a] = "LONG1",
                                              [0x8b] = "LONG4",
                                              ['B'] = "BINBYTES",
                                              ['C'] = "SHORT_BINBYTES",
                                              [0x8c] = "SHORT_BINUNICODE",
                                              [0x8d] = "BINUNICODE8",
                                              [0x8e] = "BINBYTES8",
                                              [0x8f] = "EMPTY_SET",
                                              [0x90] = "ADDITEMS",
                                              [0x91] = "FROZENSET",
                                              [0x92] = "NEWOBJ_EX",
                                              [0x93] = "STACK_GLOBAL",
                                              [0x94] = "MEMOIZE",
                                              [0x95] = "FRAME",
                                              [0x96] = "BYTEARRAY8",
                                              [0x97] = "NEXT_BUFFER",
                                              [0x98] = "READONLY_BUFFER"};

const char *erx_pickle_opcode_name(uint8_t code)
{
    return opcode_names[code] == NULL ? "(unknown)" : opcode_names[code];
}
