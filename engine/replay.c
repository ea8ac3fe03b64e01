#include "engine/replay.h"

#include <inttypes.h>
#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

erx_status_t erx_replay_open(erx_replay_t *replay, erx_error_t *error)
{
    replay->slots = erx_alloc(erx_pools_slot_count(&replay->pools), sizeof *replay->slots);
    if (replay->slots == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory to re-execute");
    erx_pools_reset(&replay->pools);
    return ERX_OK;
}

void erx_replay_close(erx_replay_t *replay)
{
    erx_free(replay->slots);
    replay->slots = NULL;
}

/* What an entry of a record is about, and whether a checkpoint has it already. */
typedef struct {
    uint32_t pool;
    uint32_t slot;
    bool covered;
    erx_model_t *model;     /* NULL: it is a page */
    erx_session_t *session; /* likewise */
} subject_t;

/* The model of a pool, which may have to be fetched. */
static erx_status_t find_model(const erx_replay_t *replay, const erx_record_t *record,
                               uint32_t pool, erx_error_t *error)
{
    const erx_session_pool_t *sessions = &replay->pools.models[pool].sessions;
    if (sessions->has_model)
        return ERX_OK;
    erx_status_t status = ERX_ERR_NOT_FOUND;
    if (replay->bind == NULL)
        (void)erx_error_set(error, status, "it arrived after the start and cannot be fetched here");
    else
        status = replay->bind(replay->bind_context, pool, error);
    if (status == ERX_OK && !sessions->has_model)
        status = erx_error_set(error, ERX_ERR_NOT_FOUND, "there is none");
    return status == ERX_OK ? ERX_OK
                            : erx_error_prefix(error, "%s: record %" PRIu64 ", model of pool %u",
                                               replay->name, record->sequence, pool);
}

static erx_status_t find_subject(erx_replay_t *replay, const erx_record_t *record, uint32_t pool,
                                 uint32_t slot, uint64_t previous, subject_t *subject_out,
                                 erx_error_t *error)
{
    const erx_pools_t *pools = &replay->pools;
    if (pool >= pools->count || slot >= erx_pools_capacity(pools, pool))
        return erx_error_set(error, ERX_ERR_FORMAT,
                             "%s: record %" PRIu64 " is about slot %u of pool %u, which this data "
                             "directory does not have",
                             replay->name, record->sequence, slot, pool);
    erx_replay_slot_t *state = &replay->slots[pools->base[pool] + slot];
    *subject_out = (subject_t){.pool = pool, .slot = slot};
    if (record->sequence <= state->base) {
        /* The chain has the slot from its first record on; no image of it need
         * have been durable. */
        if (previous == 0)
            state->needed = ERX_MIN(state->needed, record->sequence - 1);
        subject_out->covered = true;
        return ERX_OK;
    }
    if (state->touched != previous) {
        char text[ERX_POOL_TEXT_MAX];
        erx_pools_text(pools, pool, slot, text);
        return erx_error_set(error, ERX_ERR_HASH,
                             "%s: %s needs record %" PRIu64
                             ", which is damaged or gone, as is its checkpoint after that; put "
                             "back a copy of the data directory",
                             replay->name, text, previous);
    }
    state->touched = record->sequence;
    if (erx_pools_is_pages(pools, pool))
        return ERX_OK;
    subject_out->model = &pools->models[pool];
    subject_out->session = erx_pools_session(pools, pool, slot);
    return find_model(replay, record, pool, error);
}

static erx_status_t refuse(const erx_replay_t *replay, const erx_record_t *record,
                           const subject_t *subject, const char *what, erx_error_t *error)
{
    char text[ERX_POOL_TEXT_MAX];
    erx_pools_text(&replay->pools, subject->pool, subject->slot, text);
    return erx_error_set(error, ERX_ERR_DIFFERS,
                         "%s: record %" PRIu64 " (block %" PRIu64 "), %s: %s is not what was "
                         "recorded",
                         replay->name, record->sequence, record->block, text, what);
}

static erx_status_t apply_write(const erx_replay_t *replay, const erx_record_t *record,
                                const erx_event_t *event, const subject_t *subject,
                                const uint8_t *bulk, erx_error_t *error)
{
    if (event->kind != ERX_EVENT_WRITE || event->generation != 1)
        return refuse(replay, record, subject, "the kind of an event", error);
    uint8_t *page = erx_pools_arena(&replay->pools, subject->pool, subject->slot);
    if (erx_accounts_page_apply(page, bulk, event->bulk_bytes, error) == ERX_OK)
        return ERX_OK;
    char text[ERX_POOL_TEXT_MAX];
    erx_pools_text(&replay->pools, subject->pool, subject->slot, text);
    return erx_error_prefix(error, "%s: record %" PRIu64 ", %s", replay->name, record->sequence,
                            text);
}

static bool is_character(uint8_t character)
{
    return character < ERX_CHARACTERS;
}

static erx_status_t apply_create(const erx_replay_t *replay, const erx_record_t *record,
                                 const erx_event_t *event, const subject_t *subject,
                                 erx_error_t *error)
{
    erx_session_terms_t terms = erx_event_terms(event);
    if (terms.stage >= ERX_STAGES || !is_character(terms.characters[0]) ||
        !is_character(terms.characters[1]))
        return refuse(replay, record, subject, "its stage or a character", error);
    erx_session_place(&subject->model->sessions, event->slot, event->generation, &terms);
    return ERX_OK;
}

static erx_status_t apply_import(const erx_replay_t *replay, const erx_record_t *record,
                                 const erx_event_t *event, const subject_t *subject,
                                 const uint8_t *bulk, erx_error_t *error)
{
    if (event->bulk_bytes != erx_arena_bytes(&subject->model->shape))
        return refuse(replay, record, subject, "its size", error);
    erx_session_fill(&subject->model->sessions, subject->session, bulk, event->bulk_bytes);
    erx_session_adopt(subject->session, event->generation, event->frame_hash);
    return ERX_OK;
}

static erx_status_t apply_join(const erx_replay_t *replay, const erx_record_t *record,
                               const erx_event_t *event, const subject_t *subject,
                               erx_error_t *error)
{
    erx_session_t *session = subject->session;
    uint8_t first = (uint8_t)erx_arena_world(session->arena)->category[ERX_C_CHARACTER];
    if (session->status != ERX_SESSION_WAITING || !is_character(first) ||
        !is_character(event->characters[1]))
        return refuse(replay, record, subject, "its status or a character", error);
    memcpy(session->arena + ERX_ARENA_INPUT, event->input, ERX_INPUT_BYTES);
    erx_session_seat(session, event->players[1], event->characters[1], event->timestamp);
    return ERX_OK;
}

static erx_status_t apply_event(erx_replay_t *replay, const erx_record_t *record,
                                const erx_event_t *event, const uint8_t *bulk, erx_error_t *error)
{
    subject_t subject = {0};
    erx_status_t status =
        find_subject(replay, record, event->pool, event->slot, event->previous, &subject, error);
    erx_session_t *session = subject.session;
    if (status != ERX_OK || subject.covered)
        return status;
    if (session == NULL)
        return apply_write(replay, record, event, &subject, bulk, error);
    bool starts = event->kind == ERX_EVENT_CREATE || event->kind == ERX_EVENT_IMPORT;
    bool ends = event->kind == ERX_EVENT_END;
    if (event->generation != session->generation + (starts || ends) ||
        event->generation % 2 == ends)
        return refuse(replay, record, &subject, "its generation", error);
    switch (event->kind) {
    case ERX_EVENT_CREATE:
        return apply_create(replay, record, event, &subject, error);
    case ERX_EVENT_IMPORT:
        return apply_import(replay, record, event, &subject, bulk, error);
    case ERX_EVENT_JOIN:
        return apply_join(replay, record, event, &subject, error);
    case ERX_EVENT_END:
        session->generation = event->generation;
        session->status = ERX_SESSION_ENDED;
        return ERX_OK;
    case ERX_EVENT_INPUT:
        memcpy(session->arena + ERX_ARENA_INPUT, event->input, ERX_INPUT_BYTES);
        return ERX_OK;
    case ERX_EVENT_CHUNK:
        erx_arena_put_chunk(session->arena, event->next_layer, event->controls);
        return ERX_OK;
    default:
        return refuse(replay, record, &subject, "the kind of an event", error);
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
    subject_t subject = {0};
    erx_status_t status =
        find_subject(replay, record, entry->pool, entry->slot, entry->previous, &subject, error);
    erx_session_t *session = subject.session;
    if (status != ERX_OK)
        return status;
    if (subject.covered) {
        replay->frames_whole = false;
        return ERX_OK;
    }
    if (session == NULL)
        return refuse(replay, record, &subject, "a frame of it", error);
    if (entry->generation != session->generation || entry->frame != session->frame)
        return refuse(replay, record, &subject, "its number of frames", error);
    if (entry->frame_hash != session->frame_hash)
        return erx_error_set(error, ERX_ERR_DIFFERS,
                             "%s: session %u of pool %u: its state after record %" PRIu64
                             ", frame %u, is not the one that was recorded",
                             replay->name, entry->slot, entry->pool, entry->previous, entry->frame);
    memcpy(session->arena + ERX_ARENA_INPUT, entry->input, ERX_INPUT_BYTES);
    if (erx_block_add(block, subject.model, session) != ERX_OK)
        return refuse(replay, record, &subject, "its status", error);
    return ERX_OK;
}

/* Compares the images that lie behind the state where re-execution began. */
static erx_status_t check_images(erx_replay_t *replay, const erx_record_t *record,
                                 erx_error_t *error)
{
    const erx_pools_t *pools = &replay->pools;
    for (uint32_t pool = 0; replay->other_count > 0 && pool < pools->count; pool++) {
        for (uint32_t slot = 0; slot < erx_pools_capacity(pools, pool); slot++) {
            const erx_replay_slot_t *state = &replay->slots[pools->base[pool] + slot];
            if (state->other != record->sequence || state->base >= state->other)
                continue;
            const erx_session_t *session = erx_pools_session(pools, pool, slot);
            replay->other_count--;
            bool is_used = session == NULL || session->generation % 2 == 1;
            uint64_t hash = erx_state_hash(erx_pools_arena(pools, pool, slot),
                                           is_used ? erx_pools_arena_bytes(pools, pool) : 0);
            const subject_t subject = {.pool = pool, .slot = slot};
            if (hash != state->other_hash)
                return refuse(replay, record, &subject, "its state (against its checkpoint)",
                              error);
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
    const erx_pools_t *pools = &replay->pools;
    uint64_t count = 0;
    for (uint32_t i = 0; i < erx_pools_slot_count(pools); i++)
        count += replay->slots[i].touched != 0;
    for (uint32_t m = 0; m < pools->model_count; m++)
        erx_session_pool_recount(&pools->models[m].sessions);
    if (count != touched)
        return erx_error_set(error, ERX_ERR_HASH,
                             "%s: %" PRIu64 " sessions and pages of accounts were there and "
                             "%" PRIu64 " can be recovered: checkpoints are damaged; put back a "
                             "copy of the data directory",
                             replay->name, touched, count);
    if (pools->accounts != NULL && erx_accounts_rebuild(pools->accounts, error) != ERX_OK)
        return erx_error_prefix(error, "%s", replay->name);
    return ERX_OK;
}
