/* The store while blocks execute: records out, checkpoints in their turns. */
#include <string.h>

#include "engine/store_parts.h"
#include "mem/assert.h"

/* The machine must get this far behind with checkpoints before turns come
 * faster than the pace. */
#define RING_SCARCE_SHARE 4u

static void copy_input(uint8_t input[ERX_INPUT_BYTES], const uint8_t *arena)
{
    memcpy(input, arena + ERX_ARENA_INPUT, ERX_INPUT_BYTES);
}

static void write_events(erx_store_t *store, erx_record_t *record)
{
    erx_event_t *events = (erx_event_t *)(void *)(record + 1);
    memcpy(events, store->log.events, store->log.event_count * sizeof *events);
    for (uint32_t i = 0; i < store->log.event_count; i++)
        events[i].previous = erx_store_touch(
            store, erx_store_slot_index(store, events[i].model, events[i].slot), record->sequence);
    record->event_count = store->log.event_count;
}

/* Inputs of sessions that the block does not step. */
static void write_inputs(erx_store_t *store, const erx_block_t *block, erx_record_t *record)
{
    erx_event_t *events = (erx_event_t *)(void *)(record + 1);
    for (uint32_t i = 0; i < store->log.input_count; i++) {
        erx_slot_name_t name = store->log.inputs[i];
        uint32_t index = erx_store_slot_index(store, name.model, name.slot);
        erx_session_t *session = erx_store_session(store, index);
        if (!session->input_logged)
            continue;
        session->input_logged = false;
        if (session->block_number == block->number)
            continue;
        erx_event_t *event = &events[record->event_count++];
        *event = (erx_event_t){
            .kind = ERX_EVENT_INPUT,
            .model = name.model,
            .slot = name.slot,
            .generation = session->generation,
            .previous = erx_store_touch(store, index, record->sequence),
        };
        copy_input(event->input, session->arena);
    }
}

static void write_frames(erx_store_t *store, const erx_block_t *block, erx_record_t *record)
{
    erx_frame_entry_t *entries = (erx_frame_entry_t *)(void *)(uintptr_t)erx_record_frames(record);
    for (uint32_t i = 0; i < block->frame_count; i++) {
        const erx_session_t *session = block->frames[i].session;
        uint32_t model = block->frames[i].model->sessions.model_index;
        erx_frame_entry_t *entry = &entries[i];
        *entry = (erx_frame_entry_t){
            .model = model,
            .slot = session->slot,
            .generation = session->generation,
            .frame = session->frame,
            .previous = erx_store_touch(store, erx_store_slot_index(store, model, session->slot),
                                        record->sequence),
            .frame_hash = session->frame_hash,
        };
        copy_input(entry->input, session->arena);
    }
    record->frame_count = block->frame_count;
    memcpy(entries + block->frame_count, store->log.bulk, store->log.bulk_bytes);
    record->bulk_bytes = store->log.bulk_bytes;
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
        .frames = store->frames,
    };
    memcpy(record->file_id, store->config.file_id, sizeof record->file_id);
    write_events(store, record);
    write_inputs(store, block, record);
    write_frames(store, block, record);
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
    erx_session_t *session = erx_store_session(store, index);
    if (session->generation % 2 == 1)
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

static void submit_image(erx_store_t *store, const erx_due_t *due)
{
    const erx_slot_t *slot = &store->slots[due->slot_index];
    uint32_t model_index = erx_store_model_of(store, due->slot_index);
    const erx_model_t *model = &store->config.models[model_index];
    erx_session_t *session = erx_store_session(store, due->slot_index);
    erx_checkpoint_t *image = erx_commit_stage(store->commit, due->stage);
    bool used = session->generation % 2 == 1;
    uint32_t arena_bytes = used ? (uint32_t)erx_arena_bytes(&model->shape) : 0;
    /* Whoever stepped it has copied it; a session outside the block is copied here. */
    if (session->stage != NULL)
        memcpy(session->stage, session->arena, arena_bytes);
    session->stage = NULL;
    image->model = model_index;
    memcpy(image->file_id, store->config.file_id, sizeof image->file_id);
    image->sequence = store->sequence;
    image->record = store->hash;
    image->touched = slot->touched;
    image->epoch = store->epoch;
    image->durable = erx_commit_confirmed(store->commit);
    image->frame_hash = session->frame_hash;
    image->slot = session->slot;
    image->image = 1 - slot->durable_image;
    image->generation = session->generation;
    image->arena_bytes = arena_bytes;
    store->figures.checkpoint_count++;
    store->figures.checkpoint_bytes +=
        ERX_CHECKPOINT_HEADER_BYTES + ERX_ALIGN_UP(arena_bytes, ERX_JOURNAL_ALIGNMENT);
    erx_commit_submit_stage(
        store->commit, due->stage,
        erx_checkpoint_offset(&model->shape, session->slot, 1 - slot->durable_image));
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
