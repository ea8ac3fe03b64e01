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
    bool input_logged;   /* in its pool's log since the last block */
    uint64_t frame_hash; /* of the chain of frames; kept only where there is a log */
    uint8_t *stage;      /* where whoever steps it next copies its arena, then NULL */
} erx_session_t;

typedef struct {
    erx_shape_t shape;
    uint32_t capacity;
    uint32_t used_count;
    uint64_t *free_bits; /* bit s % 64 of word s / 64: slot s is free */
    erx_session_t *sessions;
    erx_event_log_t *log; /* what a durable engine journals; else NULL */
    uint32_t model_index; /* in that log */
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

/* Gives everything back. An all-zero pool is allowed. */
void erx_session_pool_close(erx_session_pool_t *pool);

/* Starts a session in the lowest free slot, so that which slot it gets follows
 * from the sessions that there are. Errors: ERX_ERR_FULL (also where the log of
 * a durable engine has no room before the next block), ERX_ERR_RANGE (stage or
 * character that no model knows). */
erx_status_t erx_session_create(erx_session_pool_t *pool, const erx_session_terms_t *terms,
                                uint64_t *handle_out, erx_error_t *error);

/* The session of a handle; NULL when it has ended or never was. */
erx_session_t *erx_session_find(const erx_session_pool_t *pool, uint64_t handle);

uint64_t erx_session_handle(const erx_session_t *session);

/* Puts a player's controller into the session's InputBuffer for its next frame,
 * and into the log. */
void erx_session_input(erx_session_pool_t *pool, erx_session_t *session, uint32_t player,
                       const uint8_t control[ERX_CONTROLLER_BYTES]);

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
