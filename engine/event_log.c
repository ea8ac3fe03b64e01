#include "engine/event_log.h"

#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

static uint32_t start_capacity(uint32_t slot_count)
{
    return ERX_MIN(slot_count, ERX_STARTS_MAX);
}

/* Every session that there is may be joined and end, and so may every one that
 * starts. */
static uint32_t event_capacity(uint32_t slot_count)
{
    return 2 * slot_count + 3 * start_capacity(slot_count);
}

/* Every slot may have input beside the block, and chunks of a frame. */
uint32_t erx_event_log_capacity(uint32_t slot_count)
{
    return event_capacity(slot_count) + 2 * slot_count;
}

erx_status_t erx_event_log_open(erx_event_log_t *log_out, uint32_t slot_count,
                                uint32_t bulk_capacity, erx_error_t *error)
{
    erx_event_log_t log = {
        .start_capacity = start_capacity(slot_count),
        .event_capacity = event_capacity(slot_count),
        .noted_capacity = slot_count + start_capacity(slot_count),
        .bulk_capacity = bulk_capacity,
    };
    log.events = erx_alloc(log.event_capacity, sizeof *log.events);
    log.noted = erx_alloc(log.noted_capacity, sizeof *log.noted);
    log.bulk = erx_alloc(1, bulk_capacity);
    if (log.events == NULL || log.noted == NULL || log.bulk == NULL) {
        erx_event_log_close(&log);
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the log of %u sessions",
                             slot_count);
    }
    *log_out = log;
    return ERX_OK;
}

void erx_event_log_close(erx_event_log_t *log)
{
    erx_free(log->events);
    erx_free(log->noted);
    erx_free(log->bulk);
    memset(log, 0, sizeof *log);
}

erx_status_t erx_event_log_reserve(const erx_event_log_t *log, uint32_t bulk_bytes,
                                   erx_error_t *error)
{
    if (log->held.start_count == log->start_capacity)
        return erx_error_set(error, ERX_ERR_FULL,
                             "%u sessions have started since the last block; execute it first",
                             log->held.start_count);
    if (bulk_bytes > log->bulk_capacity - log->held.bulk_bytes)
        return erx_error_set(error, ERX_ERR_FULL,
                             "the next block has a session to import already; execute it first");
    return ERX_OK;
}

static erx_event_t *append(erx_event_log_t *log, erx_event_kind_t kind, erx_slot_name_t name,
                           uint32_t generation)
{
    ERX_ASSERT(log->held.event_count < log->event_capacity);
    erx_event_t *event = &log->events[log->held.event_count++];
    *event = (erx_event_t){
        .kind = (uint8_t)kind, .pool = name.pool, .slot = name.slot, .generation = generation};
    return event;
}

void erx_event_log_create(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                          const erx_session_terms_t *terms)
{
    erx_event_t *event = append(log, ERX_EVENT_CREATE, name, generation);
    log->held.start_count++;
    event->stage = terms->stage;
    memcpy(event->characters, terms->characters, sizeof event->characters);
    event->max_frames = terms->max_frames;
    event->seed = terms->seed;
    event->timestamp = terms->created_at;
    event->waits = terms->waits;
    memcpy(event->players, terms->players, sizeof event->players);
    memcpy(event->model_key, terms->model, sizeof event->model_key);
}

erx_session_terms_t erx_event_terms(const erx_event_t *event)
{
    erx_session_terms_t terms = {
        .waits = event->waits != 0,
        .stage = event->stage,
        .max_frames = event->max_frames,
        .seed = event->seed,
        .created_at = event->timestamp,
    };
    memcpy(terms.characters, event->characters, sizeof terms.characters);
    memcpy(terms.players, event->players, sizeof terms.players);
    memcpy(terms.model, event->model_key, sizeof terms.model);
    return terms;
}

void erx_event_log_import(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                          const uint8_t *arena, uint32_t bytes, uint64_t frame_hash)
{
    erx_event_t *event = append(log, ERX_EVENT_IMPORT, name, generation);
    log->held.start_count++;
    event->bulk_bytes = bytes;
    event->frame_hash = frame_hash;
    memcpy(log->bulk + log->held.bulk_bytes, arena, bytes);
    log->held.bulk_bytes += bytes;
}

void erx_event_log_join(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                        const uint8_t *arena, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                        int64_t timestamp)
{
    erx_event_t *event = append(log, ERX_EVENT_JOIN, name, generation);
    event->characters[1] = character;
    event->timestamp = timestamp;
    memcpy(event->players[1], key, sizeof event->players[1]);
    memcpy(event->input, arena + ERX_ARENA_INPUT, sizeof event->input);
}

void erx_event_log_end(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation)
{
    (void)append(log, ERX_EVENT_END, name, generation);
}

void erx_event_log_note(erx_event_log_t *log, erx_slot_name_t name)
{
    ERX_ASSERT(log->held.noted_count < log->noted_capacity);
    log->noted[log->held.noted_count++] = name;
}

void erx_event_log_cut(erx_event_log_t *log, const erx_event_log_mark_t *mark)
{
    ERX_ASSERT(mark->event_count <= log->held.event_count &&
               mark->noted_count <= log->held.noted_count);
    log->held = *mark;
}

void erx_event_log_clear(erx_event_log_t *log)
{
    log->held = (erx_event_log_mark_t){0};
}
