#include "tools/parameters_torch.h"

#include "tools/parameters_pickle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define PICKLE_RECORD  "/data.pkl"
#define RECORD_MAX     256u
#define RECORDS_MAX    65536
#define JSON_DEPTH_MAX 8u
#define KEYS_SHOWN_MAX 100u
/* Tensors may share a storage; no honest file makes more than a few times its
 * size of that. */
#define SHARE_FACTOR_MAX 4u

typedef struct {
    uint8_t *bytes;
    size_t size;
} record_t;

typedef struct {
    zip_t *archive;
    record_t *records; /* by index in the archive; those that were read */
    uint32_t record_count;
    char prefix[RECORD_MAX]; /* folder of all records, without the slash */
    size_t budget;           /* bytes of storages that tensors may still be made of */
    erx_pickle_t pickle;
    erx_parameters_t *checkpoint;
    erx_error_t *error;
} reader_t;

static const uint8_t zip_magic[] = {'P', 'K', 3, 4};

bool erx_torch_is_file(const uint8_t *bytes, size_t size)
{
    enum { PROTO = 0x80, PROTOCOL_MAX = 5, LENGTH_BYTES = 8 };
    if (size < LENGTH_BYTES)
        return false;
    if (memcmp(bytes, zip_magic, sizeof zip_magic) == 0)
        return true;
    /* A bare pickle. A safetensors file may start with the same two bytes, but
     * there the length that they begin has zeros at its end. */
    return bytes[0] == PROTO && bytes[1] <= PROTOCOL_MAX && bytes[LENGTH_BYTES - 1] != 0;
}

/* ---- records of the archive ---- */

/* Every record must be stored as it is, and together they must fit the file:
 * then nothing can grow. */
static erx_status_t check_records(reader_t *reader, size_t file_size)
{
    zip_int64_t count = zip_get_num_entries(reader->archive, 0);
    uint64_t total = 0;
    if (count < 1 || count > RECORDS_MAX)
        return erx_error_set(reader->error, ERX_ERR_RANGE, "the archive has %" PRId64 " records",
                             (int64_t)count);
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t stat;
        if (zip_stat_index(reader->archive, (zip_uint64_t)i, 0, &stat) != 0 ||
            (stat.valid & (ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD)) !=
                (ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD))
            return erx_error_set(reader->error, ERX_ERR_FORMAT,
                                 "record %" PRId64 " of the archive cannot be read", (int64_t)i);
        if (stat.comp_method != ZIP_CM_STORE)
            return erx_error_set(reader->error, ERX_ERR_UNSUPPORTED,
                                 "record %.100s is compressed; torch.save stores records as they "
                                 "are",
                                 stat.name);
        total += ERX_MIN(stat.size, (zip_uint64_t)file_size + 1);
        if (total > file_size)
            return erx_error_set(reader->error, ERX_ERR_FORMAT,
                                 "record %.100s: the records claim more bytes than the file has",
                                 stat.name);
    }
    return ERX_OK;
}

static erx_status_t read_whole(reader_t *reader, const char *name, zip_file_t *file,
                               record_t *record)
{
    uint8_t *bytes = malloc(record->size + 1);
    if (bytes == NULL)
        return erx_error_set(reader->error, ERX_ERR_MEMORY, "no memory for record %s", name);
    if (zip_fread(file, bytes, record->size) != (zip_int64_t)record->size ||
        zip_fread(file, bytes + record->size, 1) != 0) {
        free(bytes);
        return erx_error_set(reader->error, ERX_ERR_FORMAT, "record %s is damaged or cut short",
                             name);
    }
    record->bytes = bytes;
    return ERX_OK;
}

/* A record's bytes; each is read once, however many tensors share it, and stays
 * with the reader. */
static erx_status_t read_record(reader_t *reader, const char *name, const record_t **record_out)
{
    zip_stat_t stat;
    if (zip_stat(reader->archive, name, 0, &stat) != 0 || stat.index >= reader->record_count)
        return erx_error_set(reader->error, ERX_ERR_FORMAT, "record %s is not in the archive",
                             name);
    record_t *record = &reader->records[stat.index];
    *record_out = record;
    if (record->bytes != NULL)
        return ERX_OK;
    zip_file_t *file = zip_fopen_index(reader->archive, stat.index, 0);
    if (file == NULL)
        return erx_error_set(reader->error, ERX_ERR_FORMAT, "record %s: %s", name,
                             zip_strerror(reader->archive));
    record->size = (size_t)stat.size;
    erx_status_t status = read_whole(reader, name, file, record);
    (void)zip_fclose(file);
    return status;
}

static erx_status_t find_prefix(reader_t *reader)
{
    zip_int64_t count = zip_get_num_entries(reader->archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(reader->archive, (zip_uint64_t)i, 0);
        size_t length = name == NULL ? 0 : strlen(name);
        size_t ending = strlen(PICKLE_RECORD);
        if (length < ending || strcmp(name + length - ending, PICKLE_RECORD) != 0)
            continue;
        if (length - ending >= sizeof reader->prefix / 2)
            return erx_error_set(reader->error, ERX_ERR_RANGE, "record names are too long");
        memcpy(reader->prefix, name, length - ending);
        return ERX_OK;
    }
    return erx_error_set(reader->error, ERX_ERR_FORMAT,
                         "the zip archive holds no data.pkl: not a file of torch.save");
}

/* ---- tensors ---- */

/* Copies a strided tensor out of its storage, last dimension fastest. */
static void copy_strided(const erx_pickle_value_t *tensor, erx_number_t number,
                         const uint8_t *storage, size_t count, float *values)
{
    uint64_t index[ERX_PICKLE_RANK] = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t at = tensor->tensor.first;
        for (uint32_t k = 0; k < tensor->tensor.rank; k++)
            at += index[k] * tensor->tensor.strides[k];
        erx_number_to_float(number, storage + at * erx_number_bytes(number), 1, &values[i]);
        for (uint32_t k = tensor->tensor.rank; k > 0; k--) {
            if (++index[k - 1] < tensor->tensor.dimensions[k - 1])
                break;
            index[k - 1] = 0;
        }
    }
}

/* The last value that the tensor reaches lies in its storage. */
static bool fits_storage(const erx_pickle_value_t *tensor, uint64_t storage_count)
{
    uint64_t last = tensor->tensor.first;
    if (last >= storage_count)
        return false;
    for (uint32_t k = 0; k < tensor->tensor.rank; k++) {
        uint64_t steps = tensor->tensor.dimensions[k] - 1;
        uint64_t stride = tensor->tensor.strides[k];
        if (steps > 0 && stride > (storage_count - 1 - last) / steps)
            return false;
        last += steps * stride;
    }
    return true;
}

static erx_status_t load_tensor(reader_t *reader, const char *name,
                                const erx_pickle_value_t *tensor, size_t count, float *values)
{
    const erx_pickle_value_t *storage = &reader->pickle.values[tensor->tensor.storage];
    const erx_pickle_value_t *key = &reader->pickle.values[storage->storage.key];
    char record[RECORD_MAX];
    int length = snprintf(record, sizeof record, "%s/data/%.*s", reader->prefix,
                          (int)ERX_MIN(key->string.length, (size_t)RECORD_MAX), key->string.text);
    if (length < 0 || (size_t)length >= sizeof record)
        return erx_error_set(reader->error, ERX_ERR_RANGE,
                             "tensor %s: its record's name is too long", name);
    const record_t *found;
    if (read_record(reader, record, &found) != ERX_OK)
        return erx_error_prefix(reader->error, "tensor %s", name);
    uint32_t width = erx_number_bytes(storage->storage.number);
    if (storage->storage.count > found->size / width ||
        !fits_storage(tensor, storage->storage.count))
        return erx_error_set(reader->error, ERX_ERR_FORMAT,
                             "tensor %s reaches beyond its record %s", name, record);
    copy_strided(tensor, storage->storage.number, found->bytes, count, values);
    return ERX_OK;
}

/* What may not be more than the file gives, before memory is taken for it. */
static erx_status_t check_tensor(reader_t *reader, const char *name,
                                 const erx_pickle_value_t *tensor)
{
    erx_number_t number = reader->pickle.values[tensor->tensor.storage].storage.number;
    if (!erx_number_is_float(number))
        return erx_error_set(reader->error, ERX_ERR_UNSUPPORTED,
                             "tensor %s: weights must be floating-point numbers, not %s", name,
                             erx_number_name(number));
    size_t bytes = erx_number_bytes(number);
    for (uint32_t k = 0; k < tensor->tensor.rank; k++) {
        if (tensor->tensor.strides[k] == 0 && tensor->tensor.dimensions[k] > 1)
            return erx_error_set(reader->error, ERX_ERR_UNSUPPORTED,
                                 "tensor %s repeats its values (stride 0 of dimension %u); save "
                                 "it after contiguous()",
                                 name, k);
        if (tensor->tensor.dimensions[k] > reader->budget / bytes)
            return erx_error_set(reader->error, ERX_ERR_RANGE,
                                 "tensor %s: with those before it, it has more values than the "
                                 "file holds",
                                 name);
        bytes *= (size_t)tensor->tensor.dimensions[k];
    }
    reader->budget -= bytes;
    return ERX_OK;
}

static erx_status_t add_tensor(reader_t *reader, const erx_pickle_value_t *key,
                               const erx_pickle_value_t *tensor)
{
    char name[ERX_PARAMETERS_NAME_MAX];
    if (key->kind != ERX_PICKLE_STRING || key->string.length >= sizeof name ||
        memchr(key->string.text, '\0', key->string.length) != NULL)
        return erx_error_set(reader->error, ERX_ERR_FORMAT,
                             "model_state_dict has a key that is no tensor name");
    memcpy(name, key->string.text, key->string.length);
    name[key->string.length] = '\0';
    if (tensor->kind != ERX_PICKLE_TENSOR)
        return erx_error_set(reader->error, ERX_ERR_FORMAT, "model_state_dict: %s is not a tensor",
                             name);
    float *values;
    uint32_t index = reader->checkpoint->count;
    erx_status_t status = check_tensor(reader, name, tensor);
    if (status != ERX_OK)
        return status;
    status = erx_parameters_add(reader->checkpoint, name, tensor->tensor.dimensions,
                                tensor->tensor.rank, &values, reader->error);
    if (status != ERX_OK)
        return status;
    return load_tensor(reader, name, tensor, reader->checkpoint->tensors[index].count, values);
}

/* Tells which keys there are in place of the one that is needed. */
static erx_status_t refuse_root(reader_t *reader, const erx_pickle_value_t *root)
{
    char keys[KEYS_SHOWN_MAX] = "";
    size_t at = 0;
    for (uint32_t i = 0; root->kind == ERX_PICKLE_DICT && i < root->items.count; i += 2) {
        const erx_pickle_value_t *key = &reader->pickle.values[root->items.items[i]];
        if (key->kind != ERX_PICKLE_STRING || at + key->string.length + 3 > sizeof keys)
            break;
        at += (size_t)snprintf(keys + at, sizeof keys - at, "%s%.*s", at == 0 ? "" : ", ",
                               (int)key->string.length, key->string.text);
    }
    return erx_error_set(reader->error, ERX_ERR_FORMAT,
                         "the file holds no dict model_state_dict, its keys are: %s; save a dict "
                         "of model_state_dict, encoding_config and context_len",
                         at == 0 ? "(none)" : keys);
}

static erx_status_t read_tensors(reader_t *reader, const erx_pickle_value_t *root)
{
    const erx_pickle_value_t *state = erx_pickle_get(&reader->pickle, root, "model_state_dict");
    if (state == NULL || state->kind != ERX_PICKLE_DICT)
        return refuse_root(reader, root);
    for (uint32_t i = 0; i < state->items.count; i += 2) {
        erx_status_t status = add_tensor(reader, &reader->pickle.values[state->items.items[i]],
                                         &reader->pickle.values[state->items.items[i + 1]]);
        if (status != ERX_OK)
            return status;
    }
    return ERX_OK;
}

/* ---- what describes them ---- */

static json_t *to_json(const erx_pickle_t *pickle, const erx_pickle_value_t *value, uint32_t depth);

static json_t *dict_to_json(const erx_pickle_t *pickle, const erx_pickle_value_t *dict,
                            uint32_t depth)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < dict->items.count; i += 2) {
        const erx_pickle_value_t *key = &pickle->values[dict->items.items[i]];
        char name[ERX_PARAMETERS_NAME_MAX];
        json_t *value = to_json(pickle, &pickle->values[dict->items.items[i + 1]], depth + 1);
        if (key->kind != ERX_PICKLE_STRING || key->string.length >= sizeof name || value == NULL) {
            json_decref(value);
            json_decref(object);
            return NULL;
        }
        memcpy(name, key->string.text, key->string.length);
        name[key->string.length] = '\0';
        if (json_object_set_new(object, name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *list_to_json(const erx_pickle_t *pickle, const erx_pickle_value_t *list,
                            uint32_t depth)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < list->items.count; i++) {
        json_t *value = to_json(pickle, &pickle->values[list->items.items[i]], depth + 1);
        if (value == NULL || json_array_append_new(array, value) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* A plain value as JSON; NULL where it holds anything else, or itself. */
static json_t *to_json(const erx_pickle_t *pickle, const erx_pickle_value_t *value, uint32_t depth)
{
    if (depth > JSON_DEPTH_MAX)
        return NULL;
    switch (value->kind) {
    case ERX_PICKLE_NONE:
        return json_null();
    case ERX_PICKLE_BOOL:
        return json_boolean(value->integer != 0);
    case ERX_PICKLE_INTEGER:
        return json_integer(value->integer);
    case ERX_PICKLE_REAL:
        return json_real(value->real);
    case ERX_PICKLE_STRING:
        return json_stringn(value->string.text, value->string.length);
    case ERX_PICKLE_LIST:
        return list_to_json(pickle, value, depth);
    case ERX_PICKLE_DICT:
        return dict_to_json(pickle, value, depth);
    case ERX_PICKLE_CLASS:
    case ERX_PICKLE_STORAGE:
    case ERX_PICKLE_TENSOR:
    case ERX_PICKLE_OPAQUE:
    default:
        return NULL;
    }
}

static erx_status_t read_object(reader_t *reader, const erx_pickle_value_t *root, const char *key,
                                json_t **object_out)
{
    const erx_pickle_value_t *value = erx_pickle_get(&reader->pickle, root, key);
    if (value == NULL || value->kind == ERX_PICKLE_NONE)
        return ERX_OK;
    *object_out = value->kind == ERX_PICKLE_DICT ? to_json(&reader->pickle, value, 0) : NULL;
    if (*object_out == NULL)
        return erx_error_set(reader->error, ERX_ERR_FORMAT,
                             "%s must be a dict of plain numbers, texts and lists", key);
    return ERX_OK;
}

static erx_status_t read_context(reader_t *reader, const erx_pickle_value_t *root)
{
    const erx_pickle_value_t *value = erx_pickle_get(&reader->pickle, root, "context_len");
    if (value == NULL || value->kind == ERX_PICKLE_NONE)
        return ERX_OK;
    if (value->kind != ERX_PICKLE_INTEGER || value->integer < 1)
        return erx_error_set(reader->error, ERX_ERR_FORMAT,
                             "context_len must be a whole number above 0");
    reader->checkpoint->context_len = value->integer;
    return ERX_OK;
}

/* Files of former times have one dict config, context_len among its keys. */
static erx_status_t read_old_config(reader_t *reader, const erx_pickle_value_t *root)
{
    erx_parameters_t *checkpoint = reader->checkpoint;
    erx_status_t status = read_object(reader, root, "config", &checkpoint->encoding_config);
    const json_t *context = json_object_get(checkpoint->encoding_config, "context_len");
    if (json_is_integer(context) && checkpoint->context_len == 0)
        checkpoint->context_len = json_integer_value(context);
    json_object_del(checkpoint->encoding_config, "context_len");
    return status;
}

/* Files say which machine's byte order they have since PyTorch 2.1. */
static erx_status_t check_byte_order(reader_t *reader)
{
    char name[RECORD_MAX];
    const record_t *record;
    (void)snprintf(name, sizeof name, "%.*s/byteorder", (int)sizeof name / 2, reader->prefix);
    if (zip_name_locate(reader->archive, name, 0) < 0)
        return ERX_OK;
    erx_status_t status = read_record(reader, name, &record);
    if (status == ERX_OK && (record->size < 6 || memcmp(record->bytes, "little", 6) != 0))
        status = erx_error_set(reader->error, ERX_ERR_UNSUPPORTED,
                               "record %s: the file was saved on a big-endian machine; save it on "
                               "a little-endian one",
                               name);
    return status;
}

static erx_status_t read_structure(reader_t *reader)
{
    char name[RECORD_MAX];
    const record_t *record;
    (void)snprintf(name, sizeof name, "%.*s" PICKLE_RECORD, (int)sizeof name / 2, reader->prefix);
    erx_status_t status = read_record(reader, name, &record);
    if (status == ERX_OK)
        status = erx_pickle_read(record->bytes, record->size, &reader->pickle, reader->error);
    if (status == ERX_OK) {
        const erx_pickle_value_t *root = &reader->pickle.values[reader->pickle.root];
        status = read_tensors(reader, root);
        if (status == ERX_OK)
            status =
                read_object(reader, root, "encoding_config", &reader->checkpoint->encoding_config);
        if (status == ERX_OK)
            status = read_object(reader, root, "arch", &reader->checkpoint->arch);
        if (status == ERX_OK)
            status = read_context(reader, root);
        if (status == ERX_OK && reader->checkpoint->encoding_config == NULL)
            status = read_old_config(reader, root);
        erx_pickle_close(&reader->pickle);
    }
    return status;
}

static erx_status_t read_archive(reader_t *reader, size_t file_size)
{
    erx_status_t status = check_records(reader, file_size);
    if (status == ERX_OK)
        status = find_prefix(reader);
    if (status != ERX_OK)
        return status;
    reader->record_count = (uint32_t)zip_get_num_entries(reader->archive, 0);
    reader->records = calloc(reader->record_count, sizeof *reader->records);
    if (reader->records == NULL)
        return erx_error_set(reader->error, ERX_ERR_MEMORY, "no memory for %u records",
                             reader->record_count);
    status = check_byte_order(reader);
    if (status == ERX_OK)
        status = read_structure(reader);
    for (uint32_t i = 0; i < reader->record_count; i++)
        free(reader->records[i].bytes);
    free(reader->records);
    return status;
}

erx_status_t erx_torch_read(erx_parameters_t *checkpoint, const uint8_t *bytes, size_t size,
                            erx_error_t *error)
{
    if (size < sizeof zip_magic || memcmp(bytes, zip_magic, sizeof zip_magic) != 0)
        return erx_error_set(
            error, ERX_ERR_UNSUPPORTED,
            "a bare pickle (its first opcode is PROTO), as torch.save wrote before "
            "version 1.6; load and save it anew");
    zip_error_t reason;
    zip_error_init(&reason);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &reason);
    zip_t *archive =
        source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &reason);
    if (archive == NULL) {
        (void)erx_error_set(error, ERX_ERR_FORMAT,
                            "zip archive: %s; the file may be damaged or cut short",
                            zip_error_strerror(&reason));
        if (source != NULL)
            zip_source_free(source);
        zip_error_fini(&reason);
        return error->status;
    }
    reader_t reader = {.archive = archive,
                       .budget = size * SHARE_FACTOR_MAX,
                       .checkpoint = checkpoint,
                       .error = error};
    erx_status_t status = read_archive(&reader, size);
    zip_discard(archive);
    zip_error_fini(&reason);
    return status;
}
