#include "node/event_ring.h"

/* Release on a counter publishes the slots before it; acquire on the other side
 * sees them. Each side reads its own counter as it wrote it. */

bool erx_event_ring_push(erx_event_ring_t *ring, erx_block_event_t *event)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (written - read == ERX_EVENT_RING_SLOTS)
        return false;
    ring->slots[written % ERX_EVENT_RING_SLOTS] = event;
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    return true;
}

erx_block_event_t *erx_event_ring_pop(erx_event_ring_t *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire))
        return NULL;
    erx_block_event_t *event = ring->slots[read % ERX_EVENT_RING_SLOTS];
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
    return event;
}

uint32_t erx_event_ring_depth(const erx_event_ring_t *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_relaxed) -
           atomic_load_explicit(&ring->read, memory_order_relaxed);
}
