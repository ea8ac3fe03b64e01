/* data.json and claim.json of a data directory, and the models' files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/data_parts.h"
#include "engine/json_fields.h"
#include "mem/alloc.h"

#define TEXT_MAX   32768u
#define COPY_NOTE  "copy.json"
#define COPY_BYTES ((size_t)1 << 20)

static void put_hex(char *text, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void erx_data_name_folders(erx_data_directory_t *data)
{
    for (uint32_t i = 0; i < data->pool_count; i++) {
        char hex[2 * ERX_SHA256_BYTES + 1];
        erx_data_pool_t *pool = &data->pools[i];
        put_hex(hex, pool->hash, ERX_SHA256_BYTES);
        if (pool->kind == ERX_DATA_MODEL)
            (void)snprintf(pool->folder, sizeof pool->folder, "model-%.16s", hex);
    }
}

static erx_status_t write_json(const char *path, const char *name, json_t *value,
                               erx_error_t *error)
{
    char text[TEXT_MAX];
    size_t size = value == NULL ? 0 : json_dumpb(value, text, sizeof text, JSON_INDENT(1));
    json_decref(value);
    if (size == 0 || size > sizeof text)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %s", name);
    return erx_data_small_write(path, name, text, size, error);
}

static const char *const kind_names[] = {"model", "place", "accounts"};

static json_t *describe_pool(const erx_data_pool_t *pool)
{
    const char *kind = kind_names[pool->kind];
    if (pool->kind == ERX_DATA_ACCOUNTS)
        return json_pack("{s:s, s:I, s:I}", "kind", kind, "entries",
                         (json_int_t)pool->account_capacity, "heap_bytes",
                         (json_int_t)pool->heap_bytes);
    json_t *value = json_pack("{s:s, s:I, s:I}", "kind", kind, "sessions", (json_int_t)pool->slots,
                              "session_bytes", (json_int_t)pool->arena_bytes);
    if (pool->kind == ERX_DATA_MODEL) {
        char hash[2 * ERX_SHA256_BYTES + 1];
        put_hex(hash, pool->hash, ERX_SHA256_BYTES);
        (void)json_object_set_new(value, "name", json_string(pool->name));
        (void)json_object_set_new(value, "hash", json_string(hash));
    }
    return value;
}

/* The file id as digits; a digest's length, as the readers want. */
static void put_id(char text[2 * ERX_SHA256_BYTES + 1], const erx_data_directory_t *data)
{
    uint8_t id[ERX_SHA256_BYTES] = {0};
    memcpy(id, data->file_id, sizeof data->file_id);
    put_hex(text, id, sizeof id);
}

erx_status_t erx_data_write_description(const erx_data_directory_t *data, erx_error_t *error)
{
    char id[2 * ERX_SHA256_BYTES + 1];
    put_id(id, data);
    json_t *pools = json_array();
    for (uint32_t i = 0; i < data->pool_count; i++)
        (void)json_array_append_new(pools, describe_pool(&data->pools[i]));
    json_t *value = json_pack("{s:s, s:s, s:I, s:o}", "format", ERX_DATA_FORMAT, "id", id,
                              "journal_bytes", (json_int_t)data->journal_bytes, "pools", pools);
    if (data->copy_path[0] != '\0')
        (void)json_object_set_new(value, "copy", json_string(data->copy_path));
    return write_json(data->path, "data.json", value, error);
}

erx_status_t erx_data_write_copy_note(const erx_data_directory_t *data, erx_error_t *error)
{
    char id[2 * ERX_SHA256_BYTES + 1];
    put_id(id, data);
    return write_json(data->copy_path, COPY_NOTE,
                      json_pack("{s:s, s:s}", "id", id, "copy_of", data->path), error);
}

erx_status_t erx_data_directory_claim(erx_data_directory_t *data, uint64_t sequence, uint64_t epoch,
                                      bool closed, erx_error_t *error)
{
    data->claimed = sequence;
    data->claimed_epoch = epoch;
    return write_json(data->path, "claim.json",
                      json_pack("{s:I, s:I, s:I}", "sequence", (json_int_t)sequence, "epoch",
                                (json_int_t)epoch, "closed", (json_int_t)closed),
                      error);
}

static erx_status_t read_sessions(const erx_fields_t *fields, erx_data_pool_t *pool)
{
    int64_t sessions, bytes;
    erx_status_t status = erx_fields_integer(fields, "sessions", 1, ERX_SESSIONS_MAX, &sessions);
    if (status == ERX_OK)
        status = erx_fields_integer(fields, "session_bytes", (int64_t)ERX_ARENA_RECURRENT,
                                    ERX_ARENA_BYTES_MAX, &bytes);
    if (status != ERX_OK)
        return status;
    if (bytes % ERX_CACHE_LINE != 0)
        return erx_fields_refuse(fields, "session_bytes", ERX_ERR_FORMAT, "is not a multiple of %u",
                                 ERX_CACHE_LINE);
    pool->slots = (uint32_t)sessions;
    pool->arena_bytes = (uint32_t)bytes;
    return ERX_OK;
}

static erx_status_t read_accounts(const erx_fields_t *fields, erx_data_pool_t *pool)
{
    int64_t entries, bytes;
    erx_status_t status = erx_fields_integer(fields, "entries", ERX_ACCOUNTS_CAPACITY_MIN,
                                             ERX_ACCOUNTS_CAPACITY_MAX, &entries);
    if (status == ERX_OK)
        status = erx_fields_integer(fields, "heap_bytes", ERX_ACCOUNTS_PAGE_BYTES,
                                    (int64_t)ERX_ACCOUNTS_HEAP_BYTES_MAX, &bytes);
    if (status != ERX_OK)
        return status;
    if (bytes % ERX_ACCOUNTS_PAGE_BYTES != 0)
        return erx_fields_refuse(fields, "heap_bytes", ERX_ERR_FORMAT, "is not a multiple of %u",
                                 ERX_ACCOUNTS_PAGE_BYTES);
    pool->account_capacity = (uint32_t)entries;
    pool->heap_bytes = (uint64_t)bytes;
    pool->arena_bytes = ERX_ACCOUNTS_PAGE_BYTES;
    pool->slots = erx_accounts_pages_of(pool->account_capacity, pool->heap_bytes);
    return ERX_OK;
}

static erx_status_t read_pool(const erx_fields_t *root, size_t index, size_t count,
                              erx_data_pool_t *pool)
{
    erx_fields_t fields;
    const char *kind, *name;
    erx_status_t status = erx_fields_element(root, "pools", index, &fields);
    if (status == ERX_OK)
        status = erx_fields_string(&fields, "kind", &kind);
    if (status != ERX_OK)
        return status;
    for (pool->kind = 0; strcmp(kind, kind_names[pool->kind]) != 0; pool->kind++)
        if (pool->kind == ERX_DATA_ACCOUNTS)
            return erx_fields_refuse(&fields, "kind", ERX_ERR_FORMAT, "'%.40s' is unknown", kind);
    bool is_last = index + 1 == count;
    if (pool->kind == ERX_DATA_ACCOUNTS)
        return is_last ? read_accounts(&fields, pool)
                       : erx_fields_refuse(&fields, "kind", ERX_ERR_FORMAT,
                                           "'accounts' is not the last pool");
    if (index == ERX_MODELS_MAX)
        return erx_fields_refuse(&fields, "kind", ERX_ERR_FORMAT, "is one model too many");
    status = read_sessions(&fields, pool);
    if (status != ERX_OK || pool->kind == ERX_DATA_PLACE)
        return status;
    status = erx_fields_string(&fields, "name", &name);
    if (status == ERX_OK)
        status = erx_fields_digest(&fields, "hash", pool->hash);
    if (status == ERX_OK)
        (void)snprintf(pool->name, sizeof pool->name, "%s", name);
    return status;
}

static erx_status_t read_fields(const erx_fields_t *root, erx_data_directory_t *data)
{
    const char *format;
    json_t *pools;
    int64_t bytes;
    uint8_t id[ERX_SHA256_BYTES];
    erx_status_t status = erx_fields_string(root, "format", &format);
    if (status == ERX_OK && strcmp(format, ERX_DATA_FORMAT) != 0)
        return erx_fields_refuse(root, "format", ERX_ERR_FORMAT,
                                 "is '%.40s'; this erx reads " ERX_DATA_FORMAT
                                 ": use the erx that made it, or another directory",
                                 format);
    if (status == ERX_OK)
        status = erx_fields_digest(root, "id", id);
    if (status == ERX_OK)
        status = erx_fields_integer(root, "journal_bytes", (int64_t)ERX_JOURNAL_BYTES_MIN,
                                    (int64_t)ERX_JOURNAL_BYTES_MAX, &bytes);
    if (status == ERX_OK)
        status = erx_fields_array(root, "pools", 1, ERX_POOLS_MAX, &pools);
    if (status != ERX_OK)
        return status;
    if (bytes % ERX_JOURNAL_ALIGNMENT != 0)
        return erx_fields_refuse(root, "journal_bytes", ERX_ERR_FORMAT, "is not a multiple of %u",
                                 ERX_JOURNAL_ALIGNMENT);
    const char *copy = "";
    if (json_object_get(root->object, "copy") != NULL &&
        erx_fields_string(root, "copy", &copy) != ERX_OK)
        return root->error->status;
    (void)snprintf(data->copy_path, sizeof data->copy_path, "%s", copy);
    memcpy(data->file_id, id, sizeof data->file_id);
    data->journal_bytes = (uint64_t)bytes;
    data->pool_count = (uint32_t)json_array_size(pools);
    for (uint32_t i = 0; status == ERX_OK && i < data->pool_count; i++)
        status = read_pool(root, i, data->pool_count, &data->pools[i]);
    return status;
}

static erx_status_t read_claim_fields(const erx_fields_t *root, erx_data_directory_t *data)
{
    int64_t sequence, epoch, closed;
    erx_status_t status = erx_fields_integer(root, "sequence", 0, INT64_MAX, &sequence);
    if (status == ERX_OK)
        status = erx_fields_integer(root, "epoch", 0, INT64_MAX, &epoch);
    if (status == ERX_OK)
        status = erx_fields_integer(root, "closed", 0, 1, &closed);
    if (status != ERX_OK)
        return status;
    data->claimed = (uint64_t)sequence;
    data->claimed_epoch = (uint64_t)epoch;
    data->closed = closed == 1;
    return ERX_OK;
}

static erx_status_t check_copy_fields(const erx_fields_t *root, erx_data_directory_t *data)
{
    uint8_t id[ERX_SHA256_BYTES];
    if (erx_fields_digest(root, "id", id) != ERX_OK)
        return root->error->status;
    if (memcmp(id, data->file_id, sizeof data->file_id) == 0)
        return ERX_OK;
    return erx_fields_refuse(root, "id", ERX_ERR_DIFFERS,
                             "is of another data directory than %.200s; name the directory of its "
                             "second copy",
                             data->path);
}

/* Reads one of the directory's descriptions. */
static erx_status_t read_json(erx_data_directory_t *data, const char *path, const char *name,
                              erx_status_t (*read)(const erx_fields_t *, erx_data_directory_t *),
                              erx_error_t *error)
{
    void *bytes;
    size_t size;
    erx_fields_t root;
    erx_status_t status = erx_data_small_read(path, name, &bytes, &size, error);
    if (status != ERX_OK)
        return status;
    status = erx_fields_load(bytes, size, &root, error);
    if (status == ERX_OK) {
        status = read(&root, data);
        json_decref(root.object);
    }
    erx_free(bytes);
    return status == ERX_OK ? ERX_OK : erx_error_prefix(error, "%.200s/%s", path, name);
}

erx_status_t erx_data_read_description(erx_data_directory_t *data, erx_error_t *error)
{
    erx_status_t status = read_json(data, data->path, "data.json", read_fields, error);
    if (status != ERX_OK)
        return status;
    erx_data_name_folders(data);
    status = read_json(data, data->path, "claim.json", read_claim_fields, error);
    /* The first start may have been killed before it wrote one. */
    return status == ERX_ERR_NOT_FOUND ? ERX_OK : status;
}

void erx_data_remove_copy_note(const erx_data_directory_t *data)
{
    char path[ERX_DATA_PATH_MAX + ERX_DATA_NAME_MAX];
    (void)snprintf(path, sizeof path, "%s/" COPY_NOTE, data->copy_path);
    (void)unlink(path);
}

erx_status_t erx_data_check_copy_note(const erx_data_directory_t *data, erx_error_t *error)
{
    erx_data_directory_t *own = (erx_data_directory_t *)(uintptr_t)data;
    erx_status_t status = read_json(own, data->copy_path, COPY_NOTE, check_copy_fields, error);
    if (status == ERX_ERR_NOT_FOUND)
        return erx_error_set(error, status,
                             "%.300s does not hold the second copy of the journal: mount its "
                             "device, or name the directory where it is",
                             data->copy_path);
    return status;
}

static bool copy_bytes(int from, int to)
{
    uint8_t *buffer = erx_alloc(1, COPY_BYTES);
    ssize_t count = -1;
    errno = ENOMEM;
    while (buffer != NULL && (count = read(from, buffer, COPY_BYTES)) > 0)
        for (ssize_t at = 0, written; at < count; at += written)
            if ((written = write(to, buffer + at, (size_t)(count - at))) <= 0) {
                erx_free(buffer);
                return false;
            }
    erx_free(buffer);
    return count == 0 && fsync(to) == 0;
}

static erx_status_t copy_file(const char *from_path, const char *to_path, erx_error_t *error)
{
    char temporary[ERX_DATA_PATH_MAX + ERX_DATA_NAME_MAX];
    (void)snprintf(temporary, sizeof temporary, "%.4000s.new", to_path);
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    int to = from < 0 ? -1 : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool copied = to >= 0 && copy_bytes(from, to) && rename(temporary, to_path) == 0;
    int reason = errno;
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    if (copied)
        return ERX_OK;
    (void)unlink(temporary);
    return erx_error_set(error, reason == ENOSPC || reason == EDQUOT ? ERX_ERR_FULL : ERX_ERR_IO,
                         "cannot copy %.150s to %.150s: %s", from_path, to_path, strerror(reason));
}

erx_status_t erx_data_copy_model(const erx_data_directory_t *data, uint32_t pool,
                                 const char *directory, erx_error_t *error)
{
    static const char *const names[] = {"weights_int8.bin", "luts.bin", "manifest.json"};
    char folder[ERX_DATA_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%.3900s/%s", data->path, data->pools[pool].folder);
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return erx_error_set(error, ERX_ERR_IO, "%.300s: %s", folder, strerror(errno));
    for (uint32_t i = 0; i < ERX_COUNT(names); i++) {
        char from[ERX_DATA_PATH_MAX], to[ERX_DATA_PATH_MAX + ERX_DATA_NAME_MAX];
        (void)snprintf(from, sizeof from, "%.3900s/%s", directory, names[i]);
        (void)snprintf(to, sizeof to, "%s/%s", folder, names[i]);
        if (access(from, F_OK) != 0 && i == 1)
            continue; /* luts.bin is optional */
        erx_status_t status = copy_file(from, to, error);
        if (status != ERX_OK)
            return status;
    }
    erx_status_t status = erx_data_directory_sync(folder, error);
    return status == ERX_OK ? erx_data_directory_sync(data->path, error) : status;
}
