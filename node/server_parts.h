/* What the files of the server share. */
#ifndef ERX_NODE_SERVER_PARTS_H
#define ERX_NODE_SERVER_PARTS_H

#include "node/server.h"

#include <libwebsockets.h>
#include <stdatomic.h>

#define ERX_SERVER_PATH_MAX 512u

typedef enum {
    ERX_CONNECTION_HTTP_IDLE,     /* between requests, or not yet a WebSocket */
    ERX_CONNECTION_HTTP_BODY,     /* a body is arriving */
    ERX_CONNECTION_HTTP_HANDLING, /* to be answered; not read */
    ERX_CONNECTION_WEBSOCKET,
} erx_connection_state_t;

struct erx_connection {
    erx_connection_id_t id;
    erx_server_t *server;
    struct lws *wsi;
    erx_connection_t *next, *previous; /* all connections */
    erx_connection_t *next_in_bucket;  /* of the table by id */
    erx_connection_state_t state;
    bool in_callback; /* of this very connection: an answer may be written now */
    bool close_after; /* no further request on this connection */
    bool wants_ping;  /* one is to be written */
    bool awaits_pong;
    bool is_paused; /* not read */
    bool is_dying;  /* WebSocket: close when next writable */
    uint16_t close_code;
    erx_http_method_t method;
    unsigned response_status;
    uint64_t content_length; /* of the request */
    uint64_t deadline_ns;    /* of the request's body, or the response's fetching */
    uint64_t heard_ns;       /* something arrived */
    uint64_t second;         /* which one requests_this_second counts */
    uint32_t requests_this_second;
    uint32_t pending; /* messages without an answer */
    char path[ERX_SERVER_PATH_MAX];
    erx_text_t input; /* body or message */
    erx_outbox_t outbox;
    erx_server_part_fn part; /* of the answer; NULL: none, or the last one was written */
    void *source;            /* of its parts */
    void *user;
};

#define ERX_SERVER_BUCKETS 4096u /* a power of two */

struct erx_server {
    const erx_config_t *config;
    erx_server_handlers_t handlers;
    erx_telemetry_t *telemetry;
    struct lws_context *context;
    struct lws_vhost *vhosts[2];
    char host[ERX_CONFIG_TEXT_MAX];
    char interface[64]; /* numeric address; empty: all */
    uint16_t port;
    bool is_ipv6;
    atomic_bool woken;
    atomic_bool stopping;
    uint32_t connection_count; /* also those that sent nothing yet */
    uint32_t websocket_count;
    erx_connection_id_t last_id;
    erx_connection_t *connections;
    erx_connection_t *buckets[ERX_SERVER_BUCKETS];
    erx_text_t scratch; /* one frame or small answer */
    lws_sorted_usec_list_t beat;
};

/* Tables of connections (server.c). */
erx_connection_t *erx_server_add(erx_server_t *server, struct lws *wsi);
void erx_server_remove(erx_connection_t *connection);

/* Whether one more request is within the connection's rate (server.c). */
bool erx_server_admit(erx_connection_t *connection);

/* Hands a whole request or message to the owner (server.c). */
void erx_server_deliver(erx_connection_t *connection);

/* libwebsockets' callbacks by subject; the result goes back to it: nonzero
 * closes the connection. */
int erx_server_http(erx_connection_t *connection, enum lws_callback_reasons reason, const void *in,
                    size_t size);
int erx_server_websocket(erx_connection_t *connection, enum lws_callback_reasons reason,
                         const void *in, size_t size);

/* Moves a WebSocket on after something was queued, paused or resumed. */
void erx_server_want_write(erx_connection_t *connection);

#endif
