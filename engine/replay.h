/* Re-execution: sessions and pages of accounts from checkpoints (or from
 * nothing), then records in order, every entry checked against what is there.
 *
 * Used by recovery, which wants the newest state quickly, and by verification,
 * which wants as many frames checked as the records allow. Sessions that a
 * checkpoint covers sit out until the record after it; all others of a record
 * are stepped as one block, by all workers. */
#ifndef ERX_ENGINE_REPLAY_H
#define ERX_ENGINE_REPLAY_H

#include "engine/io.h"
#include "engine/store.h"

typedef struct {
    uint64_t base;       /* sequence of the checkpoint; 0: none */
    uint64_t touched;    /* last record that changed the slot */
    uint64_t other;      /* sequence of the slot's other valid image; 0: none */
    uint64_t other_hash; /* that image's state_hash */
    uint64_t needed;     /* as base, but of an image that is surely durable */
    uint32_t needed_image;
} erx_replay_slot_t;

typedef struct {
    erx_pools_t pools;
    erx_executor_t executor;
    const uint8_t *file_id;
    const char *name; /* for messages */
    erx_replay_slot_t *slots;
    uint64_t other_count; /* slots whose other image re-execution will pass */
    uint64_t sequence;    /* of the last record that was applied */
    uint64_t frames_done;
    uint64_t frames_total;
    uint64_t frames_hash; /* over the frames of the last record ... */
    bool frames_whole;    /* ... all of which were stepped */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
    erx_store_bind_fn bind; /* NULL where no model arrives later */
    void *bind_context;
} erx_replay_t;

typedef enum {
    ERX_REPLAY_NEWEST, /* least to re-execute */
    ERX_REPLAY_OLDEST, /* most to check */
} erx_replay_from_t;

/* Takes the slots' table for the pools that are set, and empties these. Errors: ERX_ERR_MEMORY. */
erx_status_t erx_replay_open(erx_replay_t *replay, erx_error_t *error);
void erx_replay_close(erx_replay_t *replay);

/* Loads a checkpoint of every slot from the device's files from
 * ERX_JOURNAL_COPIES on: one that the chain's records complete. Errors:
 * ERX_ERR_HASH where a checkpoint claims more to be durable than the chain has,
 * ERX_ERR_MEMORY. */
erx_status_t erx_replay_load(erx_replay_t *replay, erx_io_t *io, const erx_chain_t *chain,
                             erx_replay_from_t from, erx_error_t *error);

/* Applies the next record. Errors: ERX_ERR_HASH (what it builds on is not there),
 * ERX_ERR_DIFFERS (a session's frame or checkpoint gave another state; the
 * message names record and session), ERX_ERR_FORMAT (it cannot be ours). */
erx_status_t erx_replay_apply(erx_replay_t *replay, const erx_record_t *record, erx_error_t *error);

/* After the last record, which said that so many slots were ever touched.
 * Makes the account table's index. Errors: ERX_ERR_HASH where a session or page
 * is missing, ERX_ERR_FORMAT where the accounts are no table. */
erx_status_t erx_replay_finish(erx_replay_t *replay, uint64_t touched, erx_error_t *error);

#endif
