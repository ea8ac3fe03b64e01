#include "node/base_wire.h"

#include "node/base64.h"
#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/log.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS  4000u /* a stop waits for a call that is under way */
#define PARAMS_MAX  ((size_t)64 << 10)
#define ACCOUNT_MAX ((size_t)10 << 20) /* Solana's limit of an account's data */

bool erx_base_wire_open(const erx_config_t *config, erx_telemetry_t *telemetry,
                        erx_base_wire_t *wire_out, erx_failure_t *failure)
{
    wire_out->telemetry = telemetry;
    wire_out->client = erx_rpc_client_open(config->base_url, TIMEOUT_MS);
    return wire_out->client != NULL ||
           erx_failure_set(failure, "no memory for the base layer's client");
}

void erx_base_wire_close(erx_base_wire_t *wire)
{
    erx_rpc_client_close(wire->client);
    wire->client = NULL;
}

json_t *erx_base_call(erx_base_wire_t *wire, const char *method, erx_text_t *params,
                      erx_failure_t *failure)
{
    json_t *result = NULL;
    erx_text_append(params, "", 1); /* the client takes terminated text */
    erx_telemetry_add(wire->telemetry, ERX_METRIC_BASE_REQUESTS, 1);
    if (params->overflowed)
        (void)erx_failure_set(failure, "%s: no memory for the request", method);
    else
        result = erx_rpc_client_call(wire->client, method, params->bytes, failure);
    if (result == NULL) {
        erx_telemetry_add(wire->telemetry, ERX_METRIC_BASE_FAILURES, 1);
        erx_log(ERX_LOG_DEBUG, "base-request-failed", "reason=\"%s\"", failure->text);
    }
    return result;
}

void erx_base_reached(erx_telemetry_t *telemetry, bool is_reached, const char *reason)
{
    bool was_reached = erx_telemetry_get(telemetry, ERX_METRIC_BASE_REACHABLE) != 0;
    erx_telemetry_set(telemetry, ERX_METRIC_BASE_REACHABLE, is_reached);
    if (is_reached && !was_reached)
        erx_log(ERX_LOG_INFO, "base-reachable", "by=\"%s\"", reason);
    else if (!is_reached && was_reached)
        erx_log(ERX_LOG_WARNING, "base-unreachable", "reason=\"%s\"", reason);
}

static bool read_data(const json_t *value, erx_base_account_t *account_out)
{
    const json_t *data = json_object_get(value, "data");
    const char *encoding = json_string_value(json_array_get(data, 1));
    const json_t *text = json_array_get(data, 0);
    if (encoding == NULL || strcmp(encoding, "base64") != 0 || !json_is_string(text))
        return false;
    size_t length = json_string_length(text);
    size_t capacity = length / 4 * 3;
    if (capacity > ACCOUNT_MAX + 2) /* padding */
        return false;
    account_out->data = malloc(capacity + 1);
    return account_out->data != NULL &&
           erx_base64_decode(json_string_value(text), length, account_out->data, capacity,
                             &account_out->data_size);
}

static bool read_account(const json_t *value, erx_base_account_t *account_out)
{
    if (json_is_null(value))
        return true;
    account_out->exists = true;
    account_out->executable = json_is_true(json_object_get(value, "executable"));
    return erx_key_read(json_object_get(value, "owner"), &account_out->owner) &&
           erx_json_to_unsigned(json_object_get(value, "lamports"), &account_out->lamports) &&
           read_data(value, account_out);
}

static bool read_accounts(const json_t *result, const erx_pubkey_t *keys, uint32_t count,
                          erx_base_account_t *accounts_out)
{
    uint64_t slot;
    const json_t *values = json_object_get(result, "value");
    const json_t *context = json_object_get(result, "context");
    bool is_read = json_array_size(values) == count &&
                   erx_json_to_unsigned(json_object_get(context, "slot"), &slot);
    for (uint32_t i = 0; i < count; i++)
        accounts_out[i] = (erx_base_account_t){.key = keys[i]};
    for (uint32_t i = 0; is_read && i < count; i++) {
        accounts_out[i].base_slot = slot;
        is_read = read_account(json_array_get(values, i), &accounts_out[i]);
    }
    for (uint32_t i = 0; !is_read && i < count; i++)
        erx_base_account_free(&accounts_out[i]);
    return is_read;
}

bool erx_base_read_accounts(erx_base_wire_t *wire, const erx_pubkey_t *keys, uint32_t count,
                            erx_base_account_t *accounts_out, erx_failure_t *failure)
{
    erx_text_t params;
    erx_text_open(&params, PARAMS_MAX);
    erx_json_writer_t writer = erx_json_writer(&params);
    erx_json_array_begin(&writer);
    erx_json_array_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        erx_json_key_text(&writer, &keys[i]);
    erx_json_array_end(&writer);
    erx_json_object_begin(&writer);
    erx_json_put_text(&writer, "encoding", "base64");
    erx_json_put_text(&writer, "commitment", ERX_BASE_COMMITMENT);
    erx_json_object_end(&writer);
    erx_json_array_end(&writer);
    json_t *result = erx_base_call(wire, "getMultipleAccounts", &params, failure);
    erx_text_close(&params);
    bool is_read = result != NULL && read_accounts(result, keys, count, accounts_out);
    if (result != NULL && !is_read) {
        erx_telemetry_add(wire->telemetry, ERX_METRIC_BASE_FAILURES, 1);
        (void)erx_failure_set(failure, "getMultipleAccounts: an answer that is none");
    }
    json_decref(result);
    return is_read;
}
