/* What waits to be written to one WebSocket: replies first, in order; then the
 * notifications of its subscriptions, one of each in turn.
 *
 * A feed is the queue of one subscription. It is bounded: when it is full, the
 * oldest notification about the same thing (key: an account, say) makes way for
 * the new one, or else the oldest of all; so however slow the reader is, the
 * newest state of every account arrives. What made way is counted in the feed.
 * When the connection holds more bytes than it may, every feed is kept to one
 * notification a key until it has caught up.
 *
 * Belongs to the network thread. */
#ifndef ERX_NODE_OUTBOX_H
#define ERX_NODE_OUTBOX_H

#include "node/common.h"

/* Bytes that several queues share. */
typedef struct {
    uint32_t references;
    size_t length;
    char bytes[];
} erx_payload_t;

/* A copy of bytes with one reference; NULL where there is no memory. */
erx_payload_t *erx_payload_make(const char *bytes, size_t length);
erx_payload_t *erx_payload_hold(erx_payload_t *payload);
void erx_payload_release(erx_payload_t *payload);

typedef struct erx_outbox_entry erx_outbox_entry_t;

/* One subscription's queue. Its owner embeds it, zeroed. */
typedef struct erx_feed {
    uint64_t subscription;
    const char *method; /* "accountNotification", ... */
    erx_outbox_entry_t *first, *last;
    uint32_t count;
    uint64_t dropped;                 /* notifications that made way, since it was opened */
    struct erx_feed *next, *previous; /* ring of feeds that have something */
} erx_feed_t;

typedef struct {
    uint32_t feed_entries_max;
    size_t bytes_max; /* of notifications */
    erx_outbox_entry_t *first_reply, *last_reply;
    uint32_t reply_count;
    erx_feed_t *turn; /* whose turn it is; NULL: no notification waits */
    uint32_t entry_count;
    size_t bytes;
} erx_outbox_t;

void erx_outbox_open(erx_outbox_t *outbox_out, uint32_t feed_entries_max, size_t bytes_max);

/* Drops the replies; the feeds must have been closed. */
void erx_outbox_close(erx_outbox_t *outbox);

/* Queues a reply; takes the reference. False, and released, without memory. */
bool erx_outbox_reply(erx_outbox_t *outbox, erx_payload_t *payload);

/* Queues a notification about the thing key; holds the payload itself. Returns
 * how many notifications made way (also this one, where there is no memory). */
uint32_t erx_outbox_notify(erx_outbox_t *outbox, erx_feed_t *feed, uint64_t key, uint64_t since_ns,
                           erx_payload_t *payload);

/* Drops what a feed holds; it may be used again. */
void erx_outbox_close_feed(erx_outbox_t *outbox, erx_feed_t *feed);

typedef struct {
    erx_payload_t *payload; /* the caller's to release */
    erx_feed_t *feed;       /* NULL: a reply */
    uint64_t since_ns;      /* as given to erx_outbox_notify */
} erx_outbox_item_t;

/* Takes what is to be written next; false when nothing waits. */
bool erx_outbox_next(erx_outbox_t *outbox, erx_outbox_item_t *item_out);

bool erx_outbox_is_empty(const erx_outbox_t *outbox);

#endif
