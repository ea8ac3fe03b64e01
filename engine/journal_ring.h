/* Where the journal's records lie in its ring, and which may be overwritten.
 *
 * Records follow each other; one that would cross the end of the file starts
 * at offset 0 instead. A record may be overwritten only when recovery does not
 * need it any more: when every session that it changed has a durable
 * checkpoint that is not older. Both copies have the same layout. */
#ifndef ERX_ENGINE_JOURNAL_RING_H
#define ERX_ENGINE_JOURNAL_RING_H

#include "mem/status.h"

typedef struct {
    uint64_t sequence;
    uint64_t offset;
    uint64_t length;
} erx_ring_record_t;

typedef struct {
    uint64_t bytes;
    uint64_t head;     /* behind the newest record */
    uint32_t capacity; /* of records */
    uint32_t first;
    uint32_t count;
    erx_ring_record_t *records; /* the live ones, a ring of its own, oldest first */
} erx_journal_ring_t;

/* An empty ring for a file of bytes. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_journal_ring_open(erx_journal_ring_t *ring_out, uint64_t bytes,
                                   erx_error_t *error);
void erx_journal_ring_close(erx_journal_ring_t *ring);

/* Whether a record of length could be placed, once records before needed are
 * forgotten; offset_out receives where. Changes nothing but what is forgotten. */
bool erx_journal_ring_fits(erx_journal_ring_t *ring, uint64_t length, uint64_t needed,
                           uint64_t *offset_out);

/* Takes the place that fits named. Sequences grow by one. */
void erx_journal_ring_push(erx_journal_ring_t *ring, uint64_t sequence, uint64_t offset,
                           uint64_t length);

/* Bytes between head and the oldest record that is not forgotten. */
uint64_t erx_journal_ring_free(const erx_journal_ring_t *ring);

#endif
