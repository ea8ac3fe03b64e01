#include "node/settlement_line.h"

#include "node/base64.h"
#include "node/json_reader.h"
#include "node/key_text.h"

void erx_settlement_write(const erx_settlement_t *settlement, erx_text_t *text)
{
    erx_json_writer_t writer = erx_json_writer(text);
    erx_json_object_begin(&writer);
    erx_json_key(&writer, "account");
    erx_json_key_text(&writer, &settlement->account);
    if (settlement->is_plain)
        erx_json_put_unsigned(&writer, "lamports", settlement->lamports);
    erx_json_put_unsigned(&writer, "session", settlement->session_id);
    erx_json_put_unsigned(&writer, "slot", settlement->slot);
    erx_json_key(&writer, "owner");
    erx_json_key_text(&writer, &settlement->owner);
    erx_json_put_bool(&writer, "delegated", !settlement->is_final);
    erx_json_key(&writer, "hiddenHash");
    erx_json_base64(&writer, settlement->hidden_hash, ERX_HASH_SIZE);
    erx_json_put_unsigned(&writer, "hiddenSize", settlement->hidden_size);
    erx_json_key(&writer, "data");
    erx_json_base64(&writer, settlement->state, settlement->state_size);
    erx_json_object_end(&writer);
    erx_text_append(text, "\n", 1);
}

static bool read_bytes(const json_t *value, uint8_t *bytes, size_t capacity, size_t *size)
{
    return json_is_string(value) &&
           erx_base64_decode(json_string_value(value), json_string_length(value), bytes, capacity,
                             size);
}

bool erx_settlement_read(const char *line, size_t length, erx_settlement_t *settlement_out)
{
    erx_failure_t failure;
    json_t *json = erx_json_read(line, length, &failure);
    const json_t *lamports = json_object_get(json, "lamports");
    uint64_t hidden_size = 0;
    size_t hash_size = 0, state_size = 0;
    *settlement_out = (erx_settlement_t){0};
    bool is_read =
        erx_key_read(json_object_get(json, "account"), &settlement_out->account) &&
        erx_key_read(json_object_get(json, "owner"), &settlement_out->owner) &&
        erx_json_to_unsigned(json_object_get(json, "session"), &settlement_out->session_id) &&
        erx_json_to_unsigned(json_object_get(json, "slot"), &settlement_out->slot) &&
        erx_json_to_unsigned(json_object_get(json, "hiddenSize"), &hidden_size) &&
        read_bytes(json_object_get(json, "hiddenHash"), settlement_out->hidden_hash, ERX_HASH_SIZE,
                   &hash_size) &&
        read_bytes(json_object_get(json, "data"), settlement_out->state, ERX_SETTLED_BYTES_MAX,
                   &state_size);
    settlement_out->is_plain = lamports != NULL;
    is_read =
        is_read && (lamports == NULL || erx_json_to_unsigned(lamports, &settlement_out->lamports));
    settlement_out->hidden_size = (uint32_t)hidden_size;
    settlement_out->state_size = (uint32_t)state_size;
    settlement_out->is_final = json_is_false(json_object_get(json, "delegated"));
    json_decref(json);
    return is_read && hash_size == ERX_HASH_SIZE;
}
