/* POLICY.md 6 and 7: what a seat does with the network's outputs. */
#include <string.h>

#include "kernels/policy_net.h"
#include "kernels/requant.h"
#include "kernels/silu.h"

#define SIGMOID_BITS 11 /* outputs as the sigmoid's table reads them: Q11 */
#define DEAD_ZONE    35 /* nearer to the middle than this the game sees no tilt */
#define TILT_MAX     127
#define LEVEL_MAX    255 /* an axis as a level: tilt + 128, or the shoulder */

enum { LEVEL_LEFT = 1, LEVEL_MIDDLE = 128 };
enum { SHOULDER = ERX_POLICY_ANALOGS - 1 };

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void erx_policy_dice(uint64_t seed, uint32_t frame, uint32_t player,
                     uint64_t dice_out[ERX_POLICY_DICE])
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t place = mix(seed + step) + ((uint64_t)frame * ERX_PLAYERS + player) * step;
    for (uint32_t i = 0; i < ERX_POLICY_DICE; i++)
        dice_out[i] = mix(mix(place) + (i + 1) * step);
}

/* Draw number i of the dice, 16 bits; one half where there are none. */
static int32_t draw(const uint64_t *dice, uint32_t i)
{
    if (dice == NULL)
        return 1 << 15;
    return (int32_t)(dice[i / 4] >> (i % 4 * 16) & 0xffff);
}

/* The sigmoid of an output, Q15. */
static int32_t share(int32_t output)
{
    return erx_sigmoid(erx_sat16(erx_round_shift(output, 16 - SIGMOID_BITS)), SIGMOID_BITS);
}

/* The level that an axis goes to when it leaves `from` for a mean of `mean`
 * (Q8): the next of the places where axes rest, at or beyond the mean. */
static int32_t rest_beyond(uint32_t axis, int32_t from, int32_t mean)
{
    static const int32_t places[] = {LEVEL_LEFT, LEVEL_MIDDLE, LEVEL_MAX};
    static const int32_t shoulder[] = {0, LEVEL_MAX};
    const int32_t *list = axis == SHOULDER ? shoulder : places;
    uint32_t last = axis == SHOULDER ? ERX_COUNT(shoulder) - 1 : ERX_COUNT(places) - 1;
    if (mean > from * 256) {
        uint32_t i = 0;
        while (i < last && (list[i] <= from || list[i] * 256 < mean))
            i++;
        return list[i];
    }
    uint32_t i = last;
    while (i > 0 && (list[i] >= from || list[i] * 256 > mean))
        i--;
    return list[i];
}

/* Stays where it was or jumps, so that the expectation is the mean. */
static int32_t drawn_level(uint32_t axis, int32_t from, int32_t mean, int32_t chance)
{
    int32_t to = rest_beyond(axis, from, mean);
    int32_t way = (to - from) * 256, wanted = mean - from * 256;
    if (way == 0)
        return from;
    return (int64_t)wanted * 65536 / way > chance ? to : from;
}

/* Levels of the five axes of a controller. */
static void levels_of(const uint8_t control[ERX_CONTROLLER_BYTES], int32_t levels[])
{
    for (uint32_t axis = 0; axis < SHOULDER; axis++)
        levels[axis] = ERX_MAX((int8_t)control[axis], -TILT_MAX) + LEVEL_MIDDLE;
    levels[SHOULDER] = ERX_MAX(control[4], control[5]);
}

static int32_t centre(int32_t tilt)
{
    return tilt > -DEAD_ZONE && tilt < DEAD_ZONE ? 0 : tilt;
}

/* Keeps a stick inside the circle that it can reach, and out of the dead zone. */
static void put_stick(int32_t x, int32_t y, uint8_t *control)
{
    x = centre(x - LEVEL_MIDDLE);
    y = centre(y - LEVEL_MIDDLE);
    int32_t square = x * x + y * y, length = TILT_MAX;
    while (length * length < square)
        length++;
    control[0] = (uint8_t)(x * TILT_MAX / length);
    control[1] = (uint8_t)(y * TILT_MAX / length);
}

void erx_policy_decide(const int32_t outputs[ERX_POLICY_OUTPUTS],
                       const uint8_t previous[ERX_CONTROLLER_BYTES], const uint64_t *dice,
                       uint8_t control_out[ERX_CONTROLLER_BYTES])
{
    /* Byte and bit of A, B, X, Y, Z, L, R, D-up. */
    static const uint8_t places[ERX_POLICY_BUTTONS][2] = {{6, 1},  {6, 2}, {6, 4}, {6, 8},
                                                          {6, 16}, {7, 4}, {7, 8}, {7, 1}};
    int32_t levels[ERX_POLICY_ANALOGS];
    memset(control_out, 0, ERX_CONTROLLER_BYTES);
    levels_of(previous, levels);
    for (uint32_t axis = 0; axis < ERX_POLICY_ANALOGS; axis++) {
        int32_t mean = (int32_t)erx_round_shift(share(outputs[axis]) * LEVEL_MAX, 7);
        levels[axis] = drawn_level(axis, levels[axis], mean, draw(dice, axis));
    }
    put_stick(levels[0], levels[1], control_out);
    put_stick(levels[2], levels[3], control_out + 2);
    control_out[4] = (uint8_t)levels[SHOULDER];
    for (uint32_t i = 0; i < ERX_POLICY_BUTTONS; i++) {
        int32_t chance = draw(dice, ERX_POLICY_ANALOGS + i);
        if (2 * share(outputs[ERX_POLICY_ANALOGS + i]) > chance)
            control_out[places[i][0]] |= places[i][1];
    }
}
