/* What the control thread tells the network thread about a block: copies of all
 * that may be asked for later. An event is one piece of memory; the records of
 * its transactions outlive it, in the history. */
#ifndef ERX_NODE_BLOCK_EVENT_H
#define ERX_NODE_BLOCK_EVENT_H

#include "abi/erx.h"
#include "node/recorded_frame.h"
#include "node/watch_filter.h"

/* A transaction that was executed or refused, in one piece of memory. */
typedef struct {
    uint64_t slot;
    int64_t timestamp;
    uint32_t index;                    /* in its block */
    bool landed;                       /* it is part of the block: it has a status */
    erx_transaction_outcome_t outcome; /* its pointers lead into this memory */
    uint64_t sequence;                 /* in the history, from 1; 0: not there */
    uint64_t previous_same_signature;  /* sequence of an older one in the same bucket */
    uint64_t *previous_same_key;       /* the same for each of outcome.balances */
} erx_transaction_record_t;

typedef struct erx_block_event {
    struct erx_block_event *next;
    uint64_t slot;
    uint64_t parent;
    int64_t timestamp;
    uint8_t blockhash[ERX_HASH_SIZE];
    uint64_t finished_ns;
    bool is_tick;                       /* frames were due; set by who makes the event, like tick */
    uint64_t tick;                      /* of the crank, where is_tick */
    erx_transaction_record_t **records; /* taken by who adds them to the history */
    uint32_t record_count;
    erx_account_change_t *changes; /* those that somebody watches; data is a copy */
    uint32_t change_count;
    erx_session_step_t *steps; /* what is recorded of sessions */
    uint32_t step_count;
} erx_block_event_t;

/* Copies what is wanted of a block's result: every transaction, and the changed
 * accounts that pass the filter. rollup tells which refused transactions have a
 * status. NULL where there is no memory. */
erx_block_event_t *erx_block_event_make(const erx_rollup_t *rollup,
                                        const erx_block_result_t *result,
                                        const erx_watch_filter_t *filter);

/* Frees an event and the records that are still its own (not NULL). */
void erx_block_event_free(erx_block_event_t *event);

void erx_transaction_record_free(erx_transaction_record_t *record);

#endif
