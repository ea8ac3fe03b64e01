#include "tools/parameters_pickle.h"

#include "tools/error_text.h"
#include "tools/parameters_pickle_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STACK_MAX      (1u << 20)
#define MARKS_MAX      64u
#define NAME_MAX_SHOWN 60

/* The machine that reads a pickle: a stack, marks on it, and a memo. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    erx_pickle_t *pickle;
    erx_pickle_ref_t *stack;
    uint32_t stack_capacity;
    uint32_t depth;
    uint32_t marks[MARKS_MAX];
    uint32_t mark_count;
    erx_pickle_ref_t *memo; /* reference + 1, 0 where there is none */
    uint32_t memo_capacity;
    uint32_t memo_count;
    const char *opcode; /* name of the one being read */
    size_t opcode_at;
    bool stopped;
    erx_error_t *error;
} machine_t;

static erx_status_t refuse(machine_t *machine, erx_status_t status, const char *reason)
{
    return erx_error_set(machine->error, status, "pickle opcode %s at byte %zu: %s",
                         machine->opcode, machine->opcode_at, reason);
}

static erx_status_t malformed(machine_t *machine)
{
    return refuse(machine, ERX_ERR_FORMAT, "its operands are not what it needs");
}

static erx_status_t no_memory(machine_t *machine)
{
    return refuse(machine, ERX_ERR_MEMORY, "no memory");
}

/* ---- input ---- */

static const uint8_t *take(machine_t *machine, size_t count)
{
    if (count > machine->size - machine->at)
        return NULL;
    const uint8_t *bytes = machine->bytes + machine->at;
    machine->at += count;
    return bytes;
}

/* An unsigned little-endian number of 1 to 8 bytes. */
static bool take_number(machine_t *machine, size_t width, uint64_t *value_out)
{
    const uint8_t *bytes = take(machine, width);
    *value_out = 0;
    if (bytes == NULL)
        return false;
    memcpy(value_out, bytes, width);
    return true;
}

/* Text up to a newline, which is taken too. */
static const char *take_line(machine_t *machine, size_t *length_out)
{
    const uint8_t *start = machine->bytes + machine->at;
    const uint8_t *end = memchr(start, '\n', machine->size - machine->at);
    if (end == NULL)
        return NULL;
    *length_out = (size_t)(end - start);
    machine->at += *length_out + 1;
    return (const char *)start;
}

/* ---- values and stack ---- */

static erx_pickle_value_t *value_at(const machine_t *machine, erx_pickle_ref_t reference)
{
    return &machine->pickle->values[reference];
}

static erx_status_t push_reference(machine_t *machine, erx_pickle_ref_t reference)
{
    if (machine->depth == machine->stack_capacity) {
        uint32_t capacity = ERX_MAX(machine->stack_capacity * 2, 256u);
        if (capacity > STACK_MAX)
            return refuse(machine, ERX_ERR_RANGE, "the stack is too deep");
        erx_pickle_ref_t *grown = reallocarray(machine->stack, capacity, sizeof *grown);
        if (grown == NULL)
            return no_memory(machine);
        machine->stack = grown;
        machine->stack_capacity = capacity;
    }
    machine->stack[machine->depth++] = reference;
    return ERX_OK;
}

static erx_status_t push(machine_t *machine, erx_pickle_value_t value)
{
    erx_pickle_t *pickle = machine->pickle;
    if (pickle->count == pickle->capacity) {
        uint32_t capacity = ERX_MAX(pickle->capacity * 2, 256u);
        if (capacity > ERX_PICKLE_VALUES_MAX)
            return refuse(machine, ERX_ERR_RANGE, "there are too many values");
        erx_pickle_value_t *grown = reallocarray(pickle->values, capacity, sizeof *grown);
        if (grown == NULL)
            return no_memory(machine);
        pickle->values = grown;
        pickle->capacity = capacity;
    }
    pickle->values[pickle->count] = value;
    return push_reference(machine, pickle->count++);
}

static erx_status_t push_opaque(machine_t *machine)
{
    return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_OPAQUE});
}

/* Lowest stack index that may be popped: nothing passes a mark. */
static uint32_t floor_of(const machine_t *machine)
{
    return machine->mark_count == 0 ? 0 : machine->marks[machine->mark_count - 1];
}

static bool pop(machine_t *machine, erx_pickle_ref_t *reference_out)
{
    if (machine->depth <= floor_of(machine))
        return false;
    *reference_out = machine->stack[--machine->depth];
    return true;
}

/* The value on top of the stack, NULL where there is none. */
static erx_pickle_value_t *top(const machine_t *machine)
{
    if (machine->depth <= floor_of(machine))
        return NULL;
    return value_at(machine, machine->stack[machine->depth - 1]);
}

/* Takes everything above the last mark off the stack. */
static bool pop_mark(machine_t *machine, const erx_pickle_ref_t **items_out, uint32_t *count_out)
{
    if (machine->mark_count == 0)
        return false;
    uint32_t start = machine->marks[--machine->mark_count];
    *items_out = machine->stack + start;
    *count_out = machine->depth - start;
    machine->depth = start;
    return true;
}

static bool append(erx_pickle_value_t *container, const erx_pickle_ref_t *items, uint32_t count)
{
    uint32_t needed = container->items.count + count; /* each at most STACK_MAX at a time */
    if (needed > ERX_PICKLE_VALUES_MAX)
        return false;
    if (needed > container->items.capacity) {
        uint32_t capacity = ERX_MAX(needed, container->items.capacity * 2);
        erx_pickle_ref_t *grown =
            reallocarray(container->items.items, capacity, sizeof *container->items.items);
        if (grown == NULL)
            return false;
        container->items.items = grown;
        container->items.capacity = capacity;
    }
    if (count > 0)
        memcpy(container->items.items + container->items.count, items, count * sizeof *items);
    container->items.count = needed;
    return true;
}

static erx_status_t append_all(machine_t *machine, erx_pickle_kind_t kind,
                               const erx_pickle_ref_t *items, uint32_t count)
{
    erx_pickle_value_t *container = top(machine);
    if (container == NULL || container->kind != kind || (kind == ERX_PICKLE_DICT && count % 2 != 0))
        return malformed(machine);
    return append(container, items, count) ? ERX_OK : no_memory(machine);
}

static erx_status_t push_list(machine_t *machine, const erx_pickle_ref_t *items, uint32_t count)
{
    erx_pickle_value_t list = {.kind = ERX_PICKLE_LIST};
    if (!append(&list, items, count))
        return no_memory(machine);
    erx_status_t status = push(machine, list);
    if (status != ERX_OK)
        free(list.items.items);
    return status;
}

/* ---- classes ---- */

static erx_status_t push_class(machine_t *machine, const char *module, size_t module_length,
                               const char *name, size_t name_length)
{
    uint32_t index;
    if (erx_pickle_class_find(module, module_length, name, name_length, &index))
        return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_CLASS, .class_index = index});
    char shown[2 * NAME_MAX_SHOWN + 96];
    (void)snprintf(shown, sizeof shown,
                   "it names %.*s.%.*s, which no checkpoint of tensors needs; nothing is executed; "
                   "save tensors and plain values",
                   (int)ERX_MIN(module_length, (size_t)NAME_MAX_SHOWN), module,
                   (int)ERX_MIN(name_length, (size_t)NAME_MAX_SHOWN), name);
    return refuse(machine, ERX_ERR_UNSUPPORTED, shown);
}

static erx_status_t do_global(machine_t *machine)
{
    size_t module_length = 0, name_length = 0;
    const char *module = take_line(machine, &module_length);
    const char *name = module == NULL ? NULL : take_line(machine, &name_length);
    if (name == NULL)
        return malformed(machine);
    return push_class(machine, module, module_length, name, name_length);
}

static erx_status_t do_stack_global(machine_t *machine)
{
    erx_pickle_ref_t name, module;
    if (!pop(machine, &name) || !pop(machine, &module) ||
        value_at(machine, name)->kind != ERX_PICKLE_STRING ||
        value_at(machine, module)->kind != ERX_PICKLE_STRING)
        return malformed(machine);
    const erx_pickle_value_t *m = value_at(machine, module), *n = value_at(machine, name);
    return push_class(machine, m->string.text, m->string.length, n->string.text, n->string.length);
}

/* Item i of a list as a number of at least 0. */
static bool item_number(const machine_t *machine, const erx_pickle_value_t *list, uint32_t i,
                        uint64_t *number_out)
{
    const erx_pickle_value_t *value = value_at(machine, list->items.items[i]);
    *number_out = (uint64_t)value->integer;
    return value->kind == ERX_PICKLE_INTEGER && value->integer >= 0;
}

/* Shape or strides of a tensor. */
static bool read_sizes(const machine_t *machine, const erx_pickle_value_t *list, uint32_t rank,
                       uint64_t *sizes)
{
    if (list->kind != ERX_PICKLE_LIST || list->items.count != rank)
        return false;
    for (uint32_t i = 0; i < rank; i++)
        if (!item_number(machine, list, i, &sizes[i]))
            return false;
    return true;
}

static erx_status_t rebuild_tensor(machine_t *machine, const erx_pickle_value_t *arguments)
{
    erx_pickle_value_t value = {.kind = ERX_PICKLE_TENSOR};
    if (arguments->items.count < 4)
        return malformed(machine);
    value.tensor.storage = arguments->items.items[0];
    const erx_pickle_value_t *shape = value_at(machine, arguments->items.items[2]);
    const erx_pickle_value_t *strides = value_at(machine, arguments->items.items[3]);
    if (value_at(machine, value.tensor.storage)->kind != ERX_PICKLE_STORAGE ||
        shape->kind != ERX_PICKLE_LIST || shape->items.count > ERX_PICKLE_RANK)
        return malformed(machine);
    value.tensor.rank = shape->items.count;
    if (!item_number(machine, arguments, 1, &value.tensor.first) ||
        !read_sizes(machine, shape, value.tensor.rank, value.tensor.dimensions) ||
        !read_sizes(machine, strides, value.tensor.rank, value.tensor.strides))
        return malformed(machine);
    return push(machine, value);
}

static erx_status_t do_reduce(machine_t *machine)
{
    erx_pickle_ref_t arguments_reference, callable;
    if (!pop(machine, &arguments_reference) || !pop(machine, &callable))
        return malformed(machine);
    const erx_pickle_value_t *arguments = value_at(machine, arguments_reference);
    const erx_pickle_value_t *class = value_at(machine, callable);
    if (class->kind != ERX_PICKLE_CLASS || arguments->kind != ERX_PICKLE_LIST)
        return refuse(machine, ERX_ERR_UNSUPPORTED, "it calls something that is not on the list");
    switch (erx_pickle_class(class->class_index)->kind) {
    case ERX_PICKLE_CLASS_REBUILD_TENSOR:
        return rebuild_tensor(machine, arguments);
    case ERX_PICKLE_CLASS_REBUILD_PARAMETER:
        if (arguments->items.count == 0 ||
            value_at(machine, arguments->items.items[0])->kind != ERX_PICKLE_TENSOR)
            return malformed(machine);
        return push_reference(machine, arguments->items.items[0]);
    case ERX_PICKLE_CLASS_DICT:
        if (arguments->items.count != 0)
            return malformed(machine);
        return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_DICT});
    case ERX_PICKLE_CLASS_OPAQUE:
        return push_opaque(machine);
    case ERX_PICKLE_CLASS_STORAGE:
    case ERX_PICKLE_CLASS_FIELDS:
    case ERX_PICKLE_CLASS_VALUE:
    default:
        return refuse(machine, ERX_ERR_UNSUPPORTED, "what it names cannot be called");
    }
}

/* An object of named fields begins as an empty dict. */
static erx_status_t do_new_object(machine_t *machine)
{
    erx_pickle_ref_t arguments, callable;
    if (!pop(machine, &arguments) || !pop(machine, &callable))
        return malformed(machine);
    const erx_pickle_value_t *class = value_at(machine, callable);
    if (class->kind != ERX_PICKLE_CLASS ||
        erx_pickle_class(class->class_index)->kind != ERX_PICKLE_CLASS_FIELDS)
        return refuse(machine, ERX_ERR_UNSUPPORTED, "it makes an object");
    erx_pickle_value_t object = {.kind = ERX_PICKLE_DICT};
    object.items.is_object = true;
    return push(machine, object);
}

/* The fields of an object; attributes of a dict or of something opaque are
 * dropped. */
static erx_status_t do_build(machine_t *machine)
{
    erx_pickle_ref_t state;
    bool popped = pop(machine, &state);
    const erx_pickle_value_t *target = top(machine);
    if (!popped || target == NULL)
        return malformed(machine);
    if (target->kind != ERX_PICKLE_DICT && target->kind != ERX_PICKLE_OPAQUE)
        return refuse(machine, ERX_ERR_UNSUPPORTED, "it sets up an object");
    const erx_pickle_value_t *fields = value_at(machine, state);
    if (target->kind != ERX_PICKLE_DICT || !target->items.is_object || fields == target)
        return ERX_OK;
    if (fields->kind != ERX_PICKLE_DICT)
        return malformed(machine);
    return append_all(machine, ERX_PICKLE_DICT, fields->items.items, fields->items.count);
}

/* ('storage', class, record, device, number of values) */
static erx_status_t do_persistent(machine_t *machine)
{
    erx_pickle_ref_t reference;
    if (!pop(machine, &reference) || value_at(machine, reference)->kind != ERX_PICKLE_LIST ||
        value_at(machine, reference)->items.count != 5)
        return malformed(machine);
    const erx_pickle_value_t *list = value_at(machine, reference);
    const erx_pickle_ref_t *items = list->items.items;
    const erx_pickle_value_t *class = value_at(machine, items[1]);
    uint64_t count;
    if (!erx_pickle_is_text(value_at(machine, items[0]), "storage") ||
        class->kind != ERX_PICKLE_CLASS ||
        erx_pickle_class(class->class_index)->kind != ERX_PICKLE_CLASS_STORAGE ||
        value_at(machine, items[2])->kind != ERX_PICKLE_STRING ||
        !item_number(machine, list, 4, &count))
        return malformed(machine);
    return push(machine,
                (erx_pickle_value_t){
                    .kind = ERX_PICKLE_STORAGE,
                    .storage = {erx_pickle_class(class->class_index)->number, items[2], count}});
}

/* ---- memo ---- */

static erx_status_t memo_put(machine_t *machine, uint64_t index)
{
    if (top(machine) == NULL)
        return malformed(machine);
    if (index >= ERX_PICKLE_VALUES_MAX)
        return refuse(machine, ERX_ERR_RANGE, "the memo is too large");
    if (index >= machine->memo_capacity) {
        uint32_t capacity = ERX_MAX((uint32_t)index + 1, machine->memo_capacity * 2);
        erx_pickle_ref_t *grown = reallocarray(machine->memo, capacity, sizeof *grown);
        if (grown == NULL)
            return no_memory(machine);
        memset(grown + machine->memo_capacity, 0,
               (capacity - machine->memo_capacity) * sizeof *grown);
        machine->memo = grown;
        machine->memo_capacity = capacity;
    }
    machine->memo[index] = machine->stack[machine->depth - 1] + 1;
    machine->memo_count++;
    return ERX_OK;
}

static erx_status_t memo_get(machine_t *machine, uint64_t index)
{
    if (index >= machine->memo_capacity || machine->memo[index] == 0)
        return malformed(machine);
    return push_reference(machine, machine->memo[index] - 1);
}

/* ---- opcodes ---- */

static erx_status_t do_string(machine_t *machine, size_t width)
{
    uint64_t length;
    const uint8_t *text = NULL;
    if (take_number(machine, width, &length) && length <= machine->size)
        text = take(machine, (size_t)length);
    if (text == NULL)
        return malformed(machine);
    return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_STRING,
                                              .string = {(const char *)text, (size_t)length}});
}

/* Bytes are in the way of nothing, and nobody looks into them. */
static erx_status_t do_bytes(machine_t *machine, size_t width)
{
    uint64_t length;
    if (!take_number(machine, width, &length) || length > machine->size ||
        take(machine, (size_t)length) == NULL)
        return malformed(machine);
    return push_opaque(machine);
}

static erx_status_t do_integer(machine_t *machine, size_t width)
{
    uint64_t value;
    if (!take_number(machine, width, &value))
        return malformed(machine);
    /* The four-byte form alone is signed. */
    int64_t integer = width == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
    return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_INTEGER, .integer = integer});
}

/* A signed number; one of more than 8 bytes is the state of a random generator
 * or the like. */
static erx_status_t do_long(machine_t *machine)
{
    uint64_t width, value;
    if (!take_number(machine, 1, &width))
        return malformed(machine);
    if (width > sizeof value)
        return take(machine, (size_t)width) == NULL ? malformed(machine) : push_opaque(machine);
    if (!take_number(machine, (size_t)width, &value))
        return malformed(machine);
    if (width > 0 && width < sizeof value && (value >> (8 * width - 1)) != 0)
        value |= UINT64_MAX << (8 * width);
    return push(machine,
                (erx_pickle_value_t){.kind = ERX_PICKLE_INTEGER, .integer = (int64_t)value});
}

/* Eight bytes, big-endian. */
static erx_status_t do_real(machine_t *machine)
{
    uint64_t bits;
    erx_pickle_value_t value = {.kind = ERX_PICKLE_REAL};
    if (!take_number(machine, sizeof bits, &bits))
        return malformed(machine);
    bits = __builtin_bswap64(bits);
    memcpy(&value.real, &bits, sizeof bits);
    return push(machine, value);
}

static erx_status_t do_short_tuple(machine_t *machine, uint32_t count)
{
    erx_pickle_ref_t items[3];
    for (uint32_t i = count; i > 0; i--)
        if (!pop(machine, &items[i - 1]))
            return malformed(machine);
    return push_list(machine, items, count);
}

static erx_status_t do_marked(machine_t *machine, erx_pickle_kind_t kind, bool is_new)
{
    const erx_pickle_ref_t *items;
    uint32_t count;
    if (!pop_mark(machine, &items, &count))
        return malformed(machine);
    return is_new ? push_list(machine, items, count) : append_all(machine, kind, items, count);
}

/* What goes into a set, which nobody looks into. */
static erx_status_t do_add_items(machine_t *machine)
{
    const erx_pickle_ref_t *items;
    uint32_t count;
    if (!pop_mark(machine, &items, &count) || top(machine) == NULL ||
        top(machine)->kind != ERX_PICKLE_OPAQUE)
        return malformed(machine);
    return ERX_OK;
}

static erx_status_t do_set_item(machine_t *machine)
{
    erx_pickle_ref_t pair[2];
    if (!pop(machine, &pair[1]) || !pop(machine, &pair[0]))
        return malformed(machine);
    return append_all(machine, ERX_PICKLE_DICT, pair, 2);
}

static erx_status_t do_append(machine_t *machine)
{
    erx_pickle_ref_t item;
    return pop(machine, &item) ? append_all(machine, ERX_PICKLE_LIST, &item, 1)
                               : malformed(machine);
}

static erx_status_t do_mark(machine_t *machine)
{
    if (machine->mark_count == MARKS_MAX)
        return refuse(machine, ERX_ERR_RANGE, "there are too many marks");
    machine->marks[machine->mark_count++] = machine->depth;
    return ERX_OK;
}

static erx_status_t do_memo(machine_t *machine, size_t width, bool is_put)
{
    uint64_t index;
    if (!take_number(machine, width, &index))
        return malformed(machine);
    return is_put ? memo_put(machine, index) : memo_get(machine, index);
}

static erx_status_t do_skip(machine_t *machine, size_t width)
{
    return take(machine, width) == NULL ? malformed(machine) : ERX_OK;
}

static erx_status_t do_stop(machine_t *machine)
{
    if (machine->mark_count != 0 || machine->depth != 1)
        return malformed(machine);
    machine->pickle->root = machine->stack[0];
    machine->stopped = true;
    return ERX_OK;
}

/* The opcodes that make plain values. */
static erx_status_t run_plain(machine_t *machine, uint8_t code)
{
    switch (code) {
    case 'N':
        return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_NONE});
    case 0x88:
    case 0x89:
        return push(machine,
                    (erx_pickle_value_t){.kind = ERX_PICKLE_BOOL, .integer = code == 0x88});
    case 'K':
        return do_integer(machine, 1);
    case 'M':
        return do_integer(machine, 2);
    case 'J':
        return do_integer(machine, 4);
    case 0x8a:
        return do_long(machine);
    case 'G':
        return do_real(machine);
    case 0x8c:
        return do_string(machine, 1);
    case 'X':
        return do_string(machine, 4);
    case 'C': /* SHORT_BINBYTES */
        return do_bytes(machine, 1);
    case 'B': /* BINBYTES */
        return do_bytes(machine, 4);
    case 0x8f: /* EMPTY_SET */
        return push_opaque(machine);
    case 0x90: /* ADDITEMS */
        return do_add_items(machine);
    case '}':
        return push(machine, (erx_pickle_value_t){.kind = ERX_PICKLE_DICT});
    case ']':
    case ')':
        return push_list(machine, NULL, 0);
    default:
        return refuse(machine, ERX_ERR_UNSUPPORTED,
                      "not one of those that a checkpoint of tensors needs; nothing is executed");
    }
}

static erx_status_t run(machine_t *machine, uint8_t code)
{
    switch (code) {
    case 0x80: /* PROTO */
        return do_skip(machine, 1);
    case 0x95: /* FRAME */
        return do_skip(machine, 8);
    case '.':
        return do_stop(machine);
    case '(':
        return do_mark(machine);
    case 't':
        return do_marked(machine, ERX_PICKLE_LIST, true);
    case 'e':
        return do_marked(machine, ERX_PICKLE_LIST, false);
    case 'u':
        return do_marked(machine, ERX_PICKLE_DICT, false);
    case 'a':
        return do_append(machine);
    case 's':
        return do_set_item(machine);
    case 0x85:
    case 0x86:
    case 0x87:
        return do_short_tuple(machine, code - 0x84u);
    case 'q':
    case 'r':
        return do_memo(machine, code == 'q' ? 1 : 4, true);
    case 'h':
    case 'j':
        return do_memo(machine, code == 'h' ? 1 : 4, false);
    case 0x94: /* MEMOIZE */
        return memo_put(machine, machine->memo_count);
    case 'c':
        return do_global(machine);
    case 0x93:
        return do_stack_global(machine);
    case 'R':
        return do_reduce(machine);
    case 0x81:
        return do_new_object(machine);
    case 'b':
        return do_build(machine);
    case 'Q':
        return do_persistent(machine);
    default:
        return run_plain(machine, code);
    }
}

static erx_status_t run_all(machine_t *machine)
{
    while (!machine->stopped) {
        machine->opcode_at = machine->at;
        const uint8_t *code = take(machine, 1);
        if (code == NULL)
            return erx_error_set(machine->error, ERX_ERR_FORMAT,
                                 "pickle ends at byte %zu without the opcode STOP", machine->at);
        machine->opcode = erx_pickle_opcode_name(*code);
        erx_status_t status = run(machine, *code);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

erx_status_t erx_pickle_read(const uint8_t *bytes, size_t size, erx_pickle_t *pickle_out,
                             erx_error_t *error)
{
    *pickle_out = (erx_pickle_t){0};
    if (size > ERX_PICKLE_BYTES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "pickle of %zu bytes, at most %zu are read",
                             size, ERX_PICKLE_BYTES_MAX);
    machine_t machine = {.bytes = bytes, .size = size, .pickle = pickle_out, .error = error};
    erx_status_t status = run_all(&machine);
    free(machine.stack);
    free(machine.memo);
    if (status == ERX_OK)
        return ERX_OK;
    erx_pickle_close(pickle_out);
    return erx_error_make_printable(error);
}

void erx_pickle_close(erx_pickle_t *pickle)
{
    for (uint32_t i = 0; i < pickle->count; i++)
        if (pickle->values[i].kind == ERX_PICKLE_LIST || pickle->values[i].kind == ERX_PICKLE_DICT)
            free(pickle->values[i].items.items);
    free(pickle->values);
    *pickle = (erx_pickle_t){0};
}

const erx_pickle_value_t *erx_pickle_get(const erx_pickle_t *pickle, const erx_pickle_value_t *dict,
                                         const char *key)
{
    if (dict->kind != ERX_PICKLE_DICT)
        return NULL;
    for (uint32_t i = dict->items.count; i >= 2; i -= 2)
        if (erx_pickle_is_text(&pickle->values[dict->items.items[i - 2]], key))
            return &pickle->values[dict->items.items[i - 1]];
    return NULL;
}

bool erx_pickle_is_text(const erx_pickle_value_t *value, const char *text)
{
    return value->kind == ERX_PICKLE_STRING && value->string.length == strlen(text) &&
           memcmp(value->string.text, text, value->string.length) == 0;
}
