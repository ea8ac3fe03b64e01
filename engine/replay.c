#include "engine/replay.h"

#include <inttypes.h>
#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

erx_status_t erx_replay_open(erx_replay_t *replay, erx_error_t *error)
{
    replay->model_base[0] = 0;
    for (uint32_t m = 0; m < replay->model_count; m++)
        replay->model_base[m + 1] = replay->model_base[m] + replay->models[m].sessions.capacity;
    replay->slots = erx_alloc(replay->model_base[replay->model_count], sizeof *replay->slots);
    if (replay->slots == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to re-execute");
    for (uint32_t m = 0; m < replay->model_count; m++)
        erx_session_pool_reset(&replay->models[m].sessions);
    return ERX_OK;
}

void erx_replay_close(erx_replay_t *replay)
{
    erx_free(replay->slots);
    replay->slots = NULL;
}

/* What an entry of a record is about; session is NULL where a checkpoint has it. */
typedef struct {
    erx_model_t *model;
    erx_session_t *session;
} subject_t;

static erx_status_t find_subject(erx_replay_t *replay, const erx_record_t *record, uint32_t model,
                                 uint32_t slot, uint64_t previous, subject_t *subject_out,
                                 erx_error_t *error)
{
    if (model >= replay->model_count || slot >= replay->models[model].sessions.capacity)
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "%s: record %" PRIu64 " is about session %u of model %u, which this "
                             "data directory does not have",
                             replay->name, record->sequence, slot, model);
    erx_replay_slot_t *state = &replay->slots[replay->model_base[model] + slot];
    *subject_out = (subject_t){.model = &replay->models[model]};
    if (record->sequence <= state->base) {
        /* The chain has the slot from its first record on; no image of it need
         * have been durable. */
        if (previous == 0)
            state->needed = ERX_MIN(state->needed, record->sequence - 1);
        return ERX_OK;
    }
    if (state->touched != previous)
        return erx_error_set(error, ERX_ERR_HASH,
                             "%s: session %u of model %u needs record %" PRIu64
                             ", which is damaged or gone, as is its checkpoint after that; put "
                             "back a copy of the data directory",
                             replay->name, slot, model, previous);
    state->touched = record->sequence;
    subject_out->session = &replay->models[model].sessions.sessions[slot];
    return ERX_OK;
}

static erx_status_t refuse(const erx_replay_t *replay, const erx_record_t *record,
                           const erx_session_t *session, const char *what, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_DIFFERS,
                         "%s: record %" PRIu64 " (block %" PRIu64
                         "), session %u: %s is not what was recorded",
                         replay->name, record->sequence, record->block, session->slot, what);
}

static erx_status_t apply_event(erx_replay_t *replay, const erx_record_t *record,
                                const erx_event_t *event, const uint8_t *bulk, erx_error_t *error)
{
    subject_t subject;
    erx_status_t status =
        find_subject(replay, record, event->model, event->slot, event->previous, &subject, error);
    erx_session_t *session = subject.session;
    if (status != ERX_OK || session == NULL)
        return status;
    bool starts = event->kind == ERX_EVENT_CREATE || event->kind == ERX_EVENT_IMPORT;
    bool ends = event->kind == ERX_EVENT_END;
    if (event->generation != session->generation + (starts || ends) ||
        event->generation % 2 == ends)
        return refuse(replay, record, session, "its generation", error);
    erx_session_terms_t terms = erx_event_terms(event);
    switch (event->kind) {
    case ERX_EVENT_CREATE:
        if (terms.stage >= ERX_STAGES || terms.characters[0] >= ERX_CHARACTERS ||
            terms.characters[1] >= ERX_CHARACTERS)
            return refuse(replay, record, session, "its stage or a character", error);
        erx_session_place(&subject.model->sessions, event->slot, event->generation, &terms);
        return ERX_OK;
    case ERX_EVENT_IMPORT:
        if (event->bulk_bytes != erx_arena_bytes(&subject.model->shape))
            return refuse(replay, record, session, "its size", error);
        memcpy(session->arena, bulk, event->bulk_bytes);
        erx_session_adopt(session, event->generation, event->frame_hash);
        return ERX_OK;
    case ERX_EVENT_END:
        session->generation = event->generation;
        session->status = ERX_SESSION_ENDED;
        return ERX_OK;
    case ERX_EVENT_INPUT:
        memcpy(session->arena + ERX_ARENA_INPUT, event->input, ERX_INPUT_BYTES);
        return ERX_OK;
    default:
        return refuse(replay, record, session, "the kind of an event", error);
    }
}

static erx_status_t apply_events(erx_replay_t *replay, const erx_record_t *record,
                                 erx_error_t *error)
{
    const erx_event_t *events = erx_record_events(record);
    uint64_t bulk_at = 0;
    for (uint32_t i = 0; i < record->event_count; i++) {
        if (events[i].bulk_bytes > record->bulk_bytes - bulk_at)
            return erx_error_set(error, ERX_ERR_FORMAT, "%s: record %" PRIu64 " is inconsistent",
                                 replay->name, record->sequence);
        erx_status_t status =
            apply_event(replay, record, &events[i], erx_record_bulk(record) + bulk_at, error);
        if (status != ERX_OK)
            return status;
        bulk_at += events[i].bulk_bytes;
    }
    return ERX_OK;
}

static erx_status_t add_frame(erx_replay_t *replay, const erx_record_t *record,
                              const erx_frame_entry_t *entry, erx_block_t *block,
                              erx_error_t *error)
{
    subject_t subject;
    erx_status_t status =
        find_subject(replay, record, entry->model, entry->slot, entry->previous, &subject, error);
    erx_session_t *session = subject.session;
    if (status != ERX_OK)
        return status;
    if (session == NULL) {
        replay->frames_whole = false;
        return ERX_OK;
    }
    if (entry->generation != session->generation || entry->frame != session->frame)
        return refuse(replay, record, session, "its number of frames", error);
    if (entry->frame_hash != session->frame_hash)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%s: session %u of model %u: its state after record %" PRIu64
                             ", frame %u, is not the one that was recorded",
                             replay->name, entry->slot, entry->model, entry->previous,
                             entry->frame);
    memcpy(session->arena + ERX_ARENA_INPUT, entry->input, ERX_INPUT_BYTES);
    if (erx_block_add(block, subject.model, session) != ERX_OK)
        return refuse(replay, record, session, "its status", error);
    return ERX_OK;
}

/* Compares the images that lie behind the state where re-execution began. */
static erx_status_t check_images(const erx_replay_t *replay, const erx_record_t *record,
                                 erx_error_t *error)
{
    for (uint32_t m = 0; m < replay->model_count; m++) {
        const erx_session_pool_t *pool = &replay->models[m].sessions;
        for (uint32_t slot = 0; slot < pool->capacity; slot++) {
            const erx_replay_slot_t *state = &replay->slots[replay->model_base[m] + slot];
            const erx_session_t *session = &pool->sessions[slot];
            if (state->other != record->sequence || state->base >= state->other)
                continue;
            uint64_t hash = erx_state_hash(
                session->arena, session->generation % 2 == 1 ? erx_arena_bytes(&pool->shape) : 0);
            if (hash != state->other_hash)
                return refuse(replay, record, session, "its state (against its checkpoint)", error);
        }
    }
    return ERX_OK;
}

erx_status_t erx_replay_apply(erx_replay_t *replay, const erx_record_t *record, erx_error_t *error)
{
    if (replay->frames_whole && replay->sequence + 1 == record->sequence &&
        replay->frames_hash != record->frames)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%s: the frames of record %" PRIu64 " are not the ones recorded",
                             replay->name, replay->sequence);
    erx_status_t status = apply_events(replay, record, error);
    if (status != ERX_OK)
        return status;
    erx_block_t *block =
        replay->executor.begin(replay->executor.context, record->block, record->timestamp);
    if (record->frame_count > block->frame_capacity)
        return erx_error_set(error, ERX_ERR_FORMAT, "%s: record %" PRIu64 " is too large",
                             replay->name, record->sequence);
    replay->frames_whole = true;
    const erx_frame_entry_t *entries = erx_record_frames(record);
    for (uint32_t i = 0; i < record->frame_count && status == ERX_OK; i++)
        status = add_frame(replay, record, &entries[i], block, error);
    if (status != ERX_OK)
        return status;
    replay->executor.execute(replay->executor.context);
    replay->sequence = record->sequence;
    replay->frames_hash = erx_block_frames_hash(block);
    replay->frames_done += block->frame_count;
    if (replay->progress != NULL)
        replay->progress(replay->context, replay->frames_done, replay->frames_total);
    return check_images(replay, record, error);
}

erx_status_t erx_replay_finish(erx_replay_t *replay, uint64_t touched, erx_error_t *error)
{
    uint64_t count = 0;
    for (uint32_t m = 0; m < replay->model_count; m++) {
        for (uint32_t slot = 0; slot < replay->models[m].sessions.capacity; slot++) {
            const erx_replay_slot_t *state = &replay->slots[replay->model_base[m] + slot];
            count += state->touched != 0;
        }
        erx_session_pool_recount(&replay->models[m].sessions);
    }
    if (count != touched)
        return erx_error_set(error, ERX_ERR_HASH,
                             "%s: %" PRIu64 " sessions were there and %" PRIu64
                             " can be recovered: checkpoints are damaged; put back a copy of the "
                             "data directory",
                             replay->name, touched, count);
    return ERX_OK;
}
