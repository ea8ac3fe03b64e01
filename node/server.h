/* HTTP and WebSocket over libwebsockets: connections, their limits, and what
 * waits to be written to them. Knows nothing of JSON-RPC: a POST body and a
 * WebSocket message both arrive as one message of a connection.
 *
 * One network thread runs the server; everything here is called on it, except
 * where it says "any thread". */
#ifndef ERX_NODE_SERVER_H
#define ERX_NODE_SERVER_H

#include "node/config.h"
#include "node/outbox.h"
#include "node/telemetry.h"
#include "node/text_buffer.h"

typedef struct erx_server erx_server_t;
typedef struct erx_connection erx_connection_t;

/* A connection by number: 0, or a number that is never used again. */
typedef uint64_t erx_connection_id_t;

typedef enum {
    ERX_HTTP_GET,
    ERX_HTTP_HEAD,
    ERX_HTTP_POST,
} erx_http_method_t;

/* What a connection received. Valid during the call. */
typedef struct {
    erx_connection_t *connection;
    bool is_websocket;
    erx_http_method_t method; /* of an HTTP request */
    const char *path;         /* "/" for a WebSocket; decoded, without the query */
    const char *body;         /* not terminated */
    size_t body_size;
} erx_server_message_t;

typedef struct {
    void *context;
    /* A whole request or message. An HTTP request must be answered, now or
     * later, with erx_server_respond. */
    void (*message)(void *context, const erx_server_message_t *message);
    /* A WebSocket is gone, its feeds must be closed now. */
    void (*closed)(void *context, erx_connection_t *connection);
    /* After erx_server_wake, one call for any number of them. */
    void (*woken)(void *context);
    /* About ten times a second. */
    void (*beat)(void *context, uint64_t now_ns);
} erx_server_handlers_t;

/* Binds the ports of config->listen and the one after it. The failure says which
 * address is in use and what to do. config and telemetry outlive the server. */
erx_server_t *erx_server_open(const erx_config_t *config, const erx_server_handlers_t *handlers,
                              erx_telemetry_t *telemetry, erx_failure_t *failure);

/* Closes every connection. NULL is allowed. */
void erx_server_close(erx_server_t *server);

/* The port that was bound, and the host as it was given. */
uint16_t erx_server_port(const erx_server_t *server);
const char *erx_server_host(const erx_server_t *server);

/* Serves until erx_server_stop. */
void erx_server_run(erx_server_t *server);

/* Ends run after what is queued was written, or a second later. Any thread. */
void erx_server_stop(erx_server_t *server);

/* Has handlers.woken called on the network thread soon. Any thread. */
void erx_server_wake(erx_server_t *server);

erx_connection_id_t erx_server_connection_id(const erx_connection_t *connection);

/* The connection of a number; NULL when it is gone. */
erx_connection_t *erx_server_find(erx_server_t *server, erx_connection_id_t id);

/* Answers the HTTP request that the connection waits with. The text is written
 * at once where it can be, and may be cleared after the call; its headroom is
 * overwritten. content_type such as "application/json". */
void erx_server_respond(erx_connection_t *connection, unsigned status, const char *content_type,
                        erx_text_t *text);

/* Has the connection closed after the answer to come: what follows on it may be
 * anything. */
void erx_server_close_after(erx_connection_t *connection);

/* Writes the next part of a long answer into an empty text; false where it was the
 * last one. */
typedef bool (*erx_server_part_fn)(void *source, erx_text_t *text);

/* Answers with status 200 and a body that is made part by part, each when the one
 * before has left, so that neither much memory nor much time of the thread is
 * taken at once. The connection's end is the body's. source is freed with free()
 * when the answer is over or its reader gone. */
void erx_server_stream(erx_connection_t *connection, const char *content_type,
                       erx_server_part_fn part, void *source);

/* Value of a query argument of the request being handled ("pubkey" of
 * "?pubkey=..."); false where there is none or it does not fit. */
bool erx_server_argument(const erx_connection_t *connection, const char *name, char *value_out,
                         size_t capacity);

/* Queues a reply on a WebSocket. */
void erx_server_send(erx_connection_t *connection, const erx_text_t *text);

/* Queues a notification: payload is the JSON of params.result. */
void erx_server_notify(erx_connection_t *connection, erx_feed_t *feed, uint64_t key,
                       uint64_t since_ns, erx_payload_t *payload);

/* Drops what waits in a feed. */
void erx_server_close_feed(erx_connection_t *connection, erx_feed_t *feed);

/* Messages of this connection that are not yet answered: the server does not
 * read on while there are too many. */
void erx_server_begin_message(erx_connection_t *connection);
void erx_server_end_message(erx_connection_t *connection);

/* The owner's own pointer of a connection: its subscriptions. */
void erx_server_set_user(erx_connection_t *connection, void *user);
void *erx_server_user(const erx_connection_t *connection);

#endif
