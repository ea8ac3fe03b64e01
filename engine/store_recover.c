/* The store while it opens: what is on the device becomes sessions and
 * accounts again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal_read.h"
#include "engine/replay.h"
#include "engine/store_parts.h"
#include "mem/alloc.h"
#include "mem/assert.h"
#include "sched/clock.h"

#define POLL_WAIT_NS UINT64_C(1000000000)

/* Waits for the one operation in flight. */
static erx_status_t finish_operation(erx_store_t *store, erx_error_t *error)
{
    erx_io_completion_t completion;
    while (erx_io_poll(store->io, &completion, 1, POLL_WAIT_NS) == 0)
        ;
    return completion.result == 0 ? ERX_OK : erx_io_health(store->io, error);
}

/* Writes the records that a copy had lost, and all that are not known to be
 * durable: a killed process may have left them in a cache, and after a flush
 * that failed a cache may hold them as clean, out of reach of any later flush. */
static erx_status_t mend(erx_store_t *store, const erx_chain_t *chain, uint32_t *mended_out,
                         erx_error_t *error)
{
    erx_record_t *buffer = erx_commit_next_record(store->commit);
    for (uint32_t i = 0; i < chain->count; i++) {
        const erx_record_t *record = chain->links[i].record;
        for (uint32_t copy = 0; copy < ERX_JOURNAL_COPIES; copy++) {
            if (!chain->links[i].mend[copy] && record->sequence <= chain->claimed)
                continue;
            if (record->length > store->record_bytes)
                return erx_error_set(error, ERX_ERR_FORMAT,
                                     "%s: record %" PRIu64 " has %u bytes, more than this engine "
                                     "writes: open it with the accounts' write log that it had",
                                     store->config.name, record->sequence, record->length);
            memcpy(buffer, record, record->length);
            erx_io_submit_write(store->io, 0, copy, record->offset, buffer, record->length, false);
            if (finish_operation(store, error) != ERX_OK)
                return error->status;
            *mended_out += chain->links[i].mend[copy];
        }
    }
    for (uint32_t file = 0; file < store->config.io.file_count; file++) {
        erx_io_submit_flush(store->io, 0, file);
        if (finish_operation(store, error) != ERX_OK)
            return error->status;
    }
    return ERX_OK;
}

static int compare_turns(const void *a, const void *b, void *context)
{
    const erx_slot_t *slots = context;
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    if (slots[first].base != slots[second].base)
        return slots[first].base < slots[second].base ? -1 : 1;
    return first < second ? -1 : first > second;
}

/* Takes over what replay found: slots, turns, the ring, the chain's end. */
static void take_over(erx_store_t *store, const erx_replay_t *replay, const erx_chain_t *chain)
{
    for (uint32_t i = 0; i < store->slot_count; i++) {
        const erx_replay_slot_t *found = &replay->slots[i];
        if (found->touched == 0)
            continue;
        (void)erx_store_touch(store, i, found->touched);
        store->slots[i].base = found->needed;
        if (found->needed != 0)
            store->slots[i].durable_image = found->needed_image;
    }
    qsort_r(store->turns, store->turn_count, sizeof *store->turns, compare_turns, store->slots);
    for (uint32_t i = 0; i < chain->count; i++) {
        const erx_record_t *record = chain->links[i].record;
        erx_journal_ring_push(&store->ring, record->sequence, record->offset, record->length);
    }
    if (chain->count > 0) {
        store->sequence = chain->last_sequence;
        store->hash = chain->links[chain->count - 1].record->hash;
        store->frames = replay->frames_hash;
    }
    store->needed = chain->first_sequence;
    store->epoch = ERX_MAX(chain->epoch, store->config.claimed_epoch) + 1;
}

/* The frames of the last record are over, so every session's chain is where
 * this record left it. */
static erx_status_t last_frames_hash(const erx_store_t *store, const erx_record_t *record,
                                     uint64_t *hash_out, erx_error_t *error)
{
    erx_block_t block = {.number = record->block, .frame_count = record->frame_count};
    block.frames = erx_alloc(record->frame_count, sizeof *block.frames);
    if (block.frames == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a block");
    const erx_frame_entry_t *entries = erx_record_frames(record);
    for (uint32_t i = 0; i < record->frame_count; i++)
        block.frames[i].session =
            erx_pools_session(&store->pools, entries[i].pool, entries[i].slot);
    *hash_out = erx_block_frames_hash(&block);
    erx_free(block.frames);
    return ERX_OK;
}

static erx_status_t replay_chain(erx_store_t *store, erx_replay_t *replay, const erx_chain_t *chain,
                                 erx_error_t *error)
{
    erx_status_t status = erx_replay_load(replay, store->io, chain, ERX_REPLAY_NEWEST, error);
    for (uint32_t i = 0; status == ERX_OK && i < chain->count; i++)
        status = erx_replay_apply(replay, chain->links[i].record, error);
    if (status != ERX_OK)
        return status;
    const erx_record_t *last = chain->count == 0 ? NULL : chain->links[chain->count - 1].record;
    if (last != NULL && last_frames_hash(store, last, &replay->frames_hash, error) != ERX_OK)
        return error->status;
    return erx_replay_finish(replay, last == NULL ? 0 : last->touched, error);
}

static erx_status_t recover_chain(erx_store_t *store, const erx_chain_t *chain,
                                  erx_recovery_t *recovery, erx_error_t *error)
{
    erx_replay_t replay = {
        .pools = store->pools,
        .executor = store->config.executor,
        .file_id = store->config.file_id,
        .name = store->config.name,
        .progress = store->config.progress,
        .context = store->config.context,
        .bind = store->config.bind,
        .bind_context = store->config.bind_context,
    };
    erx_status_t status = erx_replay_open(&replay, error);
    if (status == ERX_OK)
        status = replay_chain(store, &replay, chain, error);
    if (status == ERX_OK)
        status = mend(store, chain, &recovery->mended, error);
    if (status == ERX_OK) {
        for (uint32_t i = 0; store->config.archive != NULL && i < chain->count; i++)
            store->config.archive(store->config.context, chain->links[i].record);
        take_over(store, &replay, chain);
        recovery->sequence = chain->last_sequence;
        recovery->first_sequence = chain->first_sequence;
        recovery->epoch = store->epoch;
        recovery->replayed_frames = replay.frames_done;
        if (chain->count > 0) {
            const erx_record_t *last = chain->links[chain->count - 1].record;
            recovery->block = last->block;
            recovery->slot = last->slot;
            recovery->timestamp = last->timestamp;
        }
    }
    erx_replay_close(&replay);
    return status;
}

erx_status_t erx_store_recover(erx_store_t *store, erx_recovery_t *recovery, erx_error_t *error)
{
    erx_journal_files_t files;
    const erx_recover_input_t input = {
        .bytes = store->ring.bytes,
        .file_id = store->config.file_id,
        .claimed = store->config.claimed,
        .name = store->config.name,
    };
    uint64_t begin = erx_clock_now();
    erx_status_t status = erx_journal_read(&files, store->io, &input, error);
    if (status != ERX_OK)
        return status;
    store->journal_read_ns = erx_clock_now() - begin;
    status = recover_chain(store, &files.chain, recovery, error);
    erx_journal_read_close(&files);
    return status;
}
