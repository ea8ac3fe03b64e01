/* The store while blocks execute: records out, checkpoints in their turns. */
#include <string.h>

#include "engine/mutant.h"
#include "engine/store_parts.h"
#include "mem/assert.h"

/* The machine must get this far behind with checkpoints before turns come
 * faster than the pace. */
#define RING_SCARCE_SHARE 4u

static void copy_input(uint8_t input[ERX_INPUT_BYTES], const uint8_t *arena)
{
    memcpy(input, arena + ERX_ARENA_INPUT, ERX_INPUT_BYTES);
}

/* Appends an event about a slot; it is zero but for what names it. */
static erx_event_t *add_event(erx_store_t *store, erx_record_t *record, erx_event_kind_t kind,
                              erx_slot_name_t name, uint32_t generation)
{
    erx_event_t *event = (erx_event_t *)(void *)(record + 1) + record->event_count++;
    *event = (erx_event_t){
        .kind = (uint8_t)kind,
        .pool = name.pool,
        .slot = name.slot,
        .generation = generation,
        .previous = erx_store_touch(store, erx_store_slot_index(store, name.pool, name.slot),
                                    record->sequence),
    };
    return event;
}

/* Pages of accounts that were written. */
static void write_pages(erx_store_t *store, erx_record_t *record)
{
    uint32_t count = 0;
    if (store->config.accounts == NULL)
        return;
    const uint32_t *pages = erx_accounts_written_pages(store->config.accounts, &count);
    if (ERX_MUTANT(FORGET_PAGE) && count > 1)
        count--;
    for (uint32_t i = 0; i < count; i++) {
        erx_event_t *event =
            add_event(store, record, ERX_EVENT_WRITE,
                      (erx_slot_name_t){.pool = store->pools.model_count, .slot = pages[i]}, 1);
        event->bulk_bytes = erx_accounts_page_patches_bytes(store->config.accounts, pages[i]);
    }
}

static void write_events(erx_store_t *store, erx_record_t *record)
{
    erx_event_t *events = (erx_event_t *)(void *)(record + 1) + record->event_count;
    uint32_t count = store->log.held.event_count;
    memcpy(events, store->log.events, count * sizeof *events);
    for (uint32_t i = 0; i < count; i++)
        events[i].previous = erx_store_touch(
            store, erx_store_slot_index(store, events[i].pool, events[i].slot), record->sequence);
    record->event_count += count;
}

/* Inputs of sessions that the block does not step; frames in chunks. */
static void write_noted(erx_store_t *store, const erx_block_t *block, erx_record_t *record)
{
    for (uint32_t i = 0; i < store->log.held.noted_count; i++) {
        erx_slot_name_t name = store->log.noted[i];
        erx_session_t *session = erx_pools_session(&store->pools, name.pool, name.slot);
        bool has_input = session->input_logged, has_chunk = session->chunk_logged;
        session->input_logged = session->chunk_logged = false;
        if (has_input && session->block_number != block->number)
            copy_input(add_event(store, record, ERX_EVENT_INPUT, name, session->generation)->input,
                       session->arena);
        if (has_chunk && erx_arena_next_layer(session->arena) != 0 && !ERX_MUTANT(FORGET_CHUNK)) {
            erx_event_t *event =
                add_event(store, record, ERX_EVENT_CHUNK, name, session->generation);
            event->next_layer = erx_arena_next_layer(session->arena);
            erx_arena_frame_controls(session->arena, event->controls);
        }
    }
}

static void write_frames(erx_store_t *store, const erx_block_t *block, erx_record_t *record)
{
    erx_frame_entry_t *entries = (erx_frame_entry_t *)(void *)(uintptr_t)erx_record_frames(record);
    for (uint32_t i = 0; i < block->frame_count; i++) {
        const erx_session_t *session = block->frames[i].session;
        uint32_t pool = block->frames[i].model->sessions.pool_index;
        erx_frame_entry_t *entry = &entries[i];
        *entry = (erx_frame_entry_t){
            .pool = pool,
            .slot = session->slot,
            .generation = session->generation,
            .frame = session->frame,
            .previous = erx_store_touch(store, erx_store_slot_index(store, pool, session->slot),
                                        record->sequence),
            .frame_hash = session->frame_hash,
        };
        copy_input(entry->input, session->arena);
    }
    record->frame_count = block->frame_count;
}

/* Patches of pages, then arenas of imported sessions. */
static void write_bulk(erx_store_t *store, erx_record_t *record)
{
    uint8_t *bulk = (uint8_t *)(uintptr_t)erx_record_bulk(record);
    uint32_t count = 0, size = 0;
    if (store->config.accounts != NULL) {
        const uint32_t *pages = erx_accounts_written_pages(store->config.accounts, &count);
        if (ERX_MUTANT(FORGET_PAGE) && count > 1)
            count--;
        for (uint32_t i = 0; i < count; i++) {
            erx_accounts_page_patches_copy(store->config.accounts, pages[i], bulk + size);
            size += erx_accounts_page_patches_bytes(store->config.accounts, pages[i]);
        }
        erx_accounts_written_clear(store->config.accounts);
    }
    memcpy(bulk + size, store->log.bulk, store->log.held.bulk_bytes);
    record->bulk_bytes = size + store->log.held.bulk_bytes;
}

static void write_record(erx_store_t *store, const erx_block_t *block, erx_record_t *record)
{
    *record = (erx_record_t){
        .sequence = store->sequence + 1,
        .epoch = store->epoch,
        .previous = store->hash,
        .durable = erx_commit_confirmed(store->commit),
        .block = block->number,
        .timestamp = block->timestamp,
        .slot = block->slot,
        .frames = store->frames,
    };
    memcpy(record->file_id, store->config.file_id, sizeof record->file_id);
    write_pages(store, record);
    write_events(store, record);
    write_noted(store, block, record);
    write_frames(store, block, record);
    write_bulk(store, record);
    erx_event_log_clear(&store->log);
    record->touched = store->touched_count;
    record->needed = store->needed;
    uint64_t length =
        erx_record_length(record->event_count, record->frame_count, record->bulk_bytes);
    bool fits = erx_journal_ring_fits(&store->ring, length, store->needed, &record->offset);
    ERX_ASSERT(fits); /* settle made room for the longest record */
    erx_journal_ring_push(&store->ring, record->sequence, record->offset, length);
    erx_record_seal(record);
}

bool erx_store_submit(erx_store_t *store, const erx_block_t *block)
{
    erx_error_t error;
    erx_record_t *record;
    bool waited = false;
    erx_store_collect(store);
    while ((record = erx_commit_next_record(store->commit)) == NULL) {
        if (erx_commit_health(store->commit, &error) != ERX_OK)
            return false;
        waited = true;
        erx_commit_wait(store->commit);
        erx_store_collect(store);
    }
    if (erx_commit_health(store->commit, &error) != ERX_OK)
        return false;
    store->figures.waits += waited;
    write_record(store, block, record);
    store->sequence = record->sequence;
    store->hash = record->hash;
    store->figures.journal_bytes += (uint64_t)record->length * ERX_JOURNAL_COPIES;
    erx_commit_submit_record(store->commit);
    erx_store_choose_due(store);
    return true;
}

/* The slot whose turn it is gets a staging buffer; false when there is no slot
 * without an image under way, or no buffer. */
static bool take_turn(erx_store_t *store)
{
    uint32_t from = store->due_count == 0 ? 0 : store->due[store->due_count - 1].stage + 1;
    uint32_t stage = erx_commit_free_stage(store->commit, from);
    if (stage == ERX_STAGES_MAX || store->due_count == ERX_STAGES_MAX)
        return false;
    uint32_t index = store->turns[store->turn_next % store->turn_count];
    erx_slot_t *slot = &store->slots[index];
    if (slot->pending != 0)
        return false;
    store->turn_next = (store->turn_next + 1) % store->turn_count;
    slot->pending = store->sequence;
    store->due[store->due_count++] = (erx_due_t){.slot_index = index, .stage = stage};
    uint32_t pool = erx_pools_of_index(&store->pools, index);
    erx_session_t *session =
        erx_pools_session(&store->pools, pool, index - store->pools.base[pool]);
    /* A page is copied when the image is submitted: nothing writes it before. */
    if (session != NULL && session->generation % 2 == 1)
        session->stage = erx_checkpoint_arena(erx_commit_stage(store->commit, stage));
    return true;
}

void erx_store_choose_due(erx_store_t *store)
{
    uint32_t turns = erx_checkpoint_pace_next(&store->pace, store->turn_count);
    if (erx_journal_ring_free(&store->ring) < store->ring.bytes / RING_SCARCE_SHARE)
        turns = ERX_MAX(turns, ERX_STAGES_MAX);
    for (; turns > 0 && store->turn_count > 0; turns--)
        if (!take_turn(store))
            break;
    erx_checkpoint_pace_return(&store->pace, turns);
}

/* Copies a session or page into its image, unless whoever stepped the session
 * has done so; returns the bytes. */
static uint32_t fill_image(const erx_store_t *store, uint32_t pool, uint32_t slot,
                           erx_checkpoint_t *image)
{
    erx_session_t *session = erx_pools_session(&store->pools, pool, slot);
    uint32_t bytes = erx_pools_arena_bytes(&store->pools, pool);
    image->generation = session == NULL ? 1 : session->generation;
    image->frame_hash = session == NULL ? 0 : session->frame_hash;
    if (session == NULL || session->stage != NULL)
        memcpy(erx_checkpoint_arena(image), erx_pools_arena(&store->pools, pool, slot),
               image->generation % 2 == 1 ? bytes : 0);
    if (session != NULL)
        session->stage = NULL;
    return image->generation % 2 == 1 ? bytes : 0;
}

static void submit_image(erx_store_t *store, const erx_due_t *due)
{
    const erx_slot_t *slot = &store->slots[due->slot_index];
    erx_checkpoint_t *image = erx_commit_stage(store->commit, due->stage);
    image->pool = erx_pools_of_index(&store->pools, due->slot_index);
    image->slot = due->slot_index - store->pools.base[image->pool];
    image->arena_bytes = fill_image(store, image->pool, image->slot, image);
    memcpy(image->file_id, store->config.file_id, sizeof image->file_id);
    image->sequence = store->sequence;
    image->record = store->hash;
    image->touched = slot->touched;
    image->epoch = store->epoch;
    image->durable = erx_commit_confirmed(store->commit);
    image->image = 1 - slot->durable_image;
    store->figures.checkpoint_count++;
    store->figures.checkpoint_bytes +=
        ERX_CHECKPOINT_HEADER_BYTES + ERX_ALIGN_UP(image->arena_bytes, ERX_JOURNAL_ALIGNMENT);
    erx_commit_submit_stage(store->commit, due->stage,
                            erx_checkpoint_offset(erx_pools_arena_bytes(&store->pools, image->pool),
                                                  image->slot, 1 - slot->durable_image));
}

void erx_store_submit_due(erx_store_t *store)
{
    for (uint32_t i = 0; i < store->due_count; i++)
        submit_image(store, &store->due[i]);
    store->due_count = 0;
}

void erx_store_make_room(erx_store_t *store)
{
    uint64_t offset;
    erx_error_t error;
    bool waited = false;
    while (!erx_journal_ring_fits(&store->ring, store->record_bytes, store->needed, &offset)) {
        while (take_turn(store))
            ;
        erx_store_submit_due(store);
        erx_store_collect(store);
        if (erx_commit_health(store->commit, &error) != ERX_OK)
            return;
        if (erx_journal_ring_fits(&store->ring, store->record_bytes, store->needed, &offset))
            break;
        waited = true;
        erx_commit_hurry(store->commit);
        erx_commit_wait(store->commit);
        erx_store_collect(store);
    }
    store->figures.waits += waited;
}

void erx_store_settle(erx_store_t *store, const erx_block_t *block)
{
    store->frames = erx_block_frames_hash(block);
    erx_store_submit_due(store);
    erx_store_collect(store);
    erx_store_make_room(store);
}
