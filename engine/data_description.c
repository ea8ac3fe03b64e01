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

#define TEXT_MAX   16384u
#define COPY_BYTES ((size_t)1 << 20)

static void put_hex(char *text, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void erx_data_name_folders(erx_data_directory_t *data)
{
    for (uint32_t m = 0; m < data->model_count; m++) {
        char hex[2 * ERX_SHA256_BYTES + 1];
        put_hex(hex, data->models[m].hash, ERX_SHA256_BYTES);
        (void)snprintf(data->models[m].folder, sizeof data->models[m].folder, "model-%.16s", hex);
    }
}

static erx_status_t write_json(const erx_data_directory_t *data, const char *name, json_t *value,
                               erx_error_t *error)
{
    char text[TEXT_MAX];
    size_t size = value == NULL ? 0 : json_dumpb(value, text, sizeof text, JSON_INDENT(1));
    json_decref(value);
    if (size == 0 || size > sizeof text)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for %s", name);
    return erx_data_small_write(data->path, name, text, size, error);
}

erx_status_t erx_data_write_description(const erx_data_directory_t *data, erx_error_t *error)
{
    char hex[2 * ERX_SHA256_BYTES + 1];
    uint8_t id[ERX_SHA256_BYTES] = {0};
    memcpy(id, data->file_id, sizeof data->file_id);
    put_hex(hex, id, sizeof id);
    json_t *models = json_array();
    for (uint32_t m = 0; m < data->model_count; m++) {
        const erx_data_model_t *model = &data->models[m];
        char hash[2 * ERX_SHA256_BYTES + 1];
        put_hex(hash, model->hash, ERX_SHA256_BYTES);
        (void)json_array_append_new(models,
                                    json_pack("{s:s, s:s, s:I, s:I}", "name", model->name, "hash",
                                              hash, "sessions", (json_int_t)model->sessions,
                                              "session_bytes", (json_int_t)model->session_bytes));
    }
    return write_json(data, "data.json",
                      json_pack("{s:s, s:s, s:I, s:o}", "format", ERX_DATA_FORMAT, "id", hex,
                                "journal_bytes", (json_int_t)data->journal_bytes, "models", models),
                      error);
}

erx_status_t erx_data_directory_claim(erx_data_directory_t *data, uint64_t sequence, uint64_t epoch,
                                      bool closed, erx_error_t *error)
{
    data->claimed = sequence;
    data->claimed_epoch = epoch;
    return write_json(data, "claim.json",
                      json_pack("{s:I, s:I, s:I}", "sequence", (json_int_t)sequence, "epoch",
                                (json_int_t)epoch, "closed", (json_int_t)closed),
                      error);
}

static erx_status_t read_model(const erx_fields_t *root, size_t index, erx_data_model_t *out)
{
    erx_fields_t fields;
    const char *name;
    int64_t sessions, bytes;
    erx_status_t status = erx_fields_element(root, "models", index, &fields);
    if (status == ERX_OK)
        status = erx_fields_string(&fields, "name", &name);
    if (status == ERX_OK)
        status = erx_fields_digest(&fields, "hash", out->hash);
    if (status == ERX_OK)
        status = erx_fields_integer(&fields, "sessions", 1, ERX_SESSIONS_MAX, &sessions);
    if (status == ERX_OK)
        status = erx_fields_integer(&fields, "session_bytes", ERX_JOURNAL_ALIGNMENT,
                                    ERX_IO_BYTES_MAX, &bytes);
    if (status != ERX_OK)
        return status;
    if (bytes % ERX_JOURNAL_ALIGNMENT != 0)
        return erx_fields_refuse(&fields, "session_bytes", ERX_ERR_FORMAT,
                                 "is not a multiple of %u", ERX_JOURNAL_ALIGNMENT);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    out->sessions = (uint32_t)sessions;
    out->session_bytes = (uint64_t)bytes;
    return ERX_OK;
}

static erx_status_t read_fields(const erx_fields_t *root, erx_data_directory_t *data)
{
    const char *format;
    json_t *models;
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
        status = erx_fields_array(root, "models", 1, ERX_MODELS_MAX, &models);
    if (status != ERX_OK)
        return status;
    if (bytes % ERX_JOURNAL_ALIGNMENT != 0)
        return erx_fields_refuse(root, "journal_bytes", ERX_ERR_FORMAT, "is not a multiple of %u",
                                 ERX_JOURNAL_ALIGNMENT);
    memcpy(data->file_id, id, sizeof data->file_id);
    data->journal_bytes = (uint64_t)bytes;
    data->model_count = (uint32_t)json_array_size(models);
    for (uint32_t m = 0; status == ERX_OK && m < data->model_count; m++)
        status = read_model(root, m, &data->models[m]);
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

/* Reads one of the directory's descriptions. */
static erx_status_t read_json(erx_data_directory_t *data, const char *name,
                              erx_status_t (*read)(const erx_fields_t *, erx_data_directory_t *),
                              erx_error_t *error)
{
    void *bytes;
    size_t size;
    erx_fields_t root;
    erx_status_t status = erx_data_small_read(data->path, name, &bytes, &size, error);
    if (status != ERX_OK)
        return status;
    status = erx_fields_load(bytes, size, &root, error);
    if (status == ERX_OK) {
        status = read(&root, data);
        json_decref(root.object);
    }
    erx_free(bytes);
    return status == ERX_OK ? ERX_OK : erx_error_prefix(error, "%.200s/%s", data->path, name);
}

erx_status_t erx_data_read_description(erx_data_directory_t *data, erx_error_t *error)
{
    erx_status_t status = read_json(data, "data.json", read_fields, error);
    if (status != ERX_OK)
        return status;
    erx_data_name_folders(data);
    status = read_json(data, "claim.json", read_claim_fields, error);
    /* The first start may have been killed before it wrote one. */
    return status == ERX_ERR_NOT_FOUND ? ERX_OK : status;
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

erx_status_t erx_data_copy_model(const erx_data_directory_t *data, uint32_t model,
                                 const char *directory, erx_error_t *error)
{
    static const char *const names[] = {"weights_int8.bin", "luts.bin", "manifest.json"};
    char folder[ERX_DATA_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%.3900s/%s", data->path, data->models[model].folder);
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
