#include "node/uploader.h"

#include "node/base64.h"
#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/node_clock.h"
#include "node/rpc_client.h"
#include "node/upload_packet.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES    1000u /* of data in a transaction */
#define WAVE_MAX       64u   /* transactions that are under way at once */
#define TRIES_MAX      8u    /* of a wave */
#define ANSWER_WAIT_NS (5 * ERX_SECOND_NS)
#define TIMEOUT_MS     20000u
#define SHARDS_MAX     4u
#define LUT_BYTES      1024u
#define FILE_BYTES_MAX ((size_t)48 << 20)

/* Where things stand in a WeightShard's and a ModelManifest's first bytes. */
#define SHARD_AT_FINALIZED 45u
#define SHARD_AT_WRITTEN   78u
#define SHARD_HEAD_BYTES   82u
#define MANIFEST_AT_READY  1321u
#define MANIFEST_HEAD      1334u

typedef struct {
    uint8_t bytes[ERX_PACKET_MAX];
    size_t size;
    bool has_landed;
} packet_t;

typedef struct {
    const erx_upload_config_t *config;
    erx_rpc_client_t *client;
    erx_upload_result_t *result;
    erx_text_t weights, luts, manifest; /* files */
    json_t *json;                       /* the manifest */
    uint32_t shard_count;
    erx_pubkey_t shards[SHARDS_MAX];
    packet_t *wave; /* [WAVE_MAX] */
    uint32_t wave_count;
    uint8_t blockhash[ERX_HASH_SIZE];
    erx_text_t request, answer;
} upload_t;

/* ----------------------------------------------------------------- files */

static bool read_file(const char *directory, const char *name, erx_text_t *text,
                      erx_failure_t *failure)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return erx_failure_set(failure, "%.400s: %s", path, strerror(errno));
    char piece[16384];
    size_t count;
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        erx_text_append(text, piece, count);
    bool is_read = ferror(file) == 0 && !text->overflowed && text->length > 0;
    (void)fclose(file);
    return is_read || erx_failure_set(failure, "%.400s cannot be read, is empty or too long", path);
}

static uint64_t number_at(const json_t *object, const char *name)
{
    uint64_t number = 0;
    return erx_json_to_unsigned(json_object_get(object, name), &number) ? number : 0;
}

static bool read_model(upload_t *upload, erx_failure_t *failure)
{
    const char *directory = upload->config->directory;
    if (!read_file(directory, "manifest.json", &upload->manifest, failure) ||
        !read_file(directory, "luts.bin", &upload->luts, failure) ||
        !read_file(directory, "weights_int8.bin", &upload->weights, failure))
        return false;
    upload->json = erx_json_read(upload->manifest.bytes, upload->manifest.length, failure);
    const json_t *map = json_object_get(upload->json, "shard_map");
    upload->shard_count = (uint32_t)json_array_size(json_object_get(map, "shards"));
    if (upload->shard_count == 0 || upload->shard_count > SHARDS_MAX)
        return erx_failure_set(failure, "%.300s/manifest.json: shard_map must have 1 to %u shards",
                               directory, SHARDS_MAX);
    if (upload->luts.length != LUT_BYTES)
        return erx_failure_set(failure, "%.300s/luts.bin: %zu bytes, not %u", directory,
                               upload->luts.length, LUT_BYTES);
    return true;
}

/* ----------------------------------------------------------------- waves */

static bool refresh_blockhash(upload_t *upload, erx_failure_t *failure)
{
    json_t *result = erx_rpc_client_call(upload->client, "getLatestBlockhash", "[]", failure);
    erx_pubkey_t hash;
    bool is_read =
        erx_key_read(json_object_get(json_object_get(result, "value"), "blockhash"), &hash);
    if (is_read)
        memcpy(upload->blockhash, hash.bytes, sizeof upload->blockhash);
    else if (result != NULL)
        (void)erx_failure_set(failure, "getLatestBlockhash: an answer without a blockhash");
    json_decref(result);
    return is_read;
}

static bool send_wave(upload_t *upload, erx_failure_t *failure)
{
    erx_text_clear(&upload->request);
    erx_json_writer_t writer = erx_json_writer(&upload->request);
    erx_json_array_begin(&writer);
    for (uint32_t i = 0; i < upload->wave_count; i++) {
        const packet_t *packet = &upload->wave[i];
        if (packet->has_landed)
            continue;
        erx_json_object_begin(&writer);
        erx_json_put_text(&writer, "jsonrpc", "2.0");
        erx_json_put_unsigned(&writer, "id", i);
        erx_json_put_text(&writer, "method", "sendTransaction");
        erx_json_key(&writer, "params");
        erx_json_array_begin(&writer);
        erx_json_base64(&writer, packet->bytes, packet->size);
        erx_json_object_begin(&writer);
        erx_json_put_text(&writer, "encoding", "base64");
        erx_json_put_bool(&writer, "skipPreflight", true);
        erx_json_object_end(&writer);
        erx_json_array_end(&writer);
        erx_json_object_end(&writer);
        upload->result->transactions++;
    }
    erx_json_array_end(&writer);
    return erx_rpc_client_exchange(upload->client, &upload->request, &upload->answer, failure);
}

/* Looks which transactions are executed; one that failed is told. */
static bool look(upload_t *upload, uint32_t *missing_out, erx_failure_t *failure)
{
    erx_text_clear(&upload->request);
    erx_json_writer_t writer = erx_json_writer(&upload->request);
    erx_json_array_begin(&writer);
    erx_json_array_begin(&writer);
    for (uint32_t i = 0; i < upload->wave_count; i++)
        erx_json_base58(&writer, upload->wave[i].bytes + 1, ERX_SIGNATURE_SIZE);
    erx_json_array_end(&writer);
    erx_json_array_end(&writer);
    erx_text_append(&upload->request, "", 1); /* a terminator */
    char *params = strdup(upload->request.bytes);
    json_t *result = params == NULL ? NULL
                                    : erx_rpc_client_call(upload->client, "getSignatureStatuses",
                                                          params, failure);
    free(params);
    const json_t *list = json_object_get(result, "value");
    bool is_well = json_array_size(list) == upload->wave_count;
    *missing_out = 0;
    for (uint32_t i = 0; i < upload->wave_count && is_well; i++) {
        const json_t *status = json_array_get(list, i);
        const json_t *fault = erx_json_member(status, "err");
        upload->wave[i].has_landed = json_is_object(status);
        *missing_out += !upload->wave[i].has_landed;
        if (fault != NULL) {
            char *text = json_dumps(fault, JSON_COMPACT);
            is_well =
                erx_failure_set(failure, "a transaction failed: %.300s", text != NULL ? text : "");
            free(text);
        }
    }
    json_decref(result);
    return is_well;
}

/* Sends what was collected and waits until all of it is executed. */
static bool flush(upload_t *upload, erx_failure_t *failure)
{
    uint32_t missing = upload->wave_count;
    for (uint32_t i = 0; i < TRIES_MAX && missing > 0; i++) {
        if (!send_wave(upload, failure))
            return false;
        uint64_t give_up = erx_node_now() + ANSWER_WAIT_NS;
        do {
            erx_node_sleep_until(erx_node_now() + 5 * ERX_MILLISECOND_NS);
            if (!look(upload, &missing, failure))
                return false;
        } while (missing > 0 && erx_node_now() < give_up);
    }
    upload->wave_count = 0;
    return missing == 0 ||
           erx_failure_set(failure, "the validator did not execute %" PRIu32 " transactions",
                           missing);
}

static bool add(upload_t *upload, const erx_upload_instruction_t *instruction,
                erx_failure_t *failure)
{
    packet_t *packet = &upload->wave[upload->wave_count];
    packet->has_landed = false;
    if ((upload->wave_count == 0 && !refresh_blockhash(upload, failure)) ||
        !erx_upload_packet(instruction, &upload->config->authority, upload->blockhash,
                           packet->bytes, &packet->size))
        return upload->wave_count > 0
                   ? erx_failure_set(failure, "a transaction could not be signed")
                   : false;
    return ++upload->wave_count < WAVE_MAX || flush(upload, failure);
}

/* -------------------------------------------------------------- accounts */

/* The first bytes of an account; *count_out 0 where there is none. */
static bool read_head(upload_t *upload, const erx_pubkey_t *key, uint8_t *head, size_t capacity,
                      size_t *count_out, erx_failure_t *failure)
{
    char text[ERX_BASE58_SIZE];
    char params[256];
    (void)erx_base58_from_bytes(key->bytes, sizeof key->bytes, text);
    (void)snprintf(params, sizeof params,
                   "[\"%s\",{\"encoding\":\"base64\",\"dataSlice\":{\"offset\":0,\"length\":%zu}}]",
                   text, capacity);
    json_t *result = erx_rpc_client_call(upload->client, "getAccountInfo", params, failure);
    const json_t *value = erx_json_member(result, "value");
    const json_t *data = json_array_get(json_object_get(value, "data"), 0);
    *count_out = 0;
    bool is_read = result != NULL;
    if (is_read && value != NULL)
        is_read = (json_is_string(data) &&
                   erx_base64_decode(json_string_value(data), json_string_length(data), head,
                                     capacity, count_out)) ||
                  erx_failure_set(failure, "getAccountInfo: an account without data");
    json_decref(result);
    return is_read;
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Chunks of bytes from done on, with an instruction each. */
static bool add_chunks(upload_t *upload, erx_upload_instruction_t *instruction, const char *name,
                       const uint8_t *bytes, size_t size, size_t done, erx_failure_t *failure)
{
    while (done < size) {
        size_t count = ERX_LESSER(size - done, CHUNK_BYTES);
        erx_upload_begin(instruction, name);
        erx_upload_put_number(instruction, done, 4);
        erx_upload_put_number(instruction, count, 4);
        erx_upload_put(instruction, bytes + done, count);
        done += count;
        if (!add(upload, instruction, failure))
            return false;
        upload->config->on_progress(upload->config->context, name, done, size);
    }
    return flush(upload, failure);
}

static bool upload_shard(upload_t *upload, uint32_t index, const uint8_t *bytes, size_t size,
                         erx_failure_t *failure)
{
    const erx_upload_config_t *config = upload->config;
    erx_upload_instruction_t instruction = {.program = config->program, .reader_count = 1};
    uint8_t head[SHARD_HEAD_BYTES], digest[SHA256_DIGEST_LENGTH];
    size_t head_size, done = 0;
    (void)erx_world_address(&config->program, ERX_ADDRESS_WEIGHTS, config->model_id, (uint8_t)index,
                            &upload->shards[index]);
    instruction.target = upload->shards[index];
    if (!read_head(upload, &instruction.target, head, sizeof head, &head_size, failure))
        return false;
    if (head_size == SHARD_HEAD_BYTES) {
        done = ERX_LESSER(read_u32(head + SHARD_AT_WRITTEN), size);
        upload->result->skipped += done;
    } else {
        erx_upload_begin(&instruction, "init_weights");
        erx_upload_put_number(&instruction, config->model_id, 8);
        erx_upload_put_number(&instruction, index, 1);
        erx_upload_put_number(&instruction, size, 4);
        if (!add(upload, &instruction, failure) || !flush(upload, failure))
            return false;
    }
    if (head_size == SHARD_HEAD_BYTES && head[SHARD_AT_FINALIZED] != 0)
        return true;
    instruction.reader_count = 0;
    if (!add_chunks(upload, &instruction, "upload_weights", bytes, size, done, failure))
        return false;
    (void)SHA256(bytes, size, digest);
    erx_upload_begin(&instruction, "finalize_weights");
    erx_upload_put(&instruction, digest, sizeof digest);
    return add(upload, &instruction, failure) && flush(upload, failure);
}

static void put_manifest_fields(const upload_t *upload, erx_upload_instruction_t *instruction)
{
    const json_t *shape = json_object_get(upload->json, "architecture");
    const json_t *heads = json_object_get(upload->json, "heads");
    char name[32] = "";
    const char *given = erx_json_member_text(upload->json, "name");
    (void)snprintf(name, sizeof name, "%s", given != NULL ? given : "");
    erx_upload_begin(instruction, "init_manifest");
    erx_upload_put_number(instruction, upload->config->model_id, 8);
    erx_upload_put(instruction, name, sizeof name);
    erx_upload_put_number(instruction, 1, 2);
    erx_upload_put_number(instruction, number_at(shape, "d_model"), 2);
    erx_upload_put_number(instruction, number_at(shape, "d_inner"), 2);
    erx_upload_put_number(instruction, number_at(shape, "d_state"), 2);
    erx_upload_put_number(instruction, number_at(shape, "n_layers"), 1);
    erx_upload_put_number(instruction, number_at(shape, "nheads"), 1);
    erx_upload_put_number(instruction, upload->shard_count, 1);
    erx_upload_put_number(instruction, number_at(heads, "continuous"), 1);
    erx_upload_put_number(instruction, number_at(heads, "p0_action"), 2);
    erx_upload_put_number(instruction, number_at(heads, "binary"), 1);
    erx_upload_put_number(instruction, 0, 2); /* the JSON says it */
    erx_upload_put_number(instruction, upload->weights.length, 4);
    erx_upload_put_number(instruction, upload->weights.length, 4);
    erx_upload_put_number(instruction, upload->manifest.length, 4);
}

static bool finalize_manifest(upload_t *upload, erx_upload_instruction_t *instruction,
                              const erx_text_t *content, erx_failure_t *failure)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    (void)SHA256((const unsigned char *)content->bytes, content->length, digest);
    instruction->reader_count = upload->shard_count;
    memcpy(instruction->readers, upload->shards, upload->shard_count * sizeof upload->shards[0]);
    erx_upload_begin(instruction, "finalize_manifest");
    erx_upload_put(instruction, digest, sizeof digest);
    return add(upload, instruction, failure) && flush(upload, failure);
}

static bool upload_manifest(upload_t *upload, erx_failure_t *failure)
{
    const erx_upload_config_t *config = upload->config;
    erx_upload_instruction_t instruction = {.program = config->program, .reader_count = 1};
    uint8_t head[MANIFEST_HEAD];
    size_t head_size;
    instruction.target = upload->result->manifest;
    if (!read_head(upload, &instruction.target, head, sizeof head, &head_size, failure))
        return false;
    if (head_size == MANIFEST_HEAD && head[MANIFEST_AT_READY] != 0)
        return true;
    put_manifest_fields(upload, &instruction);
    if (head_size == 0 && (!add(upload, &instruction, failure) || !flush(upload, failure)))
        return false;
    erx_text_t content; /* tables, then the JSON */
    erx_text_open(&content, FILE_BYTES_MAX);
    erx_text_append(&content, upload->luts.bytes, upload->luts.length);
    erx_text_append(&content, upload->manifest.bytes, upload->manifest.length);
    instruction.reader_count = 0;
    bool is_done = (!content.overflowed || erx_failure_set(failure, "no memory")) &&
                   add_chunks(upload, &instruction, "upload_manifest",
                              (const uint8_t *)content.bytes, content.length, 0, failure) &&
                   finalize_manifest(upload, &instruction, &content, failure);
    erx_text_close(&content);
    return is_done;
}

static bool run(upload_t *upload, erx_failure_t *failure)
{
    if (!read_model(upload, failure))
        return false;
    const json_t *shards = json_object_get(json_object_get(upload->json, "shard_map"), "shards");
    for (uint32_t i = 0; i < upload->shard_count; i++) {
        const json_t *shard = json_array_get(shards, i);
        uint64_t offset = number_at(shard, "offset"), size = number_at(shard, "size");
        if (size == 0 || offset > upload->weights.length || size > upload->weights.length - offset)
            return erx_failure_set(failure, "manifest.json: shard %u is outside the weights", i);
        if (!upload_shard(upload, i, (const uint8_t *)upload->weights.bytes + offset, size,
                          failure))
            return false;
    }
    return upload_manifest(upload, failure);
}

bool erx_upload(const erx_upload_config_t *config, erx_upload_result_t *result_out,
                erx_failure_t *failure)
{
    upload_t upload = {.config = config, .result = result_out};
    *result_out = (erx_upload_result_t){0};
    erx_text_open(&upload.weights, FILE_BYTES_MAX);
    erx_text_open(&upload.luts, FILE_BYTES_MAX);
    erx_text_open(&upload.manifest, FILE_BYTES_MAX);
    erx_text_open(&upload.request, FILE_BYTES_MAX);
    erx_text_open(&upload.answer, FILE_BYTES_MAX);
    upload.client = erx_rpc_client_open(config->url, TIMEOUT_MS);
    upload.wave = calloc(WAVE_MAX, sizeof *upload.wave);
    bool is_done = upload.client != NULL && upload.wave != NULL;
    if (!is_done)
        (void)erx_failure_set(failure, "no memory for the upload");
    is_done =
        is_done && (erx_world_address(&config->program, ERX_ADDRESS_MANIFEST, config->model_id, 0,
                                      &result_out->manifest) == ERX_STATUS_OK ||
                    erx_failure_set(failure, "%s", erx_last_error()));
    is_done = is_done && run(&upload, failure);
    result_out->bytes = upload.weights.length + upload.luts.length + upload.manifest.length;
    erx_rpc_client_close(upload.client);
    free(upload.wave);
    json_decref(upload.json);
    erx_text_close(&upload.weights);
    erx_text_close(&upload.luts);
    erx_text_close(&upload.manifest);
    erx_text_close(&upload.request);
    erx_text_close(&upload.answer);
    return is_done;
}
