/* What happened to sessions since the last block: the log that a durable
 * engine's session pools write and the block's record takes.
 *
 * All memory is taken at the start, so the log is bounded: creating and
 * importing sessions is refused when there is no room before the next block;
 * ends and inputs always find room. Control thread. */
#ifndef ERX_ENGINE_EVENT_LOG_H
#define ERX_ENGINE_EVENT_LOG_H

#include "engine/journal.h"

#define ERX_STARTS_MAX 1024u /* sessions created or imported between two blocks */

/* A slot of a pool. */
typedef struct {
    uint32_t pool;
    uint32_t slot;
} erx_slot_name_t;

/* How much a log held. */
typedef struct {
    uint32_t start_count;
    uint32_t event_count;
    uint32_t noted_count;
    uint32_t bulk_bytes;
} erx_event_log_mark_t;

typedef struct {
    erx_event_log_mark_t held;
    uint32_t start_capacity;
    uint32_t event_capacity;
    erx_event_t *events;
    uint32_t noted_capacity;
    erx_slot_name_t *noted; /* sessions that received input or a chunk of a frame */
    uint32_t bulk_capacity;
    uint8_t *bulk; /* arenas of imported sessions */
} erx_event_log_t;

/* For slot_count slots, and imports of bulk_capacity bytes a block. Errors:
 * ERX_ERR_MEMORY. */
erx_status_t erx_event_log_open(erx_event_log_t *log_out, uint32_t slot_count,
                                uint32_t bulk_capacity, erx_error_t *error);
void erx_event_log_close(erx_event_log_t *log);

/* Greatest number of sessions' events in one record. */
uint32_t erx_event_log_capacity(uint32_t slot_count);

/* Whether a session with bulk_bytes of arena can start. Errors: ERX_ERR_FULL. */
erx_status_t erx_event_log_reserve(const erx_event_log_t *log, uint32_t bulk_bytes,
                                   erx_error_t *error);

/* Appends, after reserve. */
void erx_event_log_create(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                          const erx_session_terms_t *terms);
void erx_event_log_import(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                          const uint8_t *arena, uint32_t bytes, uint64_t frame_hash);

/* Appends; once a session. arena as it is before the second player's key and
 * character come into it. */
void erx_event_log_join(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation,
                        const uint8_t *arena, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                        int64_t timestamp);
void erx_event_log_end(erx_event_log_t *log, erx_slot_name_t name, uint32_t generation);

/* Notes that a session received input or a chunk; once a session and block. */
void erx_event_log_note(erx_event_log_t *log, erx_slot_name_t name);

/* Drops what was appended since the log held so much. */
void erx_event_log_cut(erx_event_log_t *log, const erx_event_log_mark_t *mark);

/* The terms of a create event. */
erx_session_terms_t erx_event_terms(const erx_event_t *event);

/* Empties the log: a record has it. */
void erx_event_log_clear(erx_event_log_t *log);

#endif
