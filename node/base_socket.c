#include "node/base_socket.h"

#include "node/base_backoff.h"
#include "node/base_wire.h"
#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/log.h"
#include "node/node_clock.h"

#include <inttypes.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX    ((size_t)1 << 20) /* account data is not asked for: answers are short */
#define REQUEST_MAX    1024u
#define PING_SECONDS   10u /* of silence; the node is gone after twice as many */
#define SERVICE_BYTES  4096u
#define MICROSECOND_NS UINT64_C(1000)
#define URL_MAX        (ERX_CONFIG_TEXT_MAX + 16u)
#define NODE_LEFT      "the connection for notifications was lost"

typedef struct {
    char text[URL_MAX]; /* taken apart in place */
    char path[URL_MAX];
    const char *host;
    int port;
    bool is_secure;
} address_t;

struct erx_base_socket {
    erx_follow_t *follow;
    erx_telemetry_t *telemetry;
    address_t address;
    struct lws_context *context;
    struct lws *wire; /* NULL: not connected, nor connecting */
    lws_sorted_usec_list_t again;
    uint32_t failures;
    erx_text_t message; /* that arrives in pieces */
    erx_text_t request;
    pthread_t thread;
    bool is_running;
    _Atomic bool is_stopping;
};

/* -------------------------------------------------------------- messages */

static bool write_request(erx_base_socket_t *socket, const erx_follow_request_t *request)
{
    erx_text_clear(&socket->request);
    erx_json_writer_t writer = erx_json_writer(&socket->request);
    erx_json_object_begin(&writer);
    erx_json_put_text(&writer, "jsonrpc", "2.0");
    erx_json_put_unsigned(&writer, "id", request->id);
    erx_json_put_text(&writer, "method",
                      request->is_subscribe ? "accountSubscribe" : "accountUnsubscribe");
    erx_json_key(&writer, "params");
    erx_json_array_begin(&writer);
    if (request->is_subscribe) {
        erx_json_key_text(&writer, &request->key);
        erx_json_object_begin(&writer);
        erx_json_put_text(&writer, "encoding", "base64");
        erx_json_put_text(&writer, "commitment", ERX_BASE_COMMITMENT);
        erx_json_key(&writer, "dataSlice"); /* that it changed is enough */
        erx_json_object_begin(&writer);
        erx_json_put_unsigned(&writer, "offset", 0);
        erx_json_put_unsigned(&writer, "length", 0);
        erx_json_object_end(&writer);
        erx_json_object_end(&writer);
    } else {
        erx_json_unsigned(&writer, request->subscription);
    }
    erx_json_array_end(&writer);
    erx_json_object_end(&writer);
    return !socket->request.overflowed;
}

/* Sends the next request; false where the connection is of no use any more. */
static bool send_next(erx_base_socket_t *socket, struct lws *wire)
{
    erx_follow_request_t request;
    if (!erx_follow_next(socket->follow, &request))
        return true;
    if (!write_request(socket, &request))
        return false;
    erx_telemetry_add(socket->telemetry, ERX_METRIC_BASE_REQUESTS, 1);
    (void)lws_callback_on_writable(wire);
    size_t length = socket->request.length; /* in front there is room, as LWS_PRE asks */
    return lws_write(wire, (unsigned char *)socket->request.bytes, length, LWS_WRITE_TEXT) >=
           (int)length;
}

static void note_notification(erx_base_socket_t *socket, const json_t *params)
{
    uint64_t subscription, slot = 0;
    const json_t *context = json_object_get(json_object_get(params, "result"), "context");
    (void)erx_json_to_unsigned(json_object_get(context, "slot"), &slot);
    if (erx_json_to_unsigned(json_object_get(params, "subscription"), &subscription))
        erx_follow_notified(socket->follow, subscription, slot);
}

/* False where the node refuses to be of use. */
static bool note_message(erx_base_socket_t *socket)
{
    erx_failure_t failure;
    uint64_t id, subscription;
    json_t *message = erx_json_read(socket->message.bytes, socket->message.length, &failure);
    const json_t *result = json_object_get(message, "result");
    const json_t *params = json_object_get(message, "params");
    bool is_good = message != NULL && json_object_get(message, "error") == NULL;
    if (is_good && params != NULL)
        note_notification(socket, params);
    else if (is_good && erx_json_to_unsigned(json_object_get(message, "id"), &id) &&
             erx_json_to_unsigned(result, &subscription))
        erx_follow_confirmed(socket->follow, id, subscription);
    if (!is_good)
        erx_telemetry_add(socket->telemetry, ERX_METRIC_BASE_FAILURES, 1);
    json_decref(message);
    return is_good;
}

static bool receive(erx_base_socket_t *socket, struct lws *wire, const void *bytes, size_t size)
{
    erx_text_append(&socket->message, bytes, size);
    if (socket->message.overflowed)
        return false;
    if (!lws_is_final_fragment(wire) || lws_remaining_packet_payload(wire) > 0)
        return true;
    bool is_good = note_message(socket);
    erx_text_clear(&socket->message);
    (void)lws_callback_on_writable(wire); /* it may have left something to end */
    return is_good;
}

/* ------------------------------------------------------------ connection */

static void connect_again(lws_sorted_usec_list_t *again);

static void lose(erx_base_socket_t *socket, const char *reason)
{
    socket->wire = NULL;
    if (atomic_load_explicit(&socket->is_stopping, memory_order_relaxed))
        return;
    socket->failures++;
    erx_text_clear(&socket->message);
    erx_follow_connected(socket->follow, false);
    erx_telemetry_add(socket->telemetry, ERX_METRIC_BASE_FAILURES, 1);
    erx_log(ERX_LOG_DEBUG, "base-socket-lost", "reason=\"%s\"", reason);
    lws_sul_schedule(socket->context, 0, &socket->again, connect_again,
                     (lws_usec_t)(erx_backoff_wait(socket->failures) / MICROSECOND_NS));
}

static int on_event(struct lws *wire, enum lws_callback_reasons reason, void *user, void *bytes,
                    size_t size)
{
    erx_base_socket_t *socket = lws_context_user(lws_get_context(wire));
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        socket->failures = 0;
        erx_follow_connected(socket->follow, true);
        erx_log(ERX_LOG_DEBUG, "base-socket-open", "host=%s port=%d", socket->address.host,
                socket->address.port);
        (void)lws_callback_on_writable(wire);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_next(socket, wire) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(socket, wire, bytes, size) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lose(socket, bytes != NULL ? bytes : "no connection");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lose(socket, NODE_LEFT);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (socket->wire != NULL)
            (void)lws_callback_on_writable(socket->wire);
        return 0;
    default:
        return 0;
    }
}

static void connect_again(lws_sorted_usec_list_t *again)
{
    static const lws_retry_bo_t idle = {
        .secs_since_valid_ping = PING_SECONDS,
        .secs_since_valid_hangup = 2 * PING_SECONDS,
    };
    erx_base_socket_t *socket = ERX_CONTAINER_OF(again, erx_base_socket_t, again);
    const struct lws_client_connect_info info = {
        .context = socket->context,
        .address = socket->address.host,
        .port = socket->address.port,
        .ssl_connection = socket->address.is_secure ? LCCSCF_USE_SSL : 0,
        .path = socket->address.path,
        .host = socket->address.host,
        .origin = socket->address.host,
        .local_protocol_name = "base",
        .retry_and_idle_policy = &idle,
        .pwsi = &socket->wire,
    };
    if (atomic_load_explicit(&socket->is_stopping, memory_order_relaxed))
        return;
    /* A failure is told by an event, unless it came at once. */
    uint32_t failures = socket->failures;
    if (lws_client_connect_via_info(&info) == NULL && failures == socket->failures)
        lose(socket, "no connection could be begun");
}

static void *run(void *context)
{
    erx_base_socket_t *socket = context;
    lws_sul_schedule(socket->context, 0, &socket->again, connect_again, 1);
    while (!atomic_load_explicit(&socket->is_stopping, memory_order_acquire))
        if (lws_service(socket->context, 0) < 0)
            break;
    return NULL;
}

/* --------------------------------------------------------------- opening */

/* base_url with the scheme of a WebSocket and, where it names a port, the next one. */
static void derive_url(const char *base_url, char *url)
{
    bool is_secure = strncmp(base_url, "https:", 6) == 0;
    const char *host = strstr(base_url, "://");
    host = host != NULL ? host + 3 : base_url;
    size_t length = strcspn(host, "/");
    const char *colon = memrchr(host, ':', length);
    const char *bracket = memrchr(host, ']', length);
    const char *scheme = is_secure ? "wss" : "ws";
    if (colon != NULL && (bracket == NULL || colon > bracket))
        (void)snprintf(url, URL_MAX, "%s://%.*s:%lu%.500s", scheme, (int)(colon - host), host,
                       strtoul(colon + 1, NULL, 10) + 1, host + length);
    else
        (void)snprintf(url, URL_MAX, "%s://%.500s", scheme, host);
}

static bool read_address(const erx_config_t *config, address_t *address, erx_failure_t *failure)
{
    const char *scheme, *path;
    if (config->base_websocket_url[0] != '\0')
        (void)snprintf(address->text, URL_MAX, "%s", config->base_websocket_url);
    else
        derive_url(config->base_url, address->text);
    bool is_read =
        strncmp(address->text, "ws://", 5) == 0 || strncmp(address->text, "wss://", 6) == 0;
    if (!is_read || lws_parse_uri(address->text, &scheme, &address->host, &address->port, &path))
        return erx_failure_set(failure,
                               "base_websocket_url: '%.300s' does not begin with ws:// or wss:// "
                               "and a host",
                               config->base_websocket_url);
    address->is_secure = strcmp(scheme, "wss") == 0;
    (void)snprintf(address->path, URL_MAX, "/%.500s", path);
    return true;
}

static bool open_context(erx_base_socket_t *socket, erx_failure_t *failure)
{
    static const struct lws_protocols protocols[] = {
        {.name = "base", .callback = on_event, .rx_buffer_size = SERVICE_BYTES},
        {0},
    };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .user = socket,
        .protocols = protocols,
        .options = socket->address.is_secure ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(0, NULL); /* the server, which is opened later, says what is told */
    socket->context = lws_create_context(&info);
    return socket->context != NULL ||
           erx_failure_set(failure, "libwebsockets could not be started; see its messages");
}

bool erx_base_socket_open(const erx_config_t *config, erx_follow_t *follow,
                          erx_telemetry_t *telemetry, erx_base_socket_t **socket_out,
                          erx_failure_t *failure)
{
    erx_base_socket_t *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return erx_failure_set(failure, "no memory for the base layer's connection");
    socket->follow = follow;
    socket->telemetry = telemetry;
    erx_text_open(&socket->message, MESSAGE_MAX);
    erx_text_open(&socket->request, REQUEST_MAX);
    bool is_open = read_address(config, &socket->address, failure) && open_context(socket, failure);
    if (is_open) {
        socket->is_running = pthread_create(&socket->thread, NULL, run, socket) == 0;
        is_open = socket->is_running ||
                  erx_failure_set(failure, "the base layer's thread could not be started");
    }
    if (!is_open) {
        erx_base_socket_close(socket);
        return false;
    }
    (void)pthread_setname_np(socket->thread, "erx-base-socket");
    *socket_out = socket;
    return true;
}

void erx_base_socket_wake(erx_base_socket_t *socket)
{
    lws_cancel_service(socket->context);
}

void erx_base_socket_close(erx_base_socket_t *socket)
{
    if (socket == NULL)
        return;
    if (socket->is_running) {
        atomic_store_explicit(&socket->is_stopping, true, memory_order_release);
        lws_cancel_service(socket->context);
        (void)pthread_join(socket->thread, NULL);
    }
    if (socket->context != NULL)
        lws_context_destroy(socket->context);
    erx_text_close(&socket->message);
    erx_text_close(&socket->request);
    free(socket);
}
