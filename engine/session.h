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

#include "engine/account.h"
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
} erx_session_t;

typedef struct {
    erx_shape_t shape;
    uint32_t capacity;
    uint32_t used_count;
    uint32_t free_count;
    uint32_t *free_slots; /* a stack: the lowest slot of a fresh pool is on top */
    erx_session_t *sessions;
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

/* Starts a session in a free slot. Errors: ERX_ERR_FULL, ERX_ERR_RANGE (stage
 * or character that no model knows). */
erx_status_t erx_session_create(erx_session_pool_t *pool, const erx_session_terms_t *terms,
                                uint64_t *handle_out, erx_error_t *error);

/* The session of a handle; NULL when it has ended or never was. */
erx_session_t *erx_session_find(const erx_session_pool_t *pool, uint64_t handle);

uint64_t erx_session_handle(const erx_session_t *session);

/* Ends a session and frees its slot; the handle is dead from now on. */
void erx_session_end(erx_session_pool_t *pool, erx_session_t *session);

/* Bytes that one session takes: arena and table entry. */
size_t erx_session_bytes(const erx_shape_t *shape);

#endif
