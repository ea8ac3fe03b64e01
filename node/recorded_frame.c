#include "node/recorded_frame.h"

#include <string.h>

_Static_assert(sizeof(erx_recorded_frame_t) == 84, "recordings' files have frames of 84 bytes");

/* Where SessionState has what is recorded; abi/ACCOUNTS.md. */
enum {
    STATE_STATUS = 8,
    STATE_FRAME = 9,
    STATE_STAGE = 81,
    STATE_PLAYERS = 82,
    STATE_CREATED_AT = 178,
    STATUS_ENDED = 3,
};

/* Longest object that erx_recorded_frame_write makes: names, and numbers of at
 * most 17 characters. */
#define OBJECT_BYTES_MAX 1536u

static const uint8_t discriminator[8] = {0x51, 0x73, 0xa3, 0xc2, 0xfd, 0x5a, 0x76, 0x27};

static uint64_t load(const uint8_t *bytes, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

bool erx_session_state_is(const uint8_t *data, size_t size)
{
    return size == ERX_SESSION_STATE_SIZE && memcmp(data, discriminator, sizeof discriminator) == 0;
}

void erx_session_state_read(const uint8_t *data, erx_session_step_t *step_out)
{
    step_out->created_at = (int64_t)load(data + STATE_CREATED_AT, 8);
    step_out->stage = data[STATE_STAGE];
    step_out->is_over = data[STATE_STATUS] == STATUS_ENDED;
    step_out->has_state = true;
    memcpy(step_out->frame.frame, data + STATE_FRAME, sizeof step_out->frame.frame);
    memcpy(step_out->frame.players, data + STATE_PLAYERS, sizeof step_out->frame.players);
}

uint32_t erx_recorded_frame_number(const erx_recorded_frame_t *frame)
{
    return (uint32_t)load(frame->frame, sizeof frame->frame);
}

/* ----------------------------------------------------------------- JSON */

/* Written by hand: a replay has a million numbers, and the network thread has
 * other work. */

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_unsigned(char *at, uint32_t value)
{
    char digits[10];
    uint32_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* A number of 256ths, exactly: at least one decimal, as for any number that is
 * not whole by kind. */
static char *put_fixed(char *at, int32_t value)
{
    uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint32_t decimals = (magnitude & 255) * 390625; /* of eight digits: 10^8 / 256 */
    if (value < 0)
        *at++ = '-';
    at = put_unsigned(at, magnitude >> 8);
    *at++ = '.';
    do {
        *at++ = (char)('0' + decimals / 10000000);
        decimals = decimals % 10000000 * 10;
    } while (decimals > 0);
    return at;
}

typedef enum { WHOLE, WHOLE_FRACTION, FIXED, FIXED_UNSIGNED, FLAG } kind_t;

typedef struct {
    const char *name; /* with what stands before it */
    kind_t kind;
    uint8_t offset, size; /* in PlayerState */
} field_t;

static const field_t fields[] = {
    {"{\"x\":", FIXED, 0, 4},
    {",\"y\":", FIXED, 4, 4},
    {",\"percent\":", WHOLE_FRACTION, 8, 2},
    {",\"shield_strength\":", FIXED_UNSIGNED, 10, 2},
    {",\"speed_air_x\":", FIXED, 12, 2},
    {",\"speed_y\":", FIXED, 14, 2},
    {",\"speed_ground_x\":", FIXED, 16, 2},
    {",\"speed_attack_x\":", FIXED, 18, 2},
    {",\"speed_attack_y\":", FIXED, 20, 2},
    {",\"state_age\":", WHOLE, 22, 2},
    {",\"hitlag\":", WHOLE, 24, 1},
    {",\"stocks\":", WHOLE, 25, 1},
    {",\"facing\":", FLAG, 26, 1},
    {",\"on_ground\":", FLAG, 27, 1},
    {",\"action_state\":", WHOLE, 28, 2},
    {",\"jumps_left\":", WHOLE, 30, 1},
    {",\"character\":", WHOLE, 31, 1},
};

static char *put_field(char *at, const field_t *field, const uint8_t *player)
{
    uint32_t value = (uint32_t)load(player + field->offset, field->size);
    at = put_text(at, field->name);
    switch (field->kind) {
    case WHOLE:
        return put_unsigned(at, value);
    case WHOLE_FRACTION:
        return put_text(put_unsigned(at, value), ".0");
    case FIXED:
        return put_fixed(at, field->size == 2 ? (int16_t)value : (int32_t)value);
    case FIXED_UNSIGNED:
        return put_fixed(at, (int32_t)value);
    case FLAG:
        return put_text(at, value != 0 ? "true" : "false");
    }
    return at;
}

void erx_recorded_frame_write(const erx_recorded_frame_t *frame, uint8_t stage, erx_text_t *text)
{
    char *begin = erx_text_reserve(text, OBJECT_BYTES_MAX);
    if (begin == NULL)
        return;
    char *at = put_text(begin, "{\"players\":[");
    for (uint32_t p = 0; p < ERX_PLAYER_COUNT; p++) {
        if (p > 0)
            *at++ = ',';
        for (size_t i = 0; i < ERX_ARRAY_COUNT(fields); i++)
            at = put_field(at, &fields[i], frame->players[p]);
        *at++ = '}';
    }
    at = put_unsigned(put_text(at, "],\"stage\":"), stage);
    at = put_unsigned(put_text(at, ",\"frame\":"), erx_recorded_frame_number(frame));
    *at++ = '}';
    text->length += (size_t)(at - begin);
}
