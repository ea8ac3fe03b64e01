/* HTTP/1.1 requests: what may arrive, and answers. */
#include "node/server_parts.h"

#include "node/node_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_TEXT_MAX 24u /* a Content-Length, terminated */

/* Seconds that a reader has for an answer that does not fit into the socket. */
#define FETCH_SECONDS_MAX UINT64_C(60)

static const char *status_text(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

/* Puts the header right in front of the body, without a length where it is not
 * known. Returns where it begins. */
static char *place_header(const erx_connection_t *connection, unsigned status,
                          const char *content_type, const size_t *length_or_null, erx_text_t *text)
{
    char length_line[48] = "";
    if (length_or_null != NULL)
        (void)snprintf(length_line, sizeof length_line, "content-length: %zu\r\n", *length_or_null);
    char header[ERX_TEXT_HEADROOM - LWS_PRE];
    int length = snprintf(header, sizeof header,
                          "HTTP/1.1 %u %s\r\n"
                          "content-type: %s\r\n"
                          "%s"
                          "access-control-allow-origin: *\r\n"
                          "access-control-allow-methods: POST, GET, OPTIONS\r\n"
                          "access-control-allow-headers: *\r\n"
                          "access-control-max-age: 86400\r\n"
                          "cache-control: no-cache\r\n"
                          "%s\r\n",
                          status, status_text(status), content_type, length_line,
                          connection->close_after ? "connection: close\r\n" : "");
    char *begin = text->bytes - length;
    memcpy(begin, header, (size_t)length);
    return begin;
}

static bool write_response(erx_connection_t *connection, const char *content_type, erx_text_t *text)
{
    if (erx_text_reserve(text, 0) == NULL)
        return false;
    char *begin =
        place_header(connection, connection->response_status, content_type, &text->length, text);
    size_t size = (size_t)(text->bytes - begin);
    if (connection->method != ERX_HTTP_HEAD)
        size += text->length;
    erx_telemetry_add(connection->server->telemetry, ERX_METRIC_SENT_BYTES, size);
    connection->deadline_ns = erx_node_now() + FETCH_SECONDS_MAX * ERX_SECOND_NS;
    return lws_write(connection->wsi, (unsigned char *)begin, size, LWS_WRITE_HTTP_HEADERS) >= 0;
}

static int finish_request(erx_connection_t *connection)
{
    if (connection->close_after)
        return -1;
    return lws_http_transaction_completed(connection->wsi) ? -1 : 0;
}

void erx_server_respond(erx_connection_t *connection, unsigned status, const char *content_type,
                        erx_text_t *text)
{
    erx_server_t *server = connection->server;
    if (text->overflowed) {
        erx_text_clear(text);
        status = 500;
    }
    connection->response_status = status;
    connection->close_after |= status == 400 || status == 401;
    if (status >= 400 && status < 500)
        erx_telemetry_add(server->telemetry, ERX_METRIC_HTTP_REFUSED, 1);
    if (connection->in_callback) {
        connection->close_after |= !write_response(connection, content_type, text);
        connection->state = ERX_CONNECTION_HTTP_IDLE;
        return;
    }
    bool is_written = write_response(connection, content_type, text);
    connection->state = ERX_CONNECTION_HTTP_IDLE;
    if (!is_written || finish_request(connection) != 0)
        lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

void erx_server_close_after(erx_connection_t *connection)
{
    connection->close_after = true;
}

/* Returns nonzero when the connection is to be closed: after the last part, or
 * where its reader is gone. */
static int write_part(erx_connection_t *connection)
{
    erx_text_t *text = &connection->server->scratch;
    if (connection->part == NULL)
        return -1;
    erx_text_clear(text);
    if (!connection->part(connection->source, text))
        connection->part = NULL;
    if (text->overflowed || erx_text_reserve(text, 0) == NULL)
        return -1;
    erx_telemetry_add(connection->server->telemetry, ERX_METRIC_SENT_BYTES, text->length);
    connection->deadline_ns = erx_node_now() + FETCH_SECONDS_MAX * ERX_SECOND_NS;
    (void)lws_callback_on_writable(connection->wsi);
    return text->length == 0 || lws_write(connection->wsi, (unsigned char *)text->bytes,
                                          text->length, LWS_WRITE_HTTP) >= 0
               ? 0
               : -1;
}

void erx_server_stream(erx_connection_t *connection, const char *content_type,
                       erx_server_part_fn part, void *source)
{
    erx_text_t *text = &connection->server->scratch;
    connection->source = source;
    connection->part = connection->method == ERX_HTTP_HEAD ? NULL : part;
    connection->response_status = 200;
    connection->close_after = true;
    erx_text_clear(text);
    bool is_written = erx_text_reserve(text, 0) != NULL;
    if (is_written) {
        char *begin = place_header(connection, 200, content_type, NULL, text);
        size_t size = (size_t)(text->bytes - begin);
        is_written =
            lws_write(connection->wsi, (unsigned char *)begin, size, LWS_WRITE_HTTP_HEADERS) >= 0;
    }
    if (!is_written)
        connection->part = NULL;
    (void)lws_callback_on_writable(connection->wsi); /* also to close it */
}

/* Answers without the owner, and closes: what follows may be anything. */
static int refuse(erx_connection_t *connection, unsigned status, const char *reason)
{
    erx_text_t *text = &connection->server->scratch;
    erx_text_clear(text);
    erx_text_print(text, "%s\n", reason);
    connection->close_after = true;
    connection->in_callback = true;
    erx_server_respond(connection, status, "text/plain", text);
    connection->in_callback = false;
    return finish_request(connection);
}

static int handle(erx_connection_t *connection)
{
    connection->state = ERX_CONNECTION_HTTP_HANDLING;
    connection->deadline_ns = 0;
    erx_telemetry_add(connection->server->telemetry, ERX_METRIC_HTTP_REQUESTS, 1);
    lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
    if (!erx_server_admit(connection))
        return refuse(connection, 429, "too many requests a second on this connection");
    connection->in_callback = true;
    erx_server_deliver(connection);
    connection->in_callback = false;
    erx_text_clear(&connection->input);
    return connection->state == ERX_CONNECTION_HTTP_IDLE ? finish_request(connection) : 0;
}

static int answer_preflight(erx_connection_t *connection)
{
    erx_text_t *text = &connection->server->scratch;
    erx_text_clear(text);
    connection->in_callback = true;
    erx_server_respond(connection, 204, "text/plain", text);
    connection->in_callback = false;
    return finish_request(connection);
}

/* The length that a request promises; false where it promises none. */
static bool content_length(struct lws *wsi, uint64_t *length_out)
{
    char text[LENGTH_TEXT_MAX];
    int size = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    if (size <= 0 || text[strspn(text, "0123456789")] != '\0')
        return false;
    *length_out = strtoull(text, NULL, 10);
    return true;
}

static int begin_request(erx_connection_t *connection, const char *path, size_t path_size)
{
    struct lws *wsi = connection->wsi;
    connection->heard_ns = erx_node_now();
    connection->close_after = false;
    connection->content_length = 0;
    erx_text_clear(&connection->input);
    if (path_size >= sizeof connection->path)
        return refuse(connection, 404, "a path longer than any that there is");
    memcpy(connection->path, path, path_size);
    connection->path[path_size] = '\0';
    if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) > 0)
        return answer_preflight(connection);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0) {
        bool is_get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
        connection->method = is_get ? ERX_HTTP_GET : ERX_HTTP_HEAD;
        return handle(connection);
    }
    connection->method = ERX_HTTP_POST;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) == 0)
        return refuse(connection, 405, "only POST, GET, HEAD and OPTIONS are answered");
    if (!content_length(wsi, &connection->content_length))
        return refuse(connection, 411, "a POST needs a Content-Length");
    if (connection->content_length > connection->server->config->body_bytes_max)
        return refuse(connection, 413, "the body is longer than body_bytes_max");
    connection->state = ERX_CONNECTION_HTTP_BODY;
    connection->deadline_ns =
        connection->heard_ns + connection->server->config->header_seconds_max * ERX_SECOND_NS;
    /* libwebsockets reports the end of a body only after a part of one. */
    return connection->content_length == 0 ? handle(connection) : 0;
}

/* A request that is sent before the last one has its answer ends the connection
 * where that answer waits: libwebsockets takes it for more of the last one's body
 * and would report that body's end for ever. */
static int end_body(erx_connection_t *connection)
{
    if (connection->content_length == 0)
        return 0; /* handled */
    if (connection->state != ERX_CONNECTION_HTTP_BODY ||
        connection->input.length != connection->content_length)
        return -1;
    return handle(connection);
}

int erx_server_http(erx_connection_t *connection, enum lws_callback_reasons reason, const void *in,
                    size_t size)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return connection->state == ERX_CONNECTION_HTTP_IDLE ? begin_request(connection, in, size)
                                                             : -1;
    case LWS_CALLBACK_HTTP_BODY:
        connection->heard_ns = erx_node_now();
        erx_text_append(&connection->input, in, size);
        return connection->input.overflowed ? -1 : 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return end_body(connection);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return connection->source != NULL ? write_part(connection) : 0;
    default:
        return 0;
    }
}

bool erx_server_argument(const erx_connection_t *connection, const char *name, char *value_out,
                         size_t capacity)
{
    char argument[ERX_SERVER_PATH_MAX];
    size_t name_length = strlen(name);
    for (int i = 0;; i++) {
        int length = lws_hdr_copy_fragment(connection->wsi, argument, sizeof argument,
                                           WSI_TOKEN_HTTP_URI_ARGS, i);
        if (length < 0)
            return false;
        if ((size_t)length > name_length && strncmp(argument, name, name_length) == 0 &&
            argument[name_length] == '=') {
            size_t value_length = (size_t)length - name_length - 1;
            if (value_length >= capacity)
                return false;
            memcpy(value_out, argument + name_length + 1, value_length);
            value_out[value_length] = '\0';
            return true;
        }
    }
}
