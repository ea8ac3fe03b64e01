#include "engine/account.h"

#include <string.h>

#include "kernels/requant.h"
#include "kernels/stack_state.h"
#include "mem/assert.h"

/* Anchor discriminators: SHA-256("account:<Name>")[0, 8). */
static const uint8_t session_state_tag[8] = {0x51, 0x73, 0xa3, 0xc2, 0xfd, 0x5a, 0x76, 0x27};
static const uint8_t input_buffer_tag[8] = {0x00, 0xd5, 0x84, 0x9f, 0xb3, 0xdc, 0x7e, 0x39};

enum { /* offsets in SessionState */
       AT_STATUS = 8,
       AT_FRAME = 9,
       AT_MAX_FRAMES = 13,
       AT_PLAYER_KEYS = 17,
       AT_STAGE = 81,
       AT_PLAYERS = 82,
       AT_MODEL = 146,
       AT_CREATED = 178,
       AT_UPDATED = 186,
       AT_SEED = 194
};

#define PLAYER_STATE_BYTES 32u

enum { /* offsets in InputBuffer */
       AT_INPUT_FRAME = 8,
       AT_INPUT_CONTROLS = 12,
       AT_INPUT_READY = 28,
       AT_INPUT_SEQUENCE = 30
};

enum { /* offsets in HiddenState's header */
       AT_HIDDEN_LAYERS = 0,
       AT_HIDDEN_D_INNER = 1,
       AT_HIDDEN_D_STATE = 3,
       AT_HIDDEN_BYTES = 5,
       AT_HIDDEN_FRAME = 9,
       AT_HIDDEN_INITIALIZED = 13,
       AT_HIDDEN_BITS = 14
};

enum { /* offsets behind ERX_ARENA_CHUNK */
       AT_CHUNK_LAYER = 0,
       AT_CHUNK_CONTROLS = 8
};

ERX_STATIC_ASSERT(AT_CHUNK_CONTROLS + ERX_PLAYERS * ERX_CONTROLLER_BYTES == ERX_CHUNK_BYTES,
                  "a chunked frame's fields fill their place");
ERX_STATIC_ASSERT(AT_INPUT_SEQUENCE + 8 <= ERX_INPUT_BUFFER_BYTES, "InputBuffer holds its fields");
ERX_STATIC_ASSERT(AT_PLAYERS + 2 * PLAYER_STATE_BYTES == AT_MODEL, "players, then model");

static void put_u16(uint8_t *at, int64_t value)
{
    uint16_t bits = (uint16_t)value;
    memcpy(at, &bits, sizeof bits);
}

static void put_u32(uint8_t *at, int64_t value)
{
    uint32_t bits = (uint32_t)value;
    memcpy(at, &bits, sizeof bits);
}

static void put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

size_t erx_recurrent_bytes(const erx_shape_t *shape)
{
    if (erx_shape_is_stack(shape))
        return erx_stack_state_bytes(&shape->stack);
    return shape->layer_count * erx_shape_layer_state_bytes(shape);
}

size_t erx_hidden_data_bytes(const erx_shape_t *shape)
{
    return sizeof(erx_world_t) + erx_recurrent_bytes(shape);
}

size_t erx_arena_bytes(const erx_shape_t *shape)
{
    return ERX_ALIGN_UP(ERX_ARENA_WORLD + erx_hidden_data_bytes(shape), (size_t)ERX_CACHE_LINE);
}

/* Whole units of a Q16 value, and units x 256. */
static int64_t whole(int32_t value, int64_t high)
{
    return erx_clamp64(erx_round_shift(value, 16), 0, high);
}

static int64_t fixed8(int32_t value)
{
    return erx_round_shift(value, 8);
}

/* The client's view of one player, decoded from the world state. */
static void put_player(uint8_t *at, const erx_world_t *world, uint32_t p)
{
    const int32_t *S = world->S[p];
    const uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
    put_u32(at + 0, fixed8(S[ERX_S_X]));
    put_u32(at + 4, fixed8(S[ERX_S_Y]));
    put_u16(at + 8, whole(S[ERX_S_PERCENT], UINT16_MAX));
    put_u16(at + 10, fixed8(S[ERX_S_SHIELD]));
    put_u16(at + 12, fixed8(S[ERX_S_SPEED_AIR_X]));
    put_u16(at + 14, fixed8(S[ERX_S_SPEED_Y]));
    put_u16(at + 16, fixed8(S[ERX_S_SPEED_GROUND_X]));
    put_u16(at + 18, fixed8(S[ERX_S_SPEED_ATTACK_X]));
    put_u16(at + 20, fixed8(S[ERX_S_SPEED_ATTACK_Y]));
    put_u16(at + 22, whole(S[ERX_S_STATE_AGE], UINT16_MAX));
    at[24] = (uint8_t)whole(S[ERX_S_HITLAG], UINT8_MAX);
    at[25] = (uint8_t)whole(S[ERX_S_STOCKS], UINT8_MAX);
    at[26] = world->binary[p][0];
    at[27] = world->binary[p][2];
    put_u16(at + 28, category[ERX_C_ACTION]);
    at[30] = (uint8_t)category[ERX_C_JUMPS];
    at[31] = (uint8_t)category[ERX_C_CHARACTER];
}

static void start_hidden(uint8_t *header, const erx_shape_t *shape)
{
    header[AT_HIDDEN_LAYERS] = (uint8_t)shape->layer_count;
    put_u16(header + AT_HIDDEN_D_INNER, shape->d_inner);
    put_u16(header + AT_HIDDEN_D_STATE, shape->d_state);
    put_u32(header + AT_HIDDEN_BYTES, (int64_t)erx_hidden_data_bytes(shape));
    header[AT_HIDDEN_INITIALIZED] = 1;
    header[AT_HIDDEN_BITS] = erx_shape_is_stack(shape) ? ERX_STACK_BITS : ERX_STATE_BITS;
}

void erx_arena_start(uint8_t *arena, const erx_shape_t *shape, const erx_session_terms_t *terms)
{
    uint8_t *session = arena + ERX_ARENA_SESSION_STATE;
    ERX_ASSERT(terms->stage < ERX_STAGES);
    erx_world_t *world = erx_arena_world(arena);
    if (terms->waits)
        world->category[ERX_C_CHARACTER] = terms->characters[0];
    else
        erx_world_start(world, terms->stage, terms->characters);
    start_hidden(arena + ERX_ARENA_HIDDEN, shape);
    memcpy(arena + ERX_ARENA_INPUT_BUFFER, input_buffer_tag, sizeof input_buffer_tag);
    memcpy(session, session_state_tag, sizeof session_state_tag);
    put_u32(session + AT_MAX_FRAMES, terms->max_frames);
    memcpy(session + AT_PLAYER_KEYS, terms->players, sizeof terms->players);
    session[AT_STAGE] = terms->stage;
    memcpy(session + AT_MODEL, terms->model, sizeof terms->model);
    put_u64(session + AT_CREATED, (uint64_t)terms->created_at);
    put_u64(session + AT_SEED, terms->seed);
    erx_arena_publish(arena, 0, terms->waits ? ERX_SESSION_WAITING : ERX_SESSION_ACTIVE,
                      terms->created_at);
}

void erx_arena_join(uint8_t *arena, const uint8_t key[ERX_KEY_BYTES], uint8_t character,
                    int64_t timestamp)
{
    uint8_t *session = arena + ERX_ARENA_SESSION_STATE;
    erx_world_t *world = erx_arena_world(arena);
    const uint8_t characters[ERX_PLAYERS] = {(uint8_t)world->category[ERX_C_CHARACTER], character};
    ERX_ASSERT(erx_arena_status(arena) == ERX_SESSION_WAITING);
    memcpy(session + AT_PLAYER_KEYS + ERX_KEY_BYTES, key, ERX_KEY_BYTES);
    erx_world_start(world, session[AT_STAGE], characters);
    erx_arena_publish(arena, 0, ERX_SESSION_ACTIVE, timestamp);
}

void erx_arena_publish(uint8_t *arena, uint32_t frame, erx_session_status_t status,
                       int64_t timestamp)
{
    uint8_t *session = arena + ERX_ARENA_SESSION_STATE;
    const erx_world_t *world = erx_arena_world(arena);
    put_u32(arena + ERX_ARENA_HIDDEN + AT_HIDDEN_FRAME, frame);
    session[AT_STATUS] = (uint8_t)status;
    put_u32(session + AT_FRAME, frame);
    put_u64(session + AT_UPDATED, (uint64_t)timestamp);
    memset(arena + ERX_ARENA_CHUNK, 0, ERX_CHUNK_BYTES);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        put_player(session + AT_PLAYERS + p * PLAYER_STATE_BYTES, world, p);
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

uint32_t erx_arena_input_sequence(const uint8_t *arena, uint32_t player)
{
    return get_u32(arena + ERX_ARENA_INPUT_BUFFER + AT_INPUT_SEQUENCE + player * sizeof(uint32_t));
}

bool erx_arena_input_ready(const uint8_t *arena, uint32_t frame, uint32_t player)
{
    const uint8_t *input = arena + ERX_ARENA_INPUT_BUFFER;
    return get_u32(input + AT_INPUT_FRAME) == frame && input[AT_INPUT_READY + player] == 1;
}

void erx_arena_input_at(uint8_t *arena, uint32_t frame, uint32_t player,
                        const uint8_t control[ERX_CONTROLLER_BYTES], uint32_t sequence)
{
    uint8_t *input = arena + ERX_ARENA_INPUT_BUFFER;
    if (get_u32(input + AT_INPUT_FRAME) != frame) {
        put_u32(input + AT_INPUT_FRAME, frame);
        memset(input + AT_INPUT_READY, 0, ERX_PLAYERS);
    }
    memcpy(input + AT_INPUT_CONTROLS + player * ERX_CONTROLLER_BYTES, control,
           ERX_CONTROLLER_BYTES);
    input[AT_INPUT_READY + player] = 1;
    put_u32(input + AT_INPUT_SEQUENCE + player * sizeof(uint32_t), sequence);
}

void erx_arena_input(uint8_t *arena, uint32_t frame, uint32_t player,
                     const uint8_t control[ERX_CONTROLLER_BYTES])
{
    erx_arena_input_at(arena, frame, player, control, erx_arena_input_sequence(arena, player) + 1);
}

uint8_t erx_arena_next_layer(const uint8_t *arena)
{
    return arena[ERX_ARENA_CHUNK + AT_CHUNK_LAYER];
}

void erx_arena_put_chunk(uint8_t *arena, uint8_t next_layer,
                         const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    uint8_t *chunk = arena + ERX_ARENA_CHUNK;
    chunk[AT_CHUNK_LAYER] = next_layer;
    memcpy(chunk + AT_CHUNK_CONTROLS, control, (size_t)ERX_PLAYERS * ERX_CONTROLLER_BYTES);
}

void erx_arena_chunk(uint8_t *arena, uint8_t next_layer)
{
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES];
    ERX_ASSERT(next_layer > erx_arena_next_layer(arena));
    erx_arena_frame_controls(arena, control);
    erx_arena_put_chunk(arena, next_layer, (const uint8_t(*)[ERX_CONTROLLER_BYTES])control);
}

void erx_arena_frame_controls(const uint8_t *arena,
                              uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    if (erx_arena_next_layer(arena) == 0)
        erx_arena_controls(arena, control);
    else
        memcpy(control, arena + ERX_ARENA_CHUNK + AT_CHUNK_CONTROLS,
               (size_t)ERX_PLAYERS * ERX_CONTROLLER_BYTES);
}

uint32_t erx_arena_frame(const uint8_t *arena)
{
    return get_u32(arena + ERX_ARENA_SESSION_STATE + AT_FRAME);
}

uint32_t erx_arena_max_frames(const uint8_t *arena)
{
    return get_u32(arena + ERX_ARENA_SESSION_STATE + AT_MAX_FRAMES);
}

erx_session_status_t erx_arena_status(const uint8_t *arena)
{
    return (erx_session_status_t)arena[ERX_ARENA_SESSION_STATE + AT_STATUS];
}

void erx_arena_controls(const uint8_t *arena, uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    memcpy(control, arena + ERX_ARENA_INPUT_BUFFER + AT_INPUT_CONTROLS,
           (size_t)ERX_PLAYERS * ERX_CONTROLLER_BYTES);
}

const uint8_t *erx_arena_player(const uint8_t *arena, uint32_t player)
{
    return arena + ERX_ARENA_SESSION_STATE + AT_PLAYER_KEYS + (size_t)player * ERX_KEY_BYTES;
}
