#include "engine/session.h"

#include <string.h>

#include "mem/alloc.h"
#include "mem/assert.h"

/* The node whose share of the first slot + 1 sessions is most behind. */
static uint32_t node_of_slot(uint32_t slot, uint32_t node_count, const uint32_t *shares)
{
    uint64_t total = 0;
    for (uint32_t n = 0; n < node_count; n++)
        total += shares[n];
    uint64_t ticket = slot % total;
    for (uint32_t n = 0; n < node_count; n++) {
        if (ticket < shares[n])
            return n;
        ticket -= shares[n];
    }
    return 0;
}

static erx_status_t open_regions(erx_session_pool_t *pool, const uint32_t *node_os_index,
                                 erx_error_t *error)
{
    size_t bytes = pool->arena_bytes;
    for (uint32_t n = 0; n < pool->region_count; n++) {
        size_t count = 0;
        for (uint32_t slot = 0; slot < pool->capacity; slot++)
            count += pool->sessions[slot].node == n;
        if (count == 0)
            continue;
        int node = node_os_index == NULL ? ERX_NODE_ANY : (int)node_os_index[n];
        erx_status_t status = erx_region_open(&pool->regions[n], count * bytes, node, error);
        if (status != ERX_OK)
            return erx_error_prefix(error, "arenas of %u sessions", pool->capacity);
        for (uint32_t slot = 0; slot < pool->capacity; slot++)
            if (pool->sessions[slot].node == n)
                pool->sessions[slot].arena =
                    erx_region_take(&pool->regions[n], bytes, ERX_CACHE_LINE);
        erx_region_seal(&pool->regions[n]);
    }
    return ERX_OK;
}

erx_status_t erx_session_pool_open_spare(erx_session_pool_t *pool_out, uint32_t arena_bytes,
                                         uint32_t capacity, uint32_t node_count,
                                         const uint32_t *node_shares, const uint32_t *node_os_index,
                                         erx_error_t *error)
{
    erx_session_pool_t pool = {
        .arena_bytes = arena_bytes, .capacity = capacity, .region_count = node_count};
    if (arena_bytes < ERX_ARENA_RECURRENT || arena_bytes > ERX_ARENA_BYTES_MAX ||
        arena_bytes % ERX_CACHE_LINE != 0)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "arenas of %u bytes: not a multiple of %u in %u to %u", arena_bytes,
                             ERX_CACHE_LINE, (uint32_t)ERX_ARENA_RECURRENT, ERX_ARENA_BYTES_MAX);
    if (capacity == 0 || capacity > ERX_SESSIONS_MAX)
        return erx_error_set(error, ERX_ERR_RANGE, "sessions: %u is not in 1 to %u", capacity,
                             ERX_SESSIONS_MAX);
    pool.sessions = erx_alloc(capacity, sizeof *pool.sessions);
    pool.free_bits = erx_alloc(ERX_CEIL_DIV(capacity, 64u), sizeof *pool.free_bits);
    erx_status_t status = ERX_OK;
    if (pool.sessions == NULL || pool.free_bits == NULL) {
        status =
            erx_error_set(error, ERX_ERR_MEMORY, "no memory for a table of %u sessions", capacity);
    } else {
        for (uint32_t slot = 0; slot < capacity; slot++) {
            pool.sessions[slot].slot = slot;
            pool.sessions[slot].node = node_of_slot(slot, node_count, node_shares);
        }
        erx_session_pool_recount(&pool);
        status = open_regions(&pool, node_os_index, error);
    }
    if (status != ERX_OK) {
        erx_session_pool_close(&pool);
        return status;
    }
    *pool_out = pool;
    return ERX_OK;
}

erx_status_t erx_session_pool_open(erx_session_pool_t *pool_out, const erx_shape_t *shape,
                                   uint32_t capacity, uint32_t node_count,
                                   const uint32_t *node_shares, const uint32_t *node_os_index,
                                   erx_error_t *error)
{
    erx_status_t status =
        erx_session_pool_open_spare(pool_out, (uint32_t)erx_arena_bytes(shape), capacity,
                                    node_count, node_shares, node_os_index, error);
    if (status == ERX_OK)
        status = erx_session_pool_bind(pool_out, shape, error);
    return status;
}

erx_status_t erx_session_pool_bind(erx_session_pool_t *pool, const erx_shape_t *shape,
                                   erx_error_t *error)
{
    if (pool->has_model)
        return erx_error_set(error, ERX_ERR_STATE, "these sessions play another model already");
    if (erx_arena_bytes(shape) > pool->arena_bytes)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "a session of this model needs %zu bytes, this place has %u; open the "
                             "engine with larger ones",
                             erx_arena_bytes(shape), pool->arena_bytes);
    pool->shape = *shape;
    pool->has_model = true;
    return ERX_OK;
}

void erx_session_pool_release(erx_session_pool_t *pool)
{
    memset(&pool->shape, 0, sizeof pool->shape);
    pool->has_model = false;
}

void erx_session_pool_close(erx_session_pool_t *pool)
{
    for (uint32_t n = 0; n < pool->region_count; n++)
        erx_region_close(&pool->regions[n]);
    erx_free(pool->sessions);
    erx_free(pool->free_bits);
    memset(pool, 0, sizeof *pool);
}

static void set_free(erx_session_pool_t *pool, uint32_t slot, bool free)
{
    uint64_t bit = UINT64_C(1) << slot % 64;
    if (free)
        pool->free_bits[slot / 64] |= bit;
    else
        pool->free_bits[slot / 64] &= ~bit;
}

static erx_status_t find_free(const erx_session_pool_t *pool, uint32_t *slot_out,
                              erx_error_t *error)
{
    for (uint32_t word = 0; word * 64 < pool->capacity; word++) {
        if (pool->free_bits[word] == 0)
            continue;
        *slot_out = word * 64 + (uint32_t)__builtin_ctzll(pool->free_bits[word]);
        return ERX_OK;
    }
    return erx_error_set(error, ERX_ERR_FULL,
                         "all %u sessions are in use; end one, or open the engine with more",
                         pool->capacity);
}

static erx_slot_name_t name_of(const erx_session_pool_t *pool, uint32_t slot)
{
    return (erx_slot_name_t){.pool = pool->pool_index, .slot = slot};
}

static erx_status_t check_terms(const erx_session_terms_t *terms, erx_error_t *error)
{
    if (terms->stage >= ERX_STAGES)
        return erx_error_set(error, ERX_ERR_RANGE, "stage: %u is not in 0 to %u", terms->stage,
                             ERX_STAGES - 1);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        if (terms->characters[p] >= ERX_CHARACTERS)
            return erx_error_set(error, ERX_ERR_RANGE,
                                 "character of player %u: %u is not in 0 to %u", p + 1,
                                 terms->characters[p], ERX_CHARACTERS - 1);
    return ERX_OK;
}

erx_status_t erx_session_create(erx_session_pool_t *pool, const erx_session_terms_t *terms,
                                uint64_t *handle_out, erx_error_t *error)
{
    uint32_t slot = 0;
    ERX_ASSERT(pool->has_model);
    erx_status_t status = check_terms(terms, error);
    if (status == ERX_OK)
        status = find_free(pool, &slot, error);
    if (status == ERX_OK && pool->log != NULL)
        status = erx_event_log_reserve(pool->log, 0, error);
    if (status != ERX_OK)
        return status;
    uint32_t generation = pool->sessions[slot].generation + 1;
    erx_session_place(pool, slot, generation, terms);
    set_free(pool, slot, false);
    pool->used_count++;
    if (pool->log != NULL)
        erx_event_log_create(pool->log, name_of(pool, slot), generation, terms);
    *handle_out = erx_session_handle(&pool->sessions[slot]);
    return ERX_OK;
}

void erx_session_place(erx_session_pool_t *pool, uint32_t slot, uint32_t generation,
                       const erx_session_terms_t *terms)
{
    erx_session_t *session = &pool->sessions[slot];
    ERX_ASSERT(generation % 2 == 1);
    memset(session->arena, 0, pool->arena_bytes);
    erx_arena_start(session->arena, &pool->shape, terms);
    erx_session_adopt(session, generation, erx_frame_hash_start(session->arena));
}

erx_status_t erx_session_import(erx_session_pool_t *pool, const uint8_t *arena, uint64_t frame_hash,
                                uint64_t *handle_out, erx_error_t *error)
{
    uint32_t slot = 0;
    uint32_t bytes = (uint32_t)erx_arena_bytes(&pool->shape);
    erx_status_t status = find_free(pool, &slot, error);
    if (status == ERX_OK && pool->log != NULL)
        status = erx_event_log_reserve(pool->log, bytes, error);
    if (status != ERX_OK)
        return status;
    erx_session_t *session = &pool->sessions[slot];
    erx_session_fill(pool, session, arena, bytes);
    erx_session_adopt(session, session->generation + 1, frame_hash);
    set_free(pool, slot, false);
    pool->used_count++;
    if (pool->log != NULL)
        erx_event_log_import(pool->log, name_of(pool, slot), session->generation, arena, bytes,
                             frame_hash);
    *handle_out = erx_session_handle(session);
    return ERX_OK;
}

void erx_session_fill(const erx_session_pool_t *pool, erx_session_t *session, const uint8_t *arena,
                      uint32_t bytes)
{
    memcpy(session->arena, arena, bytes);
    memset(session->arena + bytes, 0, pool->arena_bytes - bytes);
}

void erx_session_adopt(erx_session_t *session, uint32_t generation, uint64_t frame_hash)
{
    session->generation = generation;
    session->block_number = 0;
    session->frame = erx_arena_frame(session->arena);
    session->max_frames = erx_arena_max_frames(session->arena);
    session->status = generation % 2 == 1 ? erx_arena_status(session->arena) : ERX_SESSION_ENDED;
    session->input_logged = false;
    session->chunk_logged = false;
    session->frame_hash = frame_hash;
    session->stage = NULL;
}

void erx_session_pool_reset(erx_session_pool_t *pool)
{
    for (uint32_t slot = 0; slot < pool->capacity; slot++)
        erx_session_adopt(&pool->sessions[slot], 0, 0);
    erx_session_pool_recount(pool);
}

void erx_session_pool_recount(erx_session_pool_t *pool)
{
    pool->used_count = 0;
    for (uint32_t slot = 0; slot < pool->capacity; slot++) {
        bool used = pool->sessions[slot].generation % 2 == 1;
        set_free(pool, slot, !used);
        pool->used_count += used;
    }
}

uint64_t erx_session_handle(const erx_session_t *session)
{
    return (uint64_t)session->generation << 32 | session->slot;
}

erx_session_t *erx_session_find(const erx_session_pool_t *pool, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    if (slot >= pool->capacity)
        return NULL;
    erx_session_t *session = &pool->sessions[slot];
    bool alive = session->generation % 2 == 1 && session->generation == (uint32_t)(handle >> 32);
    return alive ? session : NULL;
}

/* The session goes into the log, once. */
static void note(erx_session_pool_t *pool, const erx_session_t *session)
{
    if (!session->input_logged && !session->chunk_logged)
        erx_event_log_note(pool->log, name_of(pool, session->slot));
}

void erx_session_input_at(erx_session_pool_t *pool, erx_session_t *session, uint32_t player,
                          const uint8_t control[ERX_CONTROLLER_BYTES], uint32_t sequence)
{
    erx_arena_input_at(session->arena, session->frame, player, control, sequence);
    if (pool->log != NULL) {
        note(pool, session);
        session->input_logged = true;
    }
}

void erx_session_input(erx_session_pool_t *pool, erx_session_t *session, uint32_t player,
                       const uint8_t control[ERX_CONTROLLER_BYTES])
{
    erx_session_input_at(pool, session, player, control,
                         erx_arena_input_sequence(session->arena, player) + 1);
}

void erx_session_chunk(erx_session_pool_t *pool, erx_session_t *session, uint8_t next_layer)
{
    erx_arena_chunk(session->arena, next_layer);
    if (pool->log != NULL) {
        note(pool, session);
        session->chunk_logged = true;
    }
}

erx_status_t erx_session_join(erx_session_pool_t *pool, erx_session_t *session,
                              const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                              int64_t timestamp, erx_error_t *error)
{
    if (session->status != ERX_SESSION_WAITING)
        return erx_error_set(error, ERX_ERR_STATE, "the session does not wait for a player");
    if (character >= ERX_CHARACTERS)
        return erx_error_set(error, ERX_ERR_RANGE, "character of player 2: %u is not in 0 to %u",
                             character, ERX_CHARACTERS - 1);
    if (pool->log != NULL)
        erx_event_log_join(pool->log, name_of(pool, session->slot), session->generation,
                           session->arena, key, character, timestamp);
    erx_session_seat(session, key, character, timestamp);
    return ERX_OK;
}

void erx_session_seat(erx_session_t *session, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                      int64_t timestamp)
{
    erx_arena_join(session->arena, key, character, timestamp);
    session->status = ERX_SESSION_ACTIVE;
    session->frame_hash = erx_frame_hash_start(session->arena);
}

void erx_session_mark(const erx_session_pool_t *pool, erx_session_t *session,
                      erx_session_mark_t *mark_out)
{
    uint32_t slot = 0;
    erx_error_t full;
    if (session == NULL && find_free(pool, &slot, &full) == ERX_OK)
        session = &pool->sessions[slot];
    *mark_out = (erx_session_mark_t){.session = session, .used_count = pool->used_count};
    if (pool->log != NULL)
        mark_out->log = pool->log->held;
    if (session != NULL) {
        mark_out->entry = *session;
        memcpy(mark_out->arena, session->arena, sizeof mark_out->arena);
    }
}

void erx_session_restore(erx_session_pool_t *pool, const erx_session_mark_t *mark)
{
    erx_session_t *session = mark->session;
    if (pool->log != NULL)
        erx_event_log_cut(pool->log, &mark->log);
    if (session == NULL)
        return;
    *session = mark->entry;
    memcpy(session->arena, mark->arena, sizeof mark->arena);
    set_free(pool, session->slot, session->generation % 2 == 0);
    pool->used_count = mark->used_count;
}

void erx_session_end(erx_session_pool_t *pool, erx_session_t *session)
{
    ERX_ASSERT(session->generation % 2 == 1 && pool->used_count > 0);
    session->generation++;
    session->status = ERX_SESSION_ENDED;
    session->input_logged = false;
    session->chunk_logged = false;
    set_free(pool, session->slot, true);
    pool->used_count--;
    if (pool->log != NULL)
        erx_event_log_end(pool->log, name_of(pool, session->slot), session->generation);
}

size_t erx_session_bytes(const erx_shape_t *shape)
{
    return erx_arena_bytes(shape) + sizeof(erx_session_t);
}
