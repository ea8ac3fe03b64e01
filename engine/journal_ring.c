#include "engine/journal_ring.h"

#include <string.h>

#include "engine/journal.h"
#include "mem/alloc.h"
#include "mem/assert.h"

erx_status_t erx_journal_ring_open(erx_journal_ring_t *ring_out, uint64_t bytes, erx_error_t *error)
{
    erx_journal_ring_t ring = {
        .bytes = bytes,
        .capacity = (uint32_t)(bytes / ERX_JOURNAL_ALIGNMENT),
    };
    ERX_ASSERT(bytes >= ERX_JOURNAL_BYTES_MIN && bytes <= ERX_JOURNAL_BYTES_MAX);
    ring.records = erx_alloc(ring.capacity, sizeof *ring.records);
    if (ring.records == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the journal's table");
    *ring_out = ring;
    return ERX_OK;
}

void erx_journal_ring_close(erx_journal_ring_t *ring)
{
    erx_free(ring->records);
    memset(ring, 0, sizeof *ring);
}

static const erx_ring_record_t *oldest(const erx_journal_ring_t *ring)
{
    return &ring->records[ring->first];
}

bool erx_journal_ring_fits(erx_journal_ring_t *ring, uint64_t length, uint64_t needed,
                           uint64_t *offset_out)
{
    while (ring->count > 0 && oldest(ring)->sequence < needed) {
        ring->first = (ring->first + 1) % ring->capacity;
        ring->count--;
    }
    bool wraps = length > ring->bytes - ring->head;
    uint64_t offset = wraps ? 0 : ring->head;
    *offset_out = offset;
    if (length > ring->bytes)
        return false;
    if (ring->count == 0)
        return true;
    uint64_t tail = oldest(ring)->offset;
    /* Live records lie from tail up to head, around the end where tail is not below it. */
    if (tail < ring->head)
        return !wraps || tail >= length;
    return !wraps && tail >= offset + length;
}

void erx_journal_ring_push(erx_journal_ring_t *ring, uint64_t sequence, uint64_t offset,
                           uint64_t length)
{
    ERX_ASSERT(ring->count < ring->capacity && offset + length <= ring->bytes);
    if (ring->count > 0) {
        uint32_t newest = (ring->first + ring->count - 1) % ring->capacity;
        ERX_ASSERT(ring->records[newest].sequence + 1 == sequence);
    }
    ring->records[(ring->first + ring->count) % ring->capacity] =
        (erx_ring_record_t){.sequence = sequence, .offset = offset, .length = length};
    ring->count++;
    ring->head = offset + length;
}

uint64_t erx_journal_ring_free(const erx_journal_ring_t *ring)
{
    if (ring->count == 0)
        return ring->bytes;
    uint64_t tail = oldest(ring)->offset;
    return tail < ring->head ? ring->bytes - ring->head + tail : tail - ring->head;
}
