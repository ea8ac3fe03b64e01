/* The sessions of one model: a fixed slab of arenas, handed out by slot.
 *
 * Arenas lie in one region a NUMA node; a session's home node never changes,
 * and the node's workers step it first. A handle is slot and generation, so
 * that a handle of an ended session is refused and never hits its successor.
 *
 * Thread rule: the control thread creates, feeds and ends sessions between
 * blocks; while a block executes, workers own the arenas of its sessions. */
#ifndef ERX_ENGINE_SESSION_H
#define ERX_ENGINE_SESSION_H

#include "engine/event_log.h"
#include "engine/limits.h"
#include "mem/region.h"

typedef struct {
    uint8_t *arena;
    uint64_t block_number; /* of the last block that holds a frame of it */
    uint32_t slot;
    uint32_t generation; /* odd while the slot is in use */
    uint32_t node;
    uint32_t frame;
    uint32_t max_frames;
    erx_session_status_t status;
    bool input_logged;   /* input is in its pool's log since the last block */
    bool chunk_logged;   /* likewise a chunk of its frame */
    uint64_t frame_hash; /* of the chain of frames; kept only where there is a log */
    uint8_t *stage;      /* where whoever steps it next copies its arena, then NULL */
} erx_session_t;

/* The sessions that play one model, or will: a spare pool has its arenas before
 * it has a model. */
typedef struct {
    bool has_model;
    erx_shape_t shape;    /* of the model */
    uint32_t arena_bytes; /* of one arena; a model may need less */
    uint32_t capacity;
    uint32_t used_count;
    uint64_t *free_bits; /* bit s % 64 of word s / 64: slot s is free */
    erx_session_t *sessions;
    erx_event_log_t *log; /* what a durable engine journals; else NULL */
    uint32_t pool_index;  /* in that log */
    uint32_t region_count;
    erx_region_t regions[ERX_NODES_MAX];
} erx_session_pool_t;

/* Takes memory for capacity sessions, spread over nodes in proportion to
 * node_shares (workers a node); node_os_index names each node to the system,
 * or is NULL where memory shall not be bound. Errors: ERX_ERR_RANGE,
 * ERX_ERR_MEMORY. */
erx_status_t erx_session_pool_open(erx_session_pool_t *pool_out, const erx_shape_t *shape,
                                   uint32_t capacity, uint32_t node_count,
                                   const uint32_t *node_shares, const uint32_t *node_os_index,
                                   erx_error_t *error);

/* The same for a pool without a model, whose arenas have arena_bytes (a multiple
 * of the cache line). Errors: also ERX_ERR_RANGE where arena_bytes is no
 * model's. */
erx_status_t erx_session_pool_open_spare(erx_session_pool_t *pool_out, uint32_t arena_bytes,
                                         uint32_t capacity, uint32_t node_count,
                                         const uint32_t *node_shares, const uint32_t *node_os_index,
                                         erx_error_t *error);

/* Gives a pool a model's shape; sessions that recovery found may be there.
 * Errors: ERX_ERR_RANGE where a
 * session of it needs longer arenas, ERX_ERR_STATE where the pool has one. */
erx_status_t erx_session_pool_bind(erx_session_pool_t *pool, const erx_shape_t *shape,
                                   erx_error_t *error);

/* Takes it away again; the sessions stay. */
void erx_session_pool_release(erx_session_pool_t *pool);

/* Gives everything back. An all-zero pool is allowed. */
void erx_session_pool_close(erx_session_pool_t *pool);

/* Starts a session in the lowest free slot, so that which slot it gets follows
 * from the sessions that there are. The pool has a model. Errors: ERX_ERR_FULL (also where the log
 * of a durable engine has no room before the next block), ERX_ERR_RANGE (stage or character that no
 * model knows). */
erx_status_t erx_session_create(erx_session_pool_t *pool, const erx_session_terms_t *terms,
                                uint64_t *handle_out, erx_error_t *error);

/* The session of a handle; NULL when it has ended or never was. */
erx_session_t *erx_session_find(const erx_session_pool_t *pool, uint64_t handle);

uint64_t erx_session_handle(const erx_session_t *session);

/* Puts a player's controller into the session's InputBuffer for its next frame,
 * and into the log. */
void erx_session_input(erx_session_pool_t *pool, erx_session_t *session, uint32_t player,
                       const uint8_t control[ERX_CONTROLLER_BYTES]);

/* The same with a sequence that the player chose, greater than the last one. */
void erx_session_input_at(erx_session_pool_t *pool, erx_session_t *session, uint32_t player,
                          const uint8_t control[ERX_CONTROLLER_BYTES], uint32_t sequence);

/* Seats the second player of a session that waits: it is active from now on.
 * Errors: ERX_ERR_STATE, ERX_ERR_RANGE (character). */
erx_status_t erx_session_join(erx_session_pool_t *pool, erx_session_t *session,
                              const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                              int64_t timestamp, erx_error_t *error);

/* Notes that chunks of the session's frame have come as far as next_layer, which
 * grows; the frame is executed as a whole with a later block. */
void erx_session_chunk(erx_session_pool_t *pool, erx_session_t *session, uint8_t next_layer);

/* What a session was, to be restored when a transaction fails: everything that
 * create, join, input and chunk change. */
typedef struct {
    erx_session_t *session; /* NULL: the pool was full */
    erx_session_t entry;
    uint32_t used_count;
    erx_event_log_mark_t log;
    uint8_t arena[ERX_ARENA_RECURRENT];
} erx_session_mark_t;

/* Remembers a session; session NULL: the one that the next create would start. */
void erx_session_mark(const erx_session_pool_t *pool, erx_session_t *session,
                      erx_session_mark_t *mark_out);

/* Restores it and drops from the log what came since. Every session that was
 * changed since is restored, the newest mark first, before the next block. */
void erx_session_restore(erx_session_pool_t *pool, const erx_session_mark_t *mark);

/* Ends a session and frees its slot; the handle is dead from now on. */
void erx_session_end(erx_session_pool_t *pool, erx_session_t *session);

/* Takes over a session whose arena is given, in the lowest free slot: the next
 * generation of it. Errors: ERX_ERR_FULL. */
erx_status_t erx_session_import(erx_session_pool_t *pool, const uint8_t *arena, uint64_t frame_hash,
                                uint64_t *handle_out, erx_error_t *error);

/* For recovery, which names slots and generations itself. No log is written. */

/* Starts a session of a generation (odd) in a slot. Terms are in range. */
void erx_session_place(erx_session_pool_t *pool, uint32_t slot, uint32_t generation,
                       const erx_session_terms_t *terms);

/* Seats the second player of a session that waits; character is in range. */
void erx_session_seat(erx_session_t *session, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                      int64_t timestamp);

/* Fills a session's arena with that of a model, which may be shorter. */
void erx_session_fill(const erx_session_pool_t *pool, erx_session_t *session, const uint8_t *arena,
                      uint32_t bytes);

/* Makes the table's entry agree with the arena, which was filled from a
 * checkpoint or an import; an even generation is a free slot. */
void erx_session_adopt(erx_session_t *session, uint32_t generation, uint64_t frame_hash);

/* Empties the pool: every slot is free and of generation 0. */
void erx_session_pool_reset(erx_session_pool_t *pool);

/* Counts anew which slots are free, from the generations. */
void erx_session_pool_recount(erx_session_pool_t *pool);

/* Bytes that one session takes: arena and table entry. */
size_t erx_session_bytes(const erx_shape_t *shape);

#endif
