#include "kernels/world.h"

#include <string.h>

#include "kernels/requant.h"

#define FEATURES_A_PLAYER 29u

/* Least and greatest continuous values in whole game units (NUMERICS 7). */
static const int16_t low[ERX_CONTINUOUS] = {0, -300, -200, 0, -60, -60, -60, -60, -60, -1, 0, 0, 0};
static const int16_t high[ERX_CONTINUOUS] = {999, 300, 300,  60, 60, 60, 60,
                                             60,  60,  1023, 50, 4,  50};

void erx_world_start(erx_world_t *world, uint8_t stage, const uint8_t characters[ERX_PLAYERS])
{
    memset(world, 0, sizeof *world);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
        world->S[p][ERX_S_X] = (p == 0 ? -30 : 30) * 65536;
        world->S[p][ERX_S_SHIELD] = 60 * 65536;
        world->S[p][ERX_S_STOCKS] = 4 * 65536;
        world->binary[p][0] = p == 0;
        world->binary[p][2] = 1;
        category[ERX_C_ACTION] = 14; /* wait */
        category[ERX_C_JUMPS] = 2;
        category[ERX_C_CHARACTER] = characters[p];
        category[ERX_C_GROUND] = 1;
    }
    world->category[ERX_C_STAGE] = stage;
}

void erx_world_control_features(const uint8_t control[ERX_CONTROLLER_BYTES], int16_t *features)
{
    /* A, B, X, Y and Z are bits of `buttons`, the last three of `buttons_ext`. */
    static const struct {
        uint8_t byte, bit;
    } buttons[] = {{6, 0}, {6, 1}, {6, 2}, {6, 3}, {6, 4}, {7, 2}, {7, 3}, {7, 0}};
    for (uint32_t axis = 0; axis < 4; axis++)
        features[axis] = (int16_t)(((int8_t)control[axis] + 128) * 128);
    features[4] = (int16_t)(ERX_MAX(control[4], control[5]) * 128);
    for (uint32_t i = 0; i < ERX_COUNT(buttons); i++)
        features[5 + i] = (int16_t)(((control[buttons[i].byte] >> buttons[i].bit) & 1) * 16384);
}

void erx_world_features(const erx_world_t *world, const int32_t *fm, int16_t *features)
{
    memset(features, 0, ERX_FEATURES_PADDED * sizeof *features);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        int16_t *to = features + p * FEATURES_A_PLAYER;
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            to[j] = erx_sat16(erx_round_shift((int64_t)world->S[p][j] * fm[j], 24));
        for (uint32_t j = 0; j < ERX_BINARIES; j++)
            to[ERX_CONTINUOUS + j] = (int16_t)(world->binary[p][j] * 16384);
        erx_world_control_features(world->control[p], to + ERX_CONTINUOUS + ERX_BINARIES);
    }
}

void erx_world_controls(const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES], int16_t *controls)
{
    memset(controls, 0, ERX_CONTROLS_PADDED * sizeof *controls);
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        erx_world_control_features(control[p], controls + p * (ERX_CONTROLS / ERX_PLAYERS));
}

static void advance_continuous(int32_t *S, uint32_t j, int64_t value)
{
    S[j] = (int32_t)erx_clamp64(value, low[j] * INT64_C(65536), high[j] * INT64_C(65536));
}

static void advance_player(erx_world_t *world, uint32_t p, const int32_t *regressions,
                           const uint32_t *choices)
{
    /* Rows of the regression heads and, per row, the value that it feeds. */
    static const uint8_t moved[] = {ERX_S_PERCENT, ERX_S_X, ERX_S_Y, ERX_S_SHIELD};
    static const uint8_t replaced[] = {ERX_S_HITLAG, ERX_S_STOCKS, ERX_S_COMBO};
    static const uint8_t category_of_head[] = {ERX_C_ACTION,  ERX_C_JUMPS,  ERX_C_L_CANCEL,
                                               ERX_C_HURTBOX, ERX_C_GROUND, ERX_C_LAST_ATTACK};
    int32_t *S = world->S[p];
    uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
    const int32_t *continuous = regressions + p * 4;
    const int32_t *binary = regressions + 8 + p * 3;
    const int32_t *speed = regressions + 14 + p * 5;
    const int32_t *dynamics = regressions + 24 + p * 3;
    bool same_action = choices[p] == category[ERX_C_ACTION];
    for (uint32_t i = 0; i < ERX_COUNT(moved); i++)
        advance_continuous(S, moved[i], (int64_t)S[moved[i]] + continuous[i]);
    for (uint32_t i = 0; i < 5; i++)
        advance_continuous(S, ERX_S_SPEED_AIR_X + i, (int64_t)S[ERX_S_SPEED_AIR_X + i] + speed[i]);
    advance_continuous(S, ERX_S_STATE_AGE, same_action ? (int64_t)S[ERX_S_STATE_AGE] + 65536 : 0);
    for (uint32_t i = 0; i < ERX_COUNT(replaced); i++)
        advance_continuous(S, replaced[i], dynamics[i]);
    for (uint32_t i = 0; i < ERX_BINARIES; i++)
        world->binary[p][i] = binary[i] > 0;
    for (uint32_t i = 0; i < ERX_COUNT(category_of_head); i++)
        category[category_of_head[i]] = (uint16_t)choices[2 * i + p];
}

void erx_world_advance(erx_world_t *world, const int32_t *regressions,
                       const uint32_t choices[ERX_LOGIT_HEADS],
                       const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        advance_player(world, p, regressions, choices);
    memcpy(world->control, control, sizeof world->control);
}
