#include "node/block_event.h"

#include <stdlib.h>
#include <string.h>

/* Parts of one piece of memory, cut off one after the other. */
typedef struct {
    uint8_t *at;
} cutter_t;

static void *cut(cutter_t *cutter, size_t bytes)
{
    void *part = cutter->at;
    cutter->at += (bytes + 7) & ~(size_t)7;
    return part;
}

static void *cut_copy(cutter_t *cutter, const void *bytes, size_t count)
{
    void *part = cut(cutter, count);
    if (count > 0)
        memcpy(part, bytes, count);
    return part;
}

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static size_t record_bytes(const erx_transaction_outcome_t *outcome)
{
    size_t bytes = padded(sizeof(erx_transaction_record_t)) + padded(outcome->packet_size) +
                   padded(outcome->log_count * sizeof(char *)) +
                   padded(outcome->balance_count * sizeof(erx_balance_t)) +
                   padded(outcome->balance_count * sizeof(uint64_t)) + padded(outcome->return_size);
    for (uint32_t i = 0; i < outcome->log_count; i++)
        bytes += padded(strlen(outcome->logs[i]) + 1);
    return bytes;
}

static erx_transaction_record_t *copy_record(const erx_transaction_outcome_t *outcome)
{
    cutter_t cutter = {calloc(1, record_bytes(outcome))};
    if (cutter.at == NULL)
        return NULL;
    erx_transaction_record_t *record = cut(&cutter, sizeof *record);
    erx_transaction_outcome_t *copy = &record->outcome;
    *copy = *outcome;
    copy->packet = cut_copy(&cutter, outcome->packet, outcome->packet_size);
    const char **logs = cut(&cutter, outcome->log_count * sizeof *logs);
    for (uint32_t i = 0; i < outcome->log_count; i++)
        logs[i] = cut_copy(&cutter, outcome->logs[i], strlen(outcome->logs[i]) + 1);
    copy->logs = logs;
    copy->balances =
        cut_copy(&cutter, outcome->balances, outcome->balance_count * sizeof *outcome->balances);
    record->previous_same_key = cut(&cutter, outcome->balance_count * sizeof(uint64_t));
    copy->return_data = cut_copy(&cutter, outcome->return_data, outcome->return_size);
    return record;
}

/* Whether a transaction is part of its block: it was executed, or the rollup
 * keeps a status for it. */
static bool has_landed(const erx_rollup_t *rollup, const erx_transaction_outcome_t *outcome,
                       uint64_t slot)
{
    if (outcome->code == ERX_TX_OK || outcome->code == ERX_TX_INSTRUCTION_ERROR)
        return true;
    erx_signature_status_t status = {.struct_size = sizeof status};
    return erx_rollup_signature_status(rollup, outcome->signature, &status) == ERX_STATUS_OK &&
           status.slot == slot && status.code == outcome->code;
}

static bool copy_records(const erx_rollup_t *rollup, const erx_block_result_t *result,
                         erx_block_event_t *event)
{
    for (uint32_t i = 0; i < result->transaction_count; i++) {
        erx_transaction_record_t *record = copy_record(&result->transactions[i]);
        if (record == NULL)
            return false;
        record->slot = result->slot;
        record->timestamp = result->timestamp;
        record->index = i;
        record->landed = has_landed(rollup, &result->transactions[i], result->slot);
        event->records[event->record_count++] = record;
    }
    return true;
}

static bool is_wanted(const erx_watch_filter_t *filter, const erx_account_change_t *change)
{
    return erx_watch_filter_has(filter, &change->key) ||
           erx_watch_filter_has(filter, &change->owner);
}

/* Whether a change concerns a recording: every account that is gone may have been
 * a session's. */
static bool is_step(const erx_account_change_t *change)
{
    return change->removed || erx_session_state_is(change->data, change->data_size);
}

/* Sessions change in the order of their frames, but for a few that changed before:
 * the search goes on where the last one ended. */
static const erx_frame_result_t *find_frame(const erx_block_result_t *result,
                                            const erx_pubkey_t *session, uint32_t *cursor)
{
    for (uint32_t i = 0; i < result->frame_count; i++) {
        const erx_frame_result_t *frame = &result->frames[*cursor];
        *cursor = (*cursor + 1) % result->frame_count;
        if (memcmp(&frame->session_state, session, sizeof *session) == 0)
            return frame;
    }
    return NULL;
}

static void copy_steps(const erx_block_result_t *result, erx_block_event_t *event)
{
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < result->change_count; i++) {
        const erx_account_change_t *change = &result->changes[i];
        if (!is_step(change))
            continue;
        erx_session_step_t *step = &event->steps[event->step_count++];
        step->session = change->key;
        step->owner = change->owner;
        step->is_over = true;
        if (change->removed)
            continue;
        erx_session_state_read(change->data, step);
        const erx_frame_result_t *frame = find_frame(result, &change->key, &cursor);
        if (frame != NULL)
            memcpy(step->frame.controls, frame->controls, sizeof step->frame.controls);
    }
}

erx_block_event_t *erx_block_event_make(const erx_rollup_t *rollup,
                                        const erx_block_result_t *result,
                                        const erx_watch_filter_t *filter)
{
    size_t bytes = padded(sizeof(erx_block_event_t)) +
                   padded(result->transaction_count * sizeof(erx_transaction_record_t *)) +
                   padded(result->change_count * sizeof(erx_account_change_t));
    size_t steps = 0;
    for (uint32_t i = 0; i < result->change_count; i++) {
        if (is_wanted(filter, &result->changes[i]))
            bytes += padded(result->changes[i].data_size);
        steps += is_step(&result->changes[i]);
    }
    bytes += padded(steps * sizeof(erx_session_step_t));
    cutter_t cutter = {calloc(1, bytes)};
    if (cutter.at == NULL)
        return NULL;
    uint8_t *end = cutter.at + bytes;
    erx_block_event_t *event = cut(&cutter, sizeof *event);
    event->slot = result->slot;
    event->parent = result->parent;
    event->timestamp = result->timestamp;
    event->finished_ns = result->finished_ns;
    memcpy(event->blockhash, result->blockhash, sizeof event->blockhash);
    event->records = cut(&cutter, result->transaction_count * sizeof *event->records);
    event->changes = cut(&cutter, result->change_count * sizeof *event->changes);
    event->steps = cut(&cutter, steps * sizeof *event->steps);
    copy_steps(result, event);
    for (uint32_t i = 0; i < result->change_count; i++) {
        const erx_account_change_t *change = &result->changes[i];
        /* The filter may have grown since the bytes were counted. */
        if (!is_wanted(filter, change) || padded(change->data_size) > (size_t)(end - cutter.at))
            continue;
        erx_account_change_t *copy = &event->changes[event->change_count++];
        *copy = *change;
        copy->data = cut_copy(&cutter, change->data, change->data_size);
    }
    if (copy_records(rollup, result, event))
        return event;
    erx_block_event_free(event);
    return NULL;
}

void erx_transaction_record_free(erx_transaction_record_t *record)
{
    free(record);
}

void erx_block_event_free(erx_block_event_t *event)
{
    if (event == NULL)
        return;
    for (uint32_t i = 0; i < event->record_count; i++)
        erx_transaction_record_free(event->records[i]);
    free(event);
}
