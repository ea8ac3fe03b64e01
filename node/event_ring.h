/* Blocks' events on their way from the control thread to the network thread:
 * one writer, one reader, bounded, without locks. */
#ifndef ERX_NODE_EVENT_RING_H
#define ERX_NODE_EVENT_RING_H

#include "node/block_event.h"

#include <stdatomic.h>

#define ERX_EVENT_RING_SLOTS 1024u /* a power of two: over ten seconds of blocks */

typedef struct {
    _Alignas(64) _Atomic uint32_t written; /* by the control thread */
    _Alignas(64) _Atomic uint32_t read;    /* by the network thread */
    erx_block_event_t *slots[ERX_EVENT_RING_SLOTS];
} erx_event_ring_t;

/* False, and the event stays the caller's, when the ring is full. */
bool erx_event_ring_push(erx_event_ring_t *ring, erx_block_event_t *event);

/* NULL when the ring is empty; else the caller owns the event. */
erx_block_event_t *erx_event_ring_pop(erx_event_ring_t *ring);

/* Events that wait. Any thread. */
uint32_t erx_event_ring_depth(const erx_event_ring_t *ring);

#endif
