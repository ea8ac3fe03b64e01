#include "node/history.h"

#include <stdlib.h>
#include <string.h>

/* Records stand in a ring by sequence. Each bucket holds the sequence of its
 * newest record, each record that of the one before it in the same bucket, so
 * adding and forgetting take no search: a chain ends at the first record that
 * the ring has overwritten. */
#define BUCKETS (1u << 16)

struct erx_history {
    uint32_t capacity;
    uint64_t last; /* sequence of the newest record; from 1 */
    erx_transaction_record_t **ring;
    uint64_t by_signature[BUCKETS];
    uint64_t by_key[BUCKETS];
};

erx_history_t *erx_history_open(uint32_t capacity)
{
    erx_history_t *history = calloc(1, sizeof *history);
    if (history == NULL)
        return NULL;
    history->capacity = capacity;
    history->ring = calloc(capacity, sizeof(erx_transaction_record_t *));
    if (history->ring != NULL)
        return history;
    free(history);
    return NULL;
}

void erx_history_close(erx_history_t *history)
{
    if (history == NULL)
        return;
    for (uint32_t i = 0; i < history->capacity; i++)
        erx_transaction_record_free(history->ring[i]);
    free(history->ring);
    free(history);
}

static uint32_t signature_bucket(const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    return (uint32_t)signature[0] | (uint32_t)signature[1] << 8;
}

static uint32_t key_bucket(const erx_pubkey_t *key)
{
    return (uint32_t)(erx_key_hash(key) & (BUCKETS - 1));
}

static erx_transaction_record_t *record_at(const erx_history_t *history, uint64_t sequence)
{
    if (sequence == 0 || sequence + history->capacity <= history->last)
        return NULL;
    return history->ring[sequence % history->capacity];
}

void erx_history_add(erx_history_t *history, erx_transaction_record_t *record)
{
    record->sequence = ++history->last;
    erx_transaction_record_t **place = &history->ring[record->sequence % history->capacity];
    erx_transaction_record_free(*place);
    *place = record;
    uint64_t *newest = &history->by_signature[signature_bucket(record->outcome.signature)];
    record->previous_same_signature = *newest;
    *newest = record->sequence;
    for (uint32_t i = 0; i < record->outcome.balance_count; i++) {
        newest = &history->by_key[key_bucket(&record->outcome.balances[i].key)];
        /* Two accounts of a record may share a bucket: the chain visits it once. */
        record->previous_same_key[i] = *newest;
        *newest = record->sequence;
    }
}

const erx_transaction_record_t *erx_history_find(const erx_history_t *history,
                                                 const uint8_t signature[ERX_SIGNATURE_SIZE])
{
    uint64_t sequence = history->by_signature[signature_bucket(signature)];
    const erx_transaction_record_t *record = record_at(history, sequence);
    while (record != NULL && memcmp(record->outcome.signature, signature, ERX_SIGNATURE_SIZE) != 0)
        record = record_at(history, record->previous_same_signature);
    return record;
}

/* The record before this one in the bucket's chain. */
static const erx_transaction_record_t *older_in_bucket(const erx_history_t *history,
                                                       const erx_transaction_record_t *record,
                                                       uint32_t bucket)
{
    for (uint32_t i = 0; i < record->outcome.balance_count; i++)
        if (key_bucket(&record->outcome.balances[i].key) == bucket &&
            record->previous_same_key[i] != record->sequence)
            return record_at(history, record->previous_same_key[i]);
    return NULL;
}

static bool names(const erx_transaction_record_t *record, const erx_pubkey_t *key)
{
    for (uint32_t i = 0; i < record->outcome.balance_count; i++)
        if (memcmp(&record->outcome.balances[i].key, key, sizeof *key) == 0)
            return true;
    return false;
}

const erx_transaction_record_t *erx_history_older(const erx_history_t *history,
                                                  const erx_pubkey_t *key, uint64_t before)
{
    uint32_t bucket = key_bucket(key);
    const erx_transaction_record_t *record;
    const erx_transaction_record_t *start =
        before != UINT64_MAX ? record_at(history, before) : NULL;
    if (start != NULL && names(start, key))
        record = older_in_bucket(history, start, bucket);
    else
        record = record_at(history, history->by_key[bucket]);
    while (record != NULL && (record->sequence >= before || !names(record, key)))
        record = older_in_bucket(history, record, bucket);
    return record;
}
