#include "engine/event_log.h"

#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

static uint32_t start_capacity(uint32_t slot_count)
{
    return ERX_MIN(slot_count, ERX_STARTS_MAX);
}

/* Every session that there is may end, and every one that starts may end
 * again; every slot may have input beside the block. */
uint32_t erx_event_log_capacity(uint32_t slot_count)
{
    return 2 * slot_count + 2 * start_capacity(slot_count);
}

erx_status_t erx_event_log_open(erx_event_log_t *log_out, uint32_t slot_count,
                                uint32_t bulk_capacity, erx_error_t *error)
{
    erx_event_log_t log = {
        .start_capacity = start_capacity(slot_count),
        .event_capacity = erx_event_log_capacity(slot_count),
        .input_capacity = slot_count + start_capacity(slot_count),
        .bulk_capacity = bulk_capacity,
    };
    log.events = erx_alloc(log.event_capacity, sizeof *log.events);
    log.inputs = erx_alloc(log.input_capacity, sizeof *log.inputs);
    log.bulk = erx_alloc(1, bulk_capacity);
    if (log.events == NULL || log.inputs == NULL || log.bulk == NULL) {
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
    erx_free(log->inputs);
    erx_free(log->bulk);
    memset(log, 0, sizeof *log);
}

erx_status_t erx_event_log_reserve(const erx_event_log_t *log, uint32_t bulk_bytes,
                                   erx_error_t *error)
{
    if (log->start_count == log->start_capacity)
        return erx_error_set(error, ERX_ERR_FULL,
                             "%u sessions have started since the last block; execute it first",
                             log->start_count);
    if (bulk_bytes > log->bulk_capacity - log->bulk_bytes)
        return erx_error_set(error, ERX_ERR_FULL,
                             "the next block has a session to import already; execute it first");
    return ERX_OK;
}

static erx_event_t *append(erx_event_log_t *log, erx_event_kind_t kind, uint32_t model,
                           uint32_t slot, uint32_t generation)
{
    ERX_ASSERT(log->event_count < log->event_capacity);
    erx_event_t *event = &log->events[log->event_count++];
    *event = (erx_event_t){
        .kind = (uint8_t)kind, .model = model, .slot = slot, .generation = generation};
    return event;
}

void erx_event_log_create(erx_event_log_t *log, uint32_t model, uint32_t slot, uint32_t generation,
                          const erx_session_terms_t *terms)
{
    erx_event_t *event = append(log, ERX_EVENT_CREATE, model, slot, generation);
    log->start_count++;
    event->stage = terms->stage;
    memcpy(event->characters, terms->characters, sizeof event->characters);
    event->max_frames = terms->max_frames;
    event->seed = terms->seed;
    event->created_at = terms->created_at;
    memcpy(event->players, terms->players, sizeof event->players);
    memcpy(event->model_key, terms->model, sizeof event->model_key);
}

erx_session_terms_t erx_event_terms(const erx_event_t *event)
{
    erx_session_terms_t terms = {
        .stage = event->stage,
        .max_frames = event->max_frames,
        .seed = event->seed,
        .created_at = event->created_at,
    };
    memcpy(terms.characters, event->characters, sizeof terms.characters);
    memcpy(terms.players, event->players, sizeof terms.players);
    memcpy(terms.model, event->model_key, sizeof terms.model);
    return terms;
}

void erx_event_log_import(erx_event_log_t *log, uint32_t model, uint32_t slot, uint32_t generation,
                          const uint8_t *arena, uint32_t bytes, uint64_t frame_hash)
{
    erx_event_t *event = append(log, ERX_EVENT_IMPORT, model, slot, generation);
    log->start_count++;
    event->bulk_bytes = bytes;
    event->frame_hash = frame_hash;
    memcpy(log->bulk + log->bulk_bytes, arena, bytes);
    log->bulk_bytes += bytes;
}

void erx_event_log_end(erx_event_log_t *log, uint32_t model, uint32_t slot, uint32_t generation)
{
    (void)append(log, ERX_EVENT_END, model, slot, generation);
}

void erx_event_log_input(erx_event_log_t *log, uint32_t model, uint32_t slot)
{
    ERX_ASSERT(log->input_count < log->input_capacity);
    log->inputs[log->input_count++] = (erx_slot_name_t){.model = model, .slot = slot};
}

void erx_event_log_clear(erx_event_log_t *log)
{
    log->start_count = 0;
    log->event_count = 0;
    log->input_count = 0;
    log->bulk_bytes = 0;
}
