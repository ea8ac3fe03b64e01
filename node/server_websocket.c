/* WebSocket messages in both directions. */
#include "node/server_parts.h"

#include "node/node_clock.h"

#include <inttypes.h>
#include <string.h>

/* Messages written before other connections have their turn. */
#define BURST_MAX 32u

/* Headroom of a text also holds a frame's header. */
_Static_assert(ERX_TEXT_HEADROOM >= LWS_PRE, "a frame's header fits in front of its text");

void erx_server_want_write(erx_connection_t *connection)
{
    (void)lws_callback_on_writable(connection->wsi);
}

void erx_server_send(erx_connection_t *connection, const erx_text_t *text)
{
    erx_payload_t *payload = text->overflowed ? NULL : erx_payload_make(text->bytes, text->length);
    if (payload == NULL || !erx_outbox_reply(&connection->outbox, payload)) {
        connection->is_dying = true; /* a missing answer is worse than none */
        connection->close_code = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
    }
    erx_server_want_write(connection);
}

void erx_server_notify(erx_connection_t *connection, erx_feed_t *feed, uint64_t key,
                       uint64_t since_ns, erx_payload_t *payload)
{
    erx_telemetry_t *telemetry = connection->server->telemetry;
    uint32_t before = connection->outbox.entry_count;
    uint32_t dropped = erx_outbox_notify(&connection->outbox, feed, key, since_ns, payload);
    if (dropped > 0)
        erx_telemetry_add(telemetry, ERX_METRIC_NOTIFICATIONS_DROPPED, dropped);
    erx_telemetry_add(telemetry, ERX_METRIC_NOTIFICATIONS_QUEUED,
                      (uint64_t)connection->outbox.entry_count - before);
    erx_server_want_write(connection);
}

void erx_server_close_feed(erx_connection_t *connection, erx_feed_t *feed)
{
    erx_telemetry_add(connection->server->telemetry, ERX_METRIC_NOTIFICATIONS_QUEUED,
                      UINT64_C(0) - feed->count);
    erx_outbox_close_feed(&connection->outbox, feed);
}

static void pause_where_due(erx_connection_t *connection)
{
    if (connection->state != ERX_CONNECTION_WEBSOCKET)
        return;
    uint32_t unanswered = connection->pending + connection->outbox.reply_count;
    bool is_full = unanswered >= connection->server->config->requests_pending_max;
    if (is_full == connection->is_paused)
        return;
    connection->is_paused = is_full;
    (void)lws_rx_flow_control(connection->wsi, is_full ? 0 : 1);
}

void erx_server_begin_message(erx_connection_t *connection)
{
    connection->pending++;
    pause_where_due(connection);
}

void erx_server_end_message(erx_connection_t *connection)
{
    connection->pending--;
    pause_where_due(connection);
}

/* The frame of an item, in the server's scratch text. */
static void compose(erx_server_t *server, const erx_outbox_item_t *item)
{
    erx_text_t *text = &server->scratch;
    erx_text_clear(text);
    if (item->feed == NULL) {
        erx_text_append(text, item->payload->bytes, item->payload->length);
        return;
    }
    erx_text_print(
        text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"result\":", item->feed->method);
    erx_text_append(text, item->payload->bytes, item->payload->length);
    erx_text_print(text, ",\"subscription\":%" PRIu64 "}}", item->feed->subscription);
}

static bool write_item(erx_connection_t *connection, erx_outbox_item_t *item)
{
    erx_server_t *server = connection->server;
    erx_text_t *text = &server->scratch;
    compose(server, item);
    if (item->feed != NULL) {
        erx_telemetry_add(server->telemetry, ERX_METRIC_NOTIFICATIONS, 1);
        erx_telemetry_add(server->telemetry, ERX_METRIC_NOTIFICATIONS_QUEUED, UINT64_MAX);
        uint64_t now = erx_node_now();
        erx_telemetry_observe(server->telemetry, ERX_TIMING_NOTIFY,
                              now > item->since_ns ? now - item->since_ns : 0);
    }
    erx_payload_release(item->payload);
    if (text->overflowed)
        return false;
    erx_telemetry_add(server->telemetry, ERX_METRIC_SENT_BYTES, text->length);
    return lws_write(connection->wsi, (unsigned char *)text->bytes, text->length, LWS_WRITE_TEXT) >=
           0;
}

static int write_queued(erx_connection_t *connection)
{
    if (connection->is_dying) {
        lws_close_reason(connection->wsi, connection->close_code, NULL, 0);
        return -1;
    }
    if (connection->wants_ping) {
        unsigned char frame[LWS_PRE];
        connection->wants_ping = false;
        if (lws_write(connection->wsi, frame + LWS_PRE, 0, LWS_WRITE_PING) < 0)
            return -1;
    }
    erx_outbox_item_t item;
    for (uint32_t i = 0; i < BURST_MAX && !lws_partial_buffered(connection->wsi); i++) {
        if (!erx_outbox_next(&connection->outbox, &item))
            break;
        if (!write_item(connection, &item))
            return -1;
    }
    pause_where_due(connection);
    if (!erx_outbox_is_empty(&connection->outbox))
        erx_server_want_write(connection);
    return 0;
}

static int die(erx_connection_t *connection, uint16_t code)
{
    connection->is_dying = true;
    connection->close_code = code;
    erx_server_want_write(connection);
    return 0;
}

static int on_receive(erx_connection_t *connection, const void *in, size_t size)
{
    connection->heard_ns = erx_node_now();
    connection->awaits_pong = false;
    if (connection->is_dying)
        return 0;
    if (lws_is_first_fragment(connection->wsi))
        erx_text_clear(&connection->input);
    erx_text_append(&connection->input, in, size);
    if (connection->input.overflowed)
        return die(connection, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    if (!lws_is_final_fragment(connection->wsi) ||
        lws_remaining_packet_payload(connection->wsi) > 0)
        return 0;
    if (!erx_server_admit(connection))
        return die(connection, LWS_CLOSE_STATUS_POLICY_VIOLATION);
    erx_server_deliver(connection);
    erx_text_clear(&connection->input);
    return 0;
}

static int on_established(erx_connection_t *connection)
{
    erx_server_t *server = connection->server;
    connection->state = ERX_CONNECTION_WEBSOCKET;
    connection->heard_ns = erx_node_now();
    connection->path[0] = '/';
    connection->path[1] = '\0';
    connection->deadline_ns = 0;
    erx_telemetry_set(server->telemetry, ERX_METRIC_WEBSOCKETS, ++server->websocket_count);
    return 0;
}

int erx_server_websocket(erx_connection_t *connection, enum lws_callback_reasons reason,
                         const void *in, size_t size)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(connection);
    case LWS_CALLBACK_RECEIVE:
        return on_receive(connection, in, size);
    case LWS_CALLBACK_RECEIVE_PONG:
        connection->heard_ns = erx_node_now();
        connection->awaits_pong = false;
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_queued(connection);
    default:
        return 0;
    }
}
