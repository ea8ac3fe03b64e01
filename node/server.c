#include "node/server_parts.h"

#include "node/node_clock.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BEAT_US       100000
#define STOP_WAIT_NS  ERX_SECOND_NS
#define SERVICE_BYTES (64u << 10) /* read from a socket at once */
#define SPARE_FILES   64u         /* descriptors that are no connections */
#define PORT_TRIES    32u
#define SCRATCH_MAX   (64u << 20) /* base64 of the largest account, and more */

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size);

static const struct lws_protocols protocols[] = {
    {
        .name = "erx",
        .callback = on_event,
        .rx_buffer_size = SERVICE_BYTES,
    },
    {0},
};

/* ---------------------------------------------------------- connections */

static uint32_t bucket_of(erx_connection_id_t id)
{
    return (uint32_t)(id & (ERX_SERVER_BUCKETS - 1));
}

erx_connection_t *erx_server_add(erx_server_t *server, struct lws *wsi)
{
    erx_connection_t *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->id = ++server->last_id;
    connection->server = server;
    connection->wsi = wsi;
    connection->heard_ns = erx_node_now();
    erx_text_open(&connection->input, server->config->body_bytes_max);
    erx_outbox_open(&connection->outbox, server->config->notifications_queued_max,
                    server->config->notification_bytes_max);
    server->connection_count++;
    erx_telemetry_set(server->telemetry, ERX_METRIC_CONNECTIONS, server->connection_count);
    connection->next = server->connections;
    if (server->connections != NULL)
        server->connections->previous = connection;
    server->connections = connection;
    uint32_t bucket = bucket_of(connection->id);
    connection->next_in_bucket = server->buckets[bucket];
    server->buckets[bucket] = connection;
    return connection;
}

void erx_server_remove(erx_connection_t *connection)
{
    erx_server_t *server = connection->server;
    server->handlers.closed(server->handlers.context, connection);
    server->connection_count--;
    erx_telemetry_set(server->telemetry, ERX_METRIC_CONNECTIONS, server->connection_count);
    if (connection->state == ERX_CONNECTION_WEBSOCKET)
        erx_telemetry_set(server->telemetry, ERX_METRIC_WEBSOCKETS, --server->websocket_count);
    erx_connection_t **place = &server->buckets[bucket_of(connection->id)];
    while (*place != connection)
        place = &(*place)->next_in_bucket;
    *place = connection->next_in_bucket;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    erx_outbox_close(&connection->outbox);
    erx_text_close(&connection->input);
    free(connection->source);
    free(connection);
}

erx_connection_id_t erx_server_connection_id(const erx_connection_t *connection)
{
    return connection->id;
}

erx_connection_t *erx_server_find(erx_server_t *server, erx_connection_id_t id)
{
    erx_connection_t *connection = server->buckets[bucket_of(id)];
    while (connection != NULL && connection->id != id)
        connection = connection->next_in_bucket;
    return connection;
}

void erx_server_set_user(erx_connection_t *connection, void *user)
{
    connection->user = user;
}

void *erx_server_user(const erx_connection_t *connection)
{
    return connection->user;
}

bool erx_server_admit(erx_connection_t *connection)
{
    uint64_t second = erx_node_now() / ERX_SECOND_NS;
    if (connection->second != second) {
        connection->second = second;
        connection->requests_this_second = 0;
    }
    return ++connection->requests_this_second <=
           connection->server->config->requests_per_second_max;
}

void erx_server_deliver(erx_connection_t *connection)
{
    erx_server_t *server = connection->server;
    erx_telemetry_add(server->telemetry, ERX_METRIC_RECEIVED_BYTES, connection->input.length);
    erx_server_message_t message = {
        .connection = connection,
        .is_websocket = connection->state == ERX_CONNECTION_WEBSOCKET,
        .method = connection->method,
        .path = connection->path,
        .body = connection->input.length > 0 ? connection->input.bytes : "",
        .body_size = connection->input.length,
    };
    server->handlers.message(server->handlers.context, &message);
}

/* --------------------------------------------------------------- events */

/* A socket was accepted: the last moment to refuse it. */
static int on_accept(erx_server_t *server, int socket)
{
    if (server->connection_count >= server->config->connections_max) {
        erx_telemetry_add(server->telemetry, ERX_METRIC_CONNECTIONS_REFUSED, 1);
        return 1;
    }
    int on = 1; /* or a notification waits for the reader's acknowledgement */
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return 0;
}

/* libwebsockets keeps our pointer over all requests of a connection. */
static int on_connection(erx_server_t *server, struct lws *wsi)
{
    erx_connection_t *connection = erx_server_add(server, wsi);
    lws_set_opaque_user_data(wsi, connection);
    return connection == NULL;
}

static void on_gone(struct lws *wsi)
{
    erx_connection_t *connection = lws_get_opaque_user_data(wsi);
    lws_set_opaque_user_data(wsi, NULL);
    if (connection != NULL)
        erx_server_remove(connection);
}

static void on_wake(erx_server_t *server)
{
    if (atomic_exchange_explicit(&server->woken, false, memory_order_acquire))
        server->handlers.woken(server->handlers.context);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    (void)user;
    erx_server_t *server = lws_context_user(lws_get_context(wsi));
    erx_connection_t *connection = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return on_accept(server, (int)(intptr_t)in);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return on_connection(server, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        on_gone(wsi);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        on_wake(server);
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLOSED:
        return connection == NULL ? -1 : erx_server_websocket(connection, reason, in, size);
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return connection == NULL ? -1 : erx_server_http(connection, reason, in, size);
    default:
        return 0;
    }
}

/* A body that does not arrive, or an answer that is not fetched. */
static bool is_late(const erx_connection_t *connection, uint64_t now)
{
    return connection->deadline_ns != 0 && now > connection->deadline_ns &&
           (connection->state == ERX_CONNECTION_HTTP_BODY || connection->part != NULL ||
            lws_partial_buffered(connection->wsi));
}

/* Requests that do not arrive, answers that are not fetched, quiet WebSockets. */
static void check_connection(erx_connection_t *connection, uint64_t now)
{
    const erx_config_t *config = connection->server->config;
    uint64_t quiet = now > connection->heard_ns ? now - connection->heard_ns : 0;
    if (connection->state == ERX_CONNECTION_WEBSOCKET) {
        if (quiet > 2 * config->ping_seconds * ERX_SECOND_NS) {
            lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        } else if (quiet > config->ping_seconds * ERX_SECOND_NS && !connection->awaits_pong) {
            connection->wants_ping = connection->awaits_pong = true;
            erx_server_want_write(connection);
        }
    } else if (is_late(connection, now)) {
        lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
}

static void on_beat(lws_sorted_usec_list_t *list)
{
    erx_server_t *server = ERX_CONTAINER_OF(list, erx_server_t, beat);
    uint64_t now = erx_node_now();
    for (erx_connection_t *connection = server->connections; connection != NULL;
         connection = connection->next)
        check_connection(connection, now);
    erx_telemetry_set(server->telemetry, ERX_METRIC_CPU_NETWORK_NS, erx_node_thread_cpu());
    server->handlers.beat(server->handlers.context, now);
    lws_sul_schedule(server->context, 0, &server->beat, on_beat, BEAT_US);
}

/* -------------------------------------------------------------- opening */

/* Turns the host into an address; libwebsockets takes names of interfaces only. */
static bool resolve(erx_server_t *server, erx_failure_t *failure)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(server->host, "0", &hints, &found);
    if (code != 0)
        return erx_failure_set(failure, "listen: no address for '%.200s': %s", server->host,
                               gai_strerror(code));
    server->is_ipv6 = found->ai_family == AF_INET6;
    (void)getnameinfo(found->ai_addr, found->ai_addrlen, server->interface,
                      sizeof server->interface, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    return true;
}

/* Whether a port can be bound; *port 0 becomes one that was free. */
static bool probe_port(const erx_server_t *server, uint16_t *port)
{
    struct addrinfo hints = {.ai_family = server->is_ipv6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    if (getaddrinfo(server->interface, "0", &hints, &found) != 0)
        return false;
    uint16_t *place = server->is_ipv6 ? &((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port
                                      : &((struct sockaddr_in *)(void *)found->ai_addr)->sin_port;
    *place = htons(*port);
    int probe = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    (void)setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool is_free = probe >= 0 && bind(probe, found->ai_addr, found->ai_addrlen) == 0;
    if (is_free && getsockname(probe, found->ai_addr, &found->ai_addrlen) == 0)
        *port = ntohs(*place);
    if (probe >= 0)
        (void)close(probe);
    freeaddrinfo(found);
    return is_free;
}

static bool choose_ports(erx_server_t *server, erx_failure_t *failure)
{
    uint16_t wanted = server->port;
    for (uint32_t i = 0; i < PORT_TRIES; i++) {
        uint16_t first = wanted;
        if (probe_port(server, &first) && first < UINT16_MAX) {
            uint16_t second = (uint16_t)(first + 1);
            if (probe_port(server, &second)) {
                server->port = first;
                return true;
            }
        }
        if (wanted != 0)
            return erx_failure_set(failure,
                                   "listen: %.200s cannot have ports %u and %u: one is in use or "
                                   "not allowed; choose others with --listen",
                                   server->host, wanted, wanted + 1);
    }
    return erx_failure_set(failure, "listen: no two free ports in a row on %.200s", server->host);
}

/* As many descriptors as connections may need, as far as the system lets us. */
static void raise_file_limit(const erx_config_t *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = config->connections_max + SPARE_FILES;
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = ERX_LESSER(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
        erx_log(ERX_LOG_WARNING, "file-limit", "wanted=%llu allowed=%llu",
                (unsigned long long)wanted, (unsigned long long)limit.rlim_cur);
}

static void on_library_log(int level, const char *line)
{
    erx_log(level == LLL_ERR ? ERX_LOG_WARNING : ERX_LOG_DEBUG, "libwebsockets", "text=\"%.*s\"",
            (int)strcspn(line, "\n"), line);
}

static bool open_context(erx_server_t *server, erx_failure_t *failure)
{
    const erx_config_t *config = server->config;
    lws_set_log_level(erx_log_is_on(ERX_LOG_DEBUG) ? LLL_ERR | LLL_WARN : LLL_ERR, on_library_log);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .user = server,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (server->is_ipv6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
        .protocols = protocols,
        .iface = server->interface,
        .gid = -1,
        .uid = -1,
        .keepalive_timeout = (int)config->idle_seconds_max,
        .timeout_secs = config->header_seconds_max,
        .timeout_secs_ah_idle = config->header_seconds_max,
        .max_http_header_data = (unsigned short)config->header_bytes_max,
        .pt_serv_buf_size = SERVICE_BYTES,
        .fd_limit_per_thread = config->connections_max + SPARE_FILES,
    };
    server->context = lws_create_context(&info);
    if (server->context == NULL)
        return erx_failure_set(failure, "libwebsockets could not be started; see its messages");
    for (uint32_t i = 0; i < ERX_ARRAY_COUNT(server->vhosts); i++) {
        info.port = server->port + (int)i;
        info.vhost_name = i == 0 ? "rpc" : "websocket";
        server->vhosts[i] = lws_create_vhost(server->context, &info);
        if (server->vhosts[i] == NULL)
            return erx_failure_set(failure, "listen: %.200s:%d could not be bound", server->host,
                                   info.port);
    }
    lws_sul_schedule(server->context, 0, &server->beat, on_beat, BEAT_US);
    return true;
}

erx_server_t *erx_server_open(const erx_config_t *config, const erx_server_handlers_t *handlers,
                              erx_telemetry_t *telemetry, erx_failure_t *failure)
{
    erx_server_t *server = calloc(1, sizeof *server);
    if (server == NULL) {
        (void)erx_failure_set(failure, "no memory for the server");
        return NULL;
    }
    server->config = config;
    server->handlers = *handlers;
    server->telemetry = telemetry;
    erx_text_open(&server->scratch, SCRATCH_MAX);
    raise_file_limit(config);
    if (erx_config_address(config->listen, server->host, &server->port, failure) &&
        resolve(server, failure) && choose_ports(server, failure) && open_context(server, failure))
        return server;
    erx_server_close(server);
    return NULL;
}

void erx_server_close(erx_server_t *server)
{
    if (server == NULL)
        return;
    if (server->context != NULL)
        lws_context_destroy(server->context);
    erx_text_close(&server->scratch);
    free(server);
}

uint16_t erx_server_port(const erx_server_t *server)
{
    return server->port;
}

const char *erx_server_host(const erx_server_t *server)
{
    return server->host;
}

static bool is_drained(const erx_server_t *server)
{
    for (const erx_connection_t *connection = server->connections; connection != NULL;
         connection = connection->next)
        if (connection->state == ERX_CONNECTION_HTTP_HANDLING || connection->pending > 0 ||
            lws_partial_buffered(connection->wsi) || !erx_outbox_is_empty(&connection->outbox))
            return false;
    return true;
}

void erx_server_run(erx_server_t *server)
{
    uint64_t stop_by = 0;
    for (;;) {
        if (lws_service(server->context, 0) < 0)
            return;
        if (!atomic_load_explicit(&server->stopping, memory_order_acquire))
            continue;
        uint64_t now = erx_node_now();
        if (stop_by == 0)
            stop_by = now + STOP_WAIT_NS;
        if (now > stop_by || is_drained(server))
            return;
    }
}

void erx_server_stop(erx_server_t *server)
{
    atomic_store_explicit(&server->stopping, true, memory_order_release);
    erx_server_wake(server);
}

void erx_server_wake(erx_server_t *server)
{
    /* One that is on its way sees what was published before this exchange. */
    if (!atomic_exchange_explicit(&server->woken, true, memory_order_acq_rel))
        lws_cancel_service(server->context);
}
