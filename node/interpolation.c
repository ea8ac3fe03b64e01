#include "node/interpolation.h"

#include <string.h>

/* Where SessionState has what is needed here; numbers are little-endian. */
enum {
    STATUS_AT = 8,
    FRAME_AT = 9,
    PLAYERS_AT = 82,
    PLAYER_SIZE = 32,
    PLAYER_COUNT = 2,
    STATUS_ACTIVE = 2,
};

/* The continuous numbers of a player. */
static const struct {
    uint8_t at;
    uint8_t size;
    bool is_signed;
} continuous[] = {
    {0, 4, true},   /* x */
    {4, 4, true},   /* y */
    {8, 2, false},  /* percent */
    {10, 2, false}, /* shield_strength */
    {12, 2, true},  /* speed_air_x */
    {14, 2, true},  /* speed_y */
    {16, 2, true},  /* speed_ground_x */
    {18, 2, true},  /* speed_attack_x */
    {20, 2, true},  /* speed_attack_y */
};

static int64_t read_number(const uint8_t *bytes, uint32_t size, bool is_signed)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < size; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return is_signed ? (int64_t)(number ^ sign) - (int64_t)sign : (int64_t)number;
}

static void write_number(uint8_t *bytes, uint32_t size, int64_t number)
{
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
}

/* The same to the left and to the right: what is rounded is how far it went. */
static int64_t between(int64_t earlier, int64_t later, uint32_t step, uint32_t steps)
{
    uint64_t distance = (uint64_t)(later < earlier ? earlier - later : later - earlier);
    int64_t moved = (int64_t)((distance * step + steps / 2) / steps);
    return later < earlier ? earlier - moved : earlier + moved;
}

static void move_player(const uint8_t *earlier, const uint8_t *later, uint32_t step, uint32_t steps,
                        uint8_t *player)
{
    for (size_t i = 0; i < ERX_ARRAY_COUNT(continuous); i++) {
        uint32_t at = continuous[i].at, size = continuous[i].size;
        int64_t from = read_number(earlier + at, size, continuous[i].is_signed);
        int64_t to = read_number(later + at, size, continuous[i].is_signed);
        write_number(player + at, size, between(from, to, step, steps));
    }
}

void erx_state_interpolate(const uint8_t earlier[ERX_SESSION_STATE_SIZE],
                           const uint8_t later[ERX_SESSION_STATE_SIZE], uint32_t step,
                           uint32_t steps, uint8_t state_out[ERX_SESSION_STATE_SIZE])
{
    memcpy(state_out, step < steps ? earlier : later, ERX_SESSION_STATE_SIZE);
    for (uint32_t i = 0; i < PLAYER_COUNT && step < steps; i++) {
        uint32_t at = PLAYERS_AT + i * PLAYER_SIZE;
        move_player(earlier + at, later + at, step, steps, state_out + at);
    }
}

void erx_interpolation_start(erx_interpolation_t *interpolation_out, uint32_t divisor,
                             const uint8_t state[ERX_SESSION_STATE_SIZE])
{
    *interpolation_out = (erx_interpolation_t){.divisor = divisor};
    memcpy(interpolation_out->later, state, ERX_SESSION_STATE_SIZE);
}

/* Whether a state is the frame after another one, both of a session in play. */
static bool follows(const uint8_t *state, const uint8_t *before)
{
    return state[STATUS_AT] == STATUS_ACTIVE && before[STATUS_AT] == STATUS_ACTIVE &&
           read_number(state + FRAME_AT, 4, false) == read_number(before + FRAME_AT, 4, false) + 1;
}

bool erx_interpolation_take(erx_interpolation_t *interpolation,
                            const uint8_t state[ERX_SESSION_STATE_SIZE], bool is_tick,
                            uint64_t tick)
{
    bool is_next = is_tick && follows(state, interpolation->later);
    if (is_next) {
        memcpy(interpolation->earlier, interpolation->later, ERX_SESSION_STATE_SIZE);
        interpolation->told_earlier = !interpolation->has_earlier;
        interpolation->tick = tick;
    }
    interpolation->has_earlier = is_next;
    memcpy(interpolation->later, state, ERX_SESSION_STATE_SIZE);
    return !is_next;
}

bool erx_interpolation_at(erx_interpolation_t *interpolation, uint64_t tick,
                          uint8_t state_out[ERX_SESSION_STATE_SIZE])
{
    if (!interpolation->has_earlier || tick < interpolation->tick)
        return false;
    uint64_t gone = tick - interpolation->tick;
    if (gone == 0 && interpolation->told_earlier)
        return false;
    uint32_t step = (uint32_t)ERX_LESSER(gone, (uint64_t)interpolation->divisor);
    erx_state_interpolate(interpolation->earlier, interpolation->later, step,
                          interpolation->divisor, state_out);
    interpolation->has_earlier = step < interpolation->divisor;
    return true;
}
