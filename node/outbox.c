#include "node/outbox.h"

#include <stdlib.h>
#include <string.h>

struct erx_outbox_entry {
    erx_outbox_entry_t *next;
    erx_payload_t *payload;
    uint64_t key;
    uint64_t since_ns;
};

erx_payload_t *erx_payload_make(const char *bytes, size_t length)
{
    erx_payload_t *payload = malloc(sizeof *payload + length);
    if (payload == NULL)
        return NULL;
    payload->references = 1;
    payload->length = length;
    memcpy(payload->bytes, bytes, length);
    return payload;
}

erx_payload_t *erx_payload_hold(erx_payload_t *payload)
{
    payload->references++;
    return payload;
}

void erx_payload_release(erx_payload_t *payload)
{
    if (payload != NULL && --payload->references == 0)
        free(payload);
}

void erx_outbox_open(erx_outbox_t *outbox_out, uint32_t feed_entries_max, size_t bytes_max)
{
    *outbox_out = (erx_outbox_t){.feed_entries_max = feed_entries_max, .bytes_max = bytes_max};
}

static void free_entry(erx_outbox_entry_t *entry)
{
    erx_payload_release(entry->payload);
    free(entry);
}

void erx_outbox_close(erx_outbox_t *outbox)
{
    while (outbox->first_reply != NULL) {
        erx_outbox_entry_t *entry = outbox->first_reply;
        outbox->first_reply = entry->next;
        free_entry(entry);
    }
    outbox->last_reply = NULL;
    outbox->reply_count = 0;
}

bool erx_outbox_reply(erx_outbox_t *outbox, erx_payload_t *payload)
{
    erx_outbox_entry_t *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        erx_payload_release(payload);
        return false;
    }
    entry->payload = payload;
    if (outbox->last_reply != NULL)
        outbox->last_reply->next = entry;
    else
        outbox->first_reply = entry;
    outbox->last_reply = entry;
    outbox->reply_count++;
    return true;
}

/* The ring of feeds with something to write. */

static void ring_add(erx_outbox_t *outbox, erx_feed_t *feed)
{
    if (outbox->turn == NULL) {
        feed->next = feed->previous = feed;
        outbox->turn = feed;
        return;
    }
    feed->next = outbox->turn; /* last of this round */
    feed->previous = outbox->turn->previous;
    feed->previous->next = feed;
    feed->next->previous = feed;
}

static void ring_remove(erx_outbox_t *outbox, erx_feed_t *feed)
{
    if (outbox->turn == feed)
        outbox->turn = feed->next != feed ? feed->next : NULL;
    feed->previous->next = feed->next;
    feed->next->previous = feed->previous;
    feed->next = feed->previous = NULL;
}

/* Unlinks the entry behind previous (NULL: the first) without freeing it. */
static erx_outbox_entry_t *unlink_entry(erx_outbox_t *outbox, erx_feed_t *feed,
                                        erx_outbox_entry_t *previous)
{
    erx_outbox_entry_t *entry = previous != NULL ? previous->next : feed->first;
    if (previous != NULL)
        previous->next = entry->next;
    else
        feed->first = entry->next;
    if (feed->last == entry)
        feed->last = previous;
    entry->next = NULL;
    feed->count--;
    outbox->entry_count--;
    outbox->bytes -= entry->payload->length;
    if (feed->count == 0)
        ring_remove(outbox, feed);
    return entry;
}

/* Takes the oldest notification about key away; false when there is none. */
static bool drop_same(erx_outbox_t *outbox, erx_feed_t *feed, uint64_t key)
{
    erx_outbox_entry_t *previous = NULL;
    for (erx_outbox_entry_t *entry = feed->first; entry != NULL; entry = entry->next) {
        if (entry->key == key) {
            free_entry(unlink_entry(outbox, feed, previous));
            return true;
        }
        previous = entry;
    }
    return false;
}

static uint32_t make_way(erx_outbox_t *outbox, erx_feed_t *feed, uint64_t key, size_t bytes)
{
    uint32_t dropped = 0;
    if (outbox->bytes + bytes > outbox->bytes_max)
        while (drop_same(outbox, feed, key))
            dropped++;
    bool is_full = feed->count >= outbox->feed_entries_max ||
                   (feed->count > 0 && outbox->bytes + bytes > outbox->bytes_max);
    if (is_full) {
        if (!drop_same(outbox, feed, key))
            free_entry(unlink_entry(outbox, feed, NULL));
        dropped++;
    }
    return dropped;
}

uint32_t erx_outbox_notify(erx_outbox_t *outbox, erx_feed_t *feed, uint64_t key, uint64_t since_ns,
                           erx_payload_t *payload)
{
    uint32_t dropped = make_way(outbox, feed, key, payload->length);
    erx_outbox_entry_t *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        feed->dropped += dropped + 1;
        return dropped + 1;
    }
    entry->payload = erx_payload_hold(payload);
    entry->key = key;
    entry->since_ns = since_ns;
    if (feed->last != NULL)
        feed->last->next = entry;
    else
        feed->first = entry;
    feed->last = entry;
    if (feed->count++ == 0)
        ring_add(outbox, feed);
    outbox->entry_count++;
    outbox->bytes += payload->length;
    feed->dropped += dropped;
    return dropped;
}

void erx_outbox_close_feed(erx_outbox_t *outbox, erx_feed_t *feed)
{
    while (feed->first != NULL)
        free_entry(unlink_entry(outbox, feed, NULL));
}

bool erx_outbox_next(erx_outbox_t *outbox, erx_outbox_item_t *item_out)
{
    erx_outbox_entry_t *entry = outbox->first_reply;
    erx_feed_t *feed = NULL;
    if (entry != NULL) {
        outbox->first_reply = entry->next;
        if (entry->next == NULL)
            outbox->last_reply = NULL;
        outbox->reply_count--;
    } else if (outbox->turn != NULL) {
        feed = outbox->turn;
        outbox->turn = feed->next;
        entry = unlink_entry(outbox, feed, NULL);
    } else {
        return false;
    }
    *item_out = (erx_outbox_item_t){entry->payload, feed, entry->since_ns};
    free(entry);
    return true;
}

bool erx_outbox_is_empty(const erx_outbox_t *outbox)
{
    return outbox->first_reply == NULL && outbox->turn == NULL;
}
