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

erx_block_event_t *erx_block_event_make(const erx_rollup_t *rollup,
                                        const erx_block_result_t *result,
                                        const erx_watch_filter_t *filter)
{
    size_t bytes = padded(sizeof(erx_block_event_t)) +
                   padded(result->transaction_count * sizeof(erx_transaction_record_t *)) +
                   padded(result->change_count * sizeof(erx_account_change_t));
    for (uint32_t i = 0; i < result->change_count; i++)
        if (is_wanted(filter, &result->changes[i]))
            bytes += padded(result->changes[i].data_size);
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
