/* The game state around the float model (NUMERICS 7 in floats). */
#include "tools/float_step.h"

#include <math.h>
#include <string.h>

#define Q16 65536.0

static const float low[ERX_CONTINUOUS] = {0, -300, -200, 0, -60, -60, -60, -60, -60, -1, 0, 0, 0};
static const float high[ERX_CONTINUOUS] = {999, 300, 300, 60, 60, 60, 60, 60, 60, 1023, 50, 4, 50};

uint32_t erx_float_choice(const float *output, uint32_t head)
{
    const float *logits = output + ERX_REGRESSIONS;
    for (uint32_t i = 0; i < head; i++)
        logits += erx_logit_widths[i];
    uint32_t best = 0;
    for (uint32_t i = 1; i < erx_logit_widths[head]; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static void set(float *continuous, uint32_t j, float value)
{
    continuous[j] = fminf(fmaxf(value, low[j]), high[j]);
}

static void advance_player(const erx_float_model_t *model, erx_float_world_t *world, uint32_t p,
                           const float *output)
{
    static const uint8_t category_of_head[] = {ERX_C_ACTION,  ERX_C_JUMPS,  ERX_C_L_CANCEL,
                                               ERX_C_HURTBOX, ERX_C_GROUND, ERX_C_LAST_ATTACK};
    float *S = world->continuous[p];
    uint16_t *category = world->category + p * ERX_PLAYER_CATEGORIES;
    const float *scale = model->output_scale;
    uint32_t moved = p * 4, binary = 8 + p * 3, speed = 14 + p * 5, dynamics = 24 + p * 3;
    bool same_action = erx_float_choice(output, p) == category[ERX_C_ACTION];
    for (uint32_t i = 0; i < 4; i++)
        set(S, ERX_S_PERCENT + i, S[ERX_S_PERCENT + i] + output[moved + i] * scale[moved + i]);
    for (uint32_t i = 0; i < 5; i++)
        set(S, ERX_S_SPEED_AIR_X + i,
            S[ERX_S_SPEED_AIR_X + i] + output[speed + i] * scale[speed + i]);
    set(S, ERX_S_STATE_AGE, same_action ? S[ERX_S_STATE_AGE] + 1.0f : 0.0f);
    for (uint32_t i = 0; i < 3; i++)
        set(S, ERX_S_HITLAG + i, output[dynamics + i] * scale[dynamics + i]);
    for (uint32_t i = 0; i < ERX_BINARIES; i++)
        world->binary[p][i] = output[binary + i] > 0.0f;
    for (uint32_t i = 0; i < ERX_COUNT(category_of_head); i++)
        category[category_of_head[i]] = (uint16_t)erx_float_choice(output, 2 * i + p);
}

void erx_float_advance(const erx_float_model_t *model, erx_float_world_t *world,
                       const float *output,
                       const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES])
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        advance_player(model, world, p, output);
    memcpy(world->control, control, sizeof world->control);
}

void erx_float_world_to_fixed(const erx_float_world_t *world, erx_world_t *fixed_out)
{
    *fixed_out = (erx_world_t){0};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++) {
            double value =
                fmin(fmax((double)world->continuous[p][j], (double)low[j]), (double)high[j]);
            fixed_out->S[p][j] = (int32_t)lrint(value * Q16);
        }
    memcpy(fixed_out->binary, world->binary, sizeof fixed_out->binary);
    memcpy(fixed_out->category, world->category, sizeof fixed_out->category);
    memcpy(fixed_out->control, world->control, sizeof fixed_out->control);
}

void erx_float_world_from_fixed(const erx_world_t *fixed, erx_float_world_t *world_out)
{
    for (uint32_t p = 0; p < ERX_PLAYERS; p++)
        for (uint32_t j = 0; j < ERX_CONTINUOUS; j++)
            world_out->continuous[p][j] = (float)(fixed->S[p][j] / Q16);
    memcpy(world_out->binary, fixed->binary, sizeof fixed->binary);
    memcpy(world_out->category, fixed->category, sizeof fixed->category);
    memcpy(world_out->control, fixed->control, sizeof fixed->control);
}
