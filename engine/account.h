/* The accounts of one session, byte for byte (Anchor layouts, little-endian),
 * and the arena that holds them.
 *
 * The arena's bytes are the accounts' bytes: workers step the recurrent state
 * and the world state where clients read them. Fields of an account are not
 * aligned, so they are written through functions, never through a struct. */
#ifndef ERX_ENGINE_ACCOUNT_H
#define ERX_ENGINE_ACCOUNT_H

#include "engine/transaction/key.h"
#include "kernels/world.h"
#include "mem/status.h"

#define ERX_SESSION_STATE_BYTES 256u
#define ERX_INPUT_BUFFER_BYTES  40u
#define ERX_HIDDEN_HEADER_BYTES 16u
#define ERX_STATE_BITS          16u /* width of a recurrent state value */
#define ERX_STACK_BITS          8u  /* width of a value in an MLP's ring of frames */

/* Offsets of the accounts in an arena, which starts at a cache line. */
#define ERX_ARENA_SESSION_STATE 0u
#define ERX_ARENA_INPUT_BUFFER  ERX_SESSION_STATE_BYTES
#define ERX_ARENA_INPUT         (ERX_ARENA_INPUT_BUFFER + 8u) /* without its discriminator */
#define ERX_ARENA_CHUNK         (ERX_ARENA_INPUT_BUFFER + ERX_INPUT_BUFFER_BYTES)
#define ERX_ARENA_WORLD         384u
#define ERX_ARENA_HIDDEN        (ERX_ARENA_WORLD - ERX_HIDDEN_HEADER_BYTES)
#define ERX_ARENA_RECURRENT     (ERX_ARENA_WORLD + sizeof(erx_world_t))

#define ERX_CHUNK_BYTES         24u /* of ERX_ARENA_CHUNK */

ERX_STATIC_ASSERT(ERX_ARENA_CHUNK + ERX_CHUNK_BYTES <= ERX_ARENA_HIDDEN,
                  "accounts of an arena do not overlap");
ERX_STATIC_ASSERT(ERX_ARENA_RECURRENT % ERX_CACHE_LINE == 0, "the state starts at a cache line");

typedef enum {
    ERX_SESSION_CREATED = 0,
    ERX_SESSION_WAITING = 1,
    ERX_SESSION_ACTIVE = 2,
    ERX_SESSION_ENDED = 3
} erx_session_status_t;

/* What does not change while a session plays. */
typedef struct {
    bool waits; /* for a second player, whose key and character are zero till then */
    uint8_t stage;
    uint8_t characters[ERX_PLAYERS];
    uint32_t max_frames; /* 0: unlimited */
    uint64_t seed;       /* reserved, kept as it is */
    int64_t created_at;  /* block timestamp */
    uint8_t players[ERX_PLAYERS][ERX_KEY_BYTES];
    uint8_t model[ERX_KEY_BYTES];
} erx_session_terms_t;

/* Bytes of recurrent state of a shape: all layers. */
size_t erx_recurrent_bytes(const erx_shape_t *shape);

/* Bytes of the HiddenState account's data: world state, then recurrent state. */
size_t erx_hidden_data_bytes(const erx_shape_t *shape);

/* Bytes of a session's arena, a multiple of the cache line. */
size_t erx_arena_bytes(const erx_shape_t *shape);

static inline erx_world_t *erx_arena_world(uint8_t *arena)
{
    return (erx_world_t *)(void *)(arena + ERX_ARENA_WORLD);
}

/* Fills a zeroed arena with the accounts of a session at frame 0: active, or
 * waiting, with nothing of the world but the first player's character. */
void erx_arena_start(uint8_t *arena, const erx_shape_t *shape, const erx_session_terms_t *terms);

/* Seats the second player of a waiting session: it is active, as if it had
 * started with both. */
void erx_arena_join(uint8_t *arena, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                    int64_t timestamp);

/* Writes what a frame changed: HiddenState's frame, and SessionState as it is
 * decoded from the world state. A frame in chunks is over. */
void erx_arena_publish(uint8_t *arena, uint32_t frame, erx_session_status_t status,
                       int64_t timestamp);

/* Puts a player's controller into InputBuffer for frame, marks it ready and
 * grows the player's sequence. */
void erx_arena_input(uint8_t *arena, uint32_t frame, uint32_t player,
                     const uint8_t control[ERX_CONTROLLER_BYTES]);

/* The same with a sequence that the player chose, greater than the last one. */
void erx_arena_input_at(uint8_t *arena, uint32_t frame, uint32_t player,
                        const uint8_t control[ERX_CONTROLLER_BYTES], uint32_t sequence);

/* What SessionState says. */
uint32_t erx_arena_frame(const uint8_t *arena);
uint32_t erx_arena_max_frames(const uint8_t *arena);
erx_session_status_t erx_arena_status(const uint8_t *arena);
const uint8_t *erx_arena_player(const uint8_t *arena, uint32_t player); /* a key's bytes */

/* What InputBuffer says of a player. ready: the input is for this frame. */
uint32_t erx_arena_input_sequence(const uint8_t *arena, uint32_t player);
bool erx_arena_input_ready(const uint8_t *arena, uint32_t frame, uint32_t player);

/* A frame that comes in chunks of layers is executed whole with its last chunk.
 * Until then next_layer (> 0) says how far the chunks have come, and both
 * players' controllers are those of the first chunk. 0: no chunk has come. */
uint8_t erx_arena_next_layer(const uint8_t *arena);

/* Notes that chunks have come as far as next_layer; the first of a frame takes
 * the controllers out of InputBuffer. */
void erx_arena_chunk(uint8_t *arena, uint8_t next_layer);

/* Puts there what a journal says of a frame's chunks. */
void erx_arena_put_chunk(uint8_t *arena, uint8_t next_layer,
                         const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

/* The controllers of the next frame: those of its chunks, or InputBuffer's. */
void erx_arena_frame_controls(const uint8_t *arena,
                              uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

/* The controllers in InputBuffer. */
void erx_arena_controls(const uint8_t *arena, uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

#endif
