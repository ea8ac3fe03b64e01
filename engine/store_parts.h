/* The store's inside, shared by store*.c alone. */
#ifndef ERX_ENGINE_STORE_PARTS_H
#define ERX_ENGINE_STORE_PARTS_H

#include "engine/journal_ring.h"
#include "engine/store.h"

/* What is known of one slot of one pool. */
typedef struct {
    uint64_t touched;       /* last record that changed it; 0: none ever */
    uint64_t base;          /* recovery needs no record up to this one for it */
    uint64_t pending;       /* sequence of the image under way; 0: none */
    uint32_t durable_image; /* the one that holds base; the other is written next */
    bool pending_durable;   /* flushed, but not yet confirmed by the journal */
} erx_slot_t;

/* A checkpoint that the block at hand takes. */
typedef struct {
    uint32_t slot_index;
    uint32_t stage;
} erx_due_t;

struct erx_store {
    erx_store_config_t config;
    erx_pools_t pools;
    uint32_t slot_count;
    erx_slot_t *slots; /* [slot_count] */
    uint32_t *turns;   /* slots that were touched, in the order of their turns */
    uint32_t turn_count;
    uint32_t turn_next;
    erx_event_log_t log;
    erx_journal_ring_t ring;
    uint64_t journal_read_ns; /* how long reading both copies took */
    erx_commit_t *commit;
    erx_io_t *io;
    uint64_t record_bytes; /* of the longest record */
    uint64_t sequence;     /* of the newest record */
    uint64_t epoch;
    erx_digest_t hash; /* of the newest record */
    uint64_t frames;   /* over the frame hashes of the newest block */
    uint64_t touched_count;
    uint64_t needed;
    erx_checkpoint_pace_t pace;
    uint32_t due_count;
    erx_due_t due[ERX_STAGES_MAX];
    erx_store_figures_t figures;
};

static inline uint32_t erx_store_slot_index(const erx_store_t *store, uint32_t pool, uint32_t slot)
{
    return store->pools.base[pool] + slot;
}

/* Notes that the record of a sequence changes a slot; returns which did before. */
uint64_t erx_store_touch(erx_store_t *store, uint32_t slot_index, uint64_t sequence);

/* Chooses the sessions that the next block checkpoints and tells their workers. */
void erx_store_choose_due(erx_store_t *store);

/* Turns the copies into images on their way; the block of store->sequence was
 * executed. */
void erx_store_submit_due(erx_store_t *store);

/* Collects what became durable: records, images. */
void erx_store_collect(erx_store_t *store);

/* Waits, checkpointing the sessions that are in the way, until the longest
 * record fits. */
void erx_store_make_room(erx_store_t *store);

/* Fills pools, table, slots and ring from the device, which is open. */
erx_status_t erx_store_recover(erx_store_t *store, erx_recovery_t *recovery, erx_error_t *error);

#endif
