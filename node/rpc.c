/* Messages: reading them, running their requests, sending their answers. */
#include "node/rpc_parts.h"

#include "node/node_clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 << 20) /* of a message: base64 of the largest accounts */
#define KEPT_BYTES_MAX   ((size_t)1 << 20)  /* a free call keeps no longer text */
#define FREE_CALLS_MAX   64u
#define GATE_WAIT_NS     (5 * ERX_SECOND_NS) /* a disk that needs longer is broken */

erx_rpc_t *erx_rpc_open(const erx_rpc_config_t *config)
{
    erx_rpc_t *rpc = calloc(1, sizeof *rpc);
    if (rpc == NULL)
        return NULL;
    rpc->node = *config;
    rpc->method_counts = calloc(erx_rpc_method_count, sizeof *rpc->method_counts);
    if (rpc->method_counts != NULL)
        return rpc;
    free(rpc);
    return NULL;
}

static void free_parts(erx_rpc_call_t *call)
{
    for (uint32_t i = 0; i < call->part_count; i++)
        erx_text_close(&call->parts[i]);
    free(call->parts);
    call->parts = NULL;
    call->part_count = 0;
}

static void free_call(erx_rpc_call_t *call)
{
    free_parts(call);
    erx_text_close(&call->text);
    free(call);
}

void erx_rpc_close(erx_rpc_t *rpc)
{
    if (rpc == NULL)
        return;
    erx_rpc_expire_underway(rpc, UINT64_MAX);
    while (rpc->gated != NULL) {
        erx_rpc_call_t *call = rpc->gated;
        rpc->gated = call->next;
        free_call(call);
    }
    while (rpc->free_calls != NULL) {
        erx_rpc_call_t *call = rpc->free_calls;
        rpc->free_calls = call->next;
        free_call(call);
    }
    free(rpc->account_data);
    free(rpc->method_counts);
    free(rpc);
}

void erx_rpc_set_server(erx_rpc_t *rpc, erx_server_t *server)
{
    rpc->server = server;
}

void erx_rpc_stop(erx_rpc_t *rpc)
{
    rpc->is_stopping = true;
}

/* ---------------------------------------------------------------- calls */

static erx_rpc_call_t *take_call(erx_rpc_t *rpc)
{
    erx_rpc_call_t *call = rpc->free_calls;
    if (call == NULL) {
        call = calloc(1, sizeof *call);
        if (call != NULL)
            erx_text_open(&call->text, ANSWER_BYTES_MAX);
        return call;
    }
    rpc->free_calls = call->next;
    rpc->free_call_count--;
    erx_text_t text = call->text;
    erx_text_clear(&text);
    *call = (erx_rpc_call_t){.text = text};
    return call;
}

static void give_call(erx_rpc_t *rpc, erx_rpc_call_t *call)
{
    free_parts(call);
    if (rpc->free_call_count >= FREE_CALLS_MAX || call->text.capacity > KEPT_BYTES_MAX) {
        free_call(call);
        return;
    }
    call->next = rpc->free_calls;
    rpc->free_calls = call;
    rpc->free_call_count++;
}

/* The answers of a batch become one array. */
static void join_parts(erx_rpc_call_t *call)
{
    const char *separator = "[";
    for (uint32_t i = 0; i < call->part_count; i++) {
        erx_text_t *part = &call->parts[i];
        call->text.overflowed |= part->overflowed;
        if (part->length == 0)
            continue; /* a notification has no answer */
        erx_text_append(&call->text, separator, 1);
        erx_text_append(&call->text, part->bytes, part->length);
        separator = ",";
    }
    if (call->text.length > 0)
        erx_text_append(&call->text, "]", 1);
}

static void send_call(erx_rpc_t *rpc, erx_rpc_call_t *call)
{
    erx_connection_t *connection = erx_server_find(rpc->server, call->connection);
    if (call->text.overflowed) {
        erx_text_clear(&call->text);
        erx_text_print(&call->text,
                       "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":\"The answer is "
                       "too long; ask for less at once\"},\"id\":null}",
                       ERX_RPC_INTERNAL_ERROR);
    }
    if (connection != NULL && call->is_websocket) {
        if (call->text.length > 0)
            erx_server_send(connection, &call->text);
        erx_server_end_message(connection);
    } else if (connection != NULL) {
        bool is_refused = call->is_busy && !call->is_batch;
        erx_server_respond(connection, is_refused ? 429 : 200, "application/json", &call->text);
    }
    give_call(rpc, call);
}

/* All requests have their answers: send them, or wait until they are durable. */
static void finish_call(erx_rpc_t *rpc, erx_rpc_call_t *call)
{
    if (call->is_batch)
        join_parts(call);
    if (call->gate_slot <= erx_rollup_confirmed_slot(rpc->node.rollup)) {
        send_call(rpc, call);
        return;
    }
    call->next = NULL;
    call->give_up_ns = erx_node_now() + GATE_WAIT_NS;
    if (rpc->last_gated != NULL)
        rpc->last_gated->next = call;
    else
        rpc->gated = call;
    rpc->last_gated = call;
}

/* Takes the gated calls that may leave: durable ones, or those that waited too
 * long, whose answer becomes an error. */
static void release_gated(erx_rpc_t *rpc, uint64_t slot, uint64_t now_ns)
{
    erx_rpc_call_t *call = rpc->gated;
    rpc->gated = rpc->last_gated = NULL;
    while (call != NULL) {
        erx_rpc_call_t *next = call->next;
        call->next = NULL;
        bool is_late = now_ns > call->give_up_ns;
        if (call->gate_slot > slot && !is_late) {
            if (rpc->last_gated != NULL)
                rpc->last_gated->next = call;
            else
                rpc->gated = call;
            rpc->last_gated = call;
        } else {
            if (call->gate_slot > slot) {
                erx_text_clear(&call->text);
                erx_text_print(&call->text,
                               "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":\"Node is "
                               "unhealthy: its storage does not answer\",\"data\":"
                               "{\"numSlotsBehind\":null}},\"id\":null}",
                               ERX_RPC_UNHEALTHY);
            }
            send_call(rpc, call);
        }
        call = next;
    }
}

void erx_rpc_durable(erx_rpc_t *rpc, uint64_t slot)
{
    if (rpc->gated != NULL)
        release_gated(rpc, slot, 0);
}

void erx_rpc_beat(erx_rpc_t *rpc, uint64_t now_ns)
{
    erx_rpc_expire_underway(rpc, now_ns);
    if (rpc->gated != NULL)
        release_gated(rpc, erx_rollup_confirmed_slot(rpc->node.rollup), now_ns);
}

/* ------------------------------------------------------------- requests */

static const erx_rpc_method_t *find_method(const char *name)
{
    size_t low = 0, high = erx_rpc_method_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, erx_rpc_methods[middle].name);
        if (order == 0)
            return &erx_rpc_methods[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Closes the answer that a method began. */
static void end_answer(erx_rpc_request_t *request)
{
    erx_json_key(&request->writer, "id");
    erx_json_echo(&request->writer, request->id);
    erx_json_object_end(&request->writer);
}

static void run_method(erx_rpc_request_t *request, const char *name)
{
    const erx_rpc_method_t *method = find_method(name);
    if (method == NULL || (method->websocket_only && !request->call->is_websocket)) {
        erx_rpc_fail(request, ERX_RPC_METHOD_NOT_FOUND, "Method not found");
        return;
    }
    request->rpc->method_counts[method - erx_rpc_methods]++;
    method->run(request);
}

/* Whether a request asks for an answer: an id, or a fault that must be told. */
static void run_request(erx_rpc_t *rpc, erx_rpc_call_t *call, erx_connection_t *connection,
                        erx_text_t *text, const json_t *message)
{
    json_t *id = json_object_get(message, "id");
    const char *name = erx_json_member_text(message, "method");
    const json_t *params = erx_json_member(message, "params");
    if (name != NULL && id == NULL)
        return; /* a notification such as ping: nobody waits for an answer */
    erx_rpc_request_t request = {
        .rpc = rpc,
        .node = &rpc->node,
        .call = call,
        .connection = connection,
        .params = params,
        .id = id,
        .text = text,
        .begin = text->length,
    };
    erx_telemetry_add(rpc->node.telemetry, ERX_METRIC_RPC_REQUESTS, 1);
    if (name == NULL || json_is_object(id) || json_is_array(id) || json_is_boolean(id)) {
        if (name != NULL)
            request.id = NULL; /* what was sent as the id is none */
        erx_rpc_fail(&request, ERX_RPC_INVALID_REQUEST, "Invalid request");
    } else if (params != NULL && !json_is_array(params)) {
        erx_rpc_fail(&request, ERX_RPC_INVALID_PARAMS, "`params` should be an array");
    } else {
        run_method(&request, name);
    }
    if (!request.is_deferred)
        end_answer(&request);
    call->is_busy |= request.is_busy;
}

static void fail_call(erx_rpc_call_t *call, int code, const char *message)
{
    erx_text_print(&call->text,
                   "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":\"%s\"},\"id\":null}",
                   code, message);
}

static void run_batch(erx_rpc_t *rpc, erx_rpc_call_t *call, erx_connection_t *connection,
                      const json_t *batch)
{
    size_t count = json_array_size(batch);
    if (count == 0 || count > rpc->node.config->batch_max) {
        fail_call(call, ERX_RPC_INVALID_REQUEST,
                  count == 0 ? "Invalid request" : "The batch has more requests than batch_max");
        return;
    }
    call->parts = calloc(count, sizeof *call->parts);
    if (call->parts == NULL) {
        fail_call(call, ERX_RPC_INTERNAL_ERROR, "No memory for the batch");
        return;
    }
    call->is_batch = true;
    call->part_count = (uint32_t)count;
    call->pending = 1; /* the batch itself, so that none finishes it early */
    /* Together they have the room of one answer; those that are answered later, of
     * transactions, are short. */
    size_t room = ANSWER_BYTES_MAX;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            room -= ERX_LESSER(room, call->parts[i - 1].length);
        erx_text_open(&call->parts[i], room);
        run_request(rpc, call, connection, &call->parts[i], json_array_get(batch, i));
    }
    call->pending--;
}

static void run_message(erx_rpc_t *rpc, erx_rpc_call_t *call, const erx_server_message_t *message)
{
    erx_failure_t failure;
    json_t *json = erx_json_read(message->body, message->body_size, &failure);
    if (json == NULL) {
        /* Of requests that are sent ahead, libwebsockets may give us a request line as
         * the body, and would go on so for ever. */
        if (!message->is_websocket)
            erx_server_close_after(message->connection);
        fail_call(call, ERX_RPC_PARSE_ERROR, "Parse error");
    } else if (json_is_array(json)) {
        run_batch(rpc, call, message->connection, json);
    } else {
        run_request(rpc, call, message->connection, &call->text, json);
    }
    json_decref(json);
}

void erx_rpc_message(erx_rpc_t *rpc, const erx_server_message_t *message)
{
    uint64_t begin = erx_node_now();
    erx_rpc_call_t *call = take_call(rpc);
    if (call == NULL) {
        erx_text_t empty;
        erx_text_open(&empty, 0);
        if (!message->is_websocket)
            erx_server_respond(message->connection, 503, "application/json", &empty);
        return;
    }
    call->connection = erx_server_connection_id(message->connection);
    call->is_websocket = message->is_websocket;
    if (message->is_websocket)
        erx_server_begin_message(message->connection);
    run_message(rpc, call, message);
    if (call->pending == 0)
        finish_call(rpc, call);
    erx_telemetry_observe(rpc->node.telemetry, ERX_TIMING_RPC, erx_node_now() - begin);
}

/* -------------------------------------------------------------- answers */

static erx_json_writer_t *begin_answer(erx_rpc_request_t *request)
{
    request->text->length = request->begin;
    request->writer = erx_json_writer(request->text);
    erx_json_object_begin(&request->writer);
    erx_json_put_text(&request->writer, "jsonrpc", "2.0");
    request->is_answered = true;
    return &request->writer;
}

erx_json_writer_t *erx_rpc_result(erx_rpc_request_t *request)
{
    erx_json_writer_t *writer = begin_answer(request);
    erx_json_key(writer, "result");
    return writer;
}

erx_json_writer_t *erx_rpc_begin_value(erx_rpc_request_t *request, uint64_t slot)
{
    erx_json_writer_t *writer = erx_rpc_result(request);
    erx_json_object_begin(writer);
    erx_json_key(writer, "context");
    erx_json_object_begin(writer);
    erx_json_put_text(writer, "apiVersion", "4.0.0");
    erx_json_put_unsigned(writer, "slot", slot);
    erx_json_object_end(writer);
    erx_json_key(writer, "value");
    return writer;
}

void erx_rpc_end_value(erx_rpc_request_t *request)
{
    erx_json_object_end(&request->writer);
}

erx_json_writer_t *erx_rpc_begin_fail(erx_rpc_request_t *request, int code, const char *message)
{
    erx_telemetry_add(request->node->telemetry, ERX_METRIC_RPC_ERRORS, 1);
    erx_json_writer_t *writer = begin_answer(request);
    erx_json_key(writer, "error");
    erx_json_object_begin(writer);
    erx_json_put_signed(writer, "code", code);
    erx_json_put_text(writer, "message", message);
    erx_json_key(writer, "data");
    return writer;
}

void erx_rpc_end_fail(erx_rpc_request_t *request)
{
    erx_json_object_end(&request->writer);
}

void erx_rpc_fail(erx_rpc_request_t *request, int code, const char *format, ...)
{
    erx_telemetry_add(request->node->telemetry, ERX_METRIC_RPC_ERRORS, 1);
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    erx_json_writer_t *writer = begin_answer(request);
    erx_json_key(writer, "error");
    erx_json_object_begin(writer);
    erx_json_put_signed(writer, "code", code);
    erx_json_put_text(writer, "message", message);
    erx_json_object_end(writer);
}

erx_rpc_request_t *erx_rpc_defer(erx_rpc_request_t *request)
{
    erx_rpc_request_t *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        erx_rpc_fail(request, ERX_RPC_INTERNAL_ERROR, "No memory to wait for the answer");
        return NULL;
    }
    request->is_deferred = true;
    *kept = *request;
    kept->connection = NULL;
    kept->params = NULL;
    kept->id = json_incref(request->id);
    kept->call->pending++;
    return kept;
}

void erx_rpc_resolve(erx_rpc_request_t *request)
{
    erx_rpc_t *rpc = request->rpc;
    erx_rpc_call_t *call = request->call;
    end_answer(request);
    call->is_busy |= request->is_busy;
    json_decref(request->id);
    free(request);
    if (--call->pending == 0)
        finish_call(rpc, call);
}

void erx_rpc_verified(erx_rpc_t *rpc)
{
    erx_verdict_t *verdict = erx_verdicts_take(rpc->node.verdicts);
    while (verdict != NULL) {
        erx_verdict_t *next = verdict->next;
        erx_rpc_tell_verdict(rpc, verdict);
        free(verdict);
        verdict = next;
    }
}

void erx_rpc_executed(erx_rpc_t *rpc, const erx_block_event_t *event)
{
    for (uint32_t i = 0; i < event->record_count; i++)
        erx_rpc_tell_fate(rpc, event->records[i], event->finished_ns);
}

void erx_rpc_write_metrics(const erx_rpc_t *rpc, erx_text_t *text)
{
    erx_text_print(text, "# HELP erx_rpc_method_requests_total JSON-RPC requests by method.\n"
                         "# TYPE erx_rpc_method_requests_total counter\n");
    for (size_t i = 0; i < erx_rpc_method_count; i++)
        if (rpc->method_counts[i] > 0)
            erx_text_print(text, "erx_rpc_method_requests_total{method=\"%s\"} %" PRIu64 "\n",
                           erx_rpc_methods[i].name, rpc->method_counts[i]);
}
