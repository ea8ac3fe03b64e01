#include "tools/policy_sample.h"

#include <stdlib.h>
#include <string.h>

erx_status_t erx_policy_samples_list(const erx_sequences_t *sequences, bool held_out,
                                     uint32_t stride, erx_policy_sample_t **samples_out,
                                     uint32_t *count_out, erx_error_t *error)
{
    erx_policy_sample_t *samples =
        calloc((size_t)ERX_PLAYERS * sequences->frame_count, sizeof *samples);
    if (samples == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a list of moments");
    uint32_t count = 0, seen = 0;
    for (uint32_t g = 0; g < sequences->game_count; g++) {
        const erx_sequence_t *game = &sequences->games[g];
        for (uint32_t t = 1; game->is_test == held_out && t < game->frame_count; t++)
            for (uint8_t p = 0; p < ERX_PLAYERS; p++)
                if (seen++ % stride == 0)
                    samples[count++] = (erx_policy_sample_t){.game = g, .frame = t, .player = p};
    }
    if (count == 0) {
        free(samples);
        return erx_error_set(error, ERX_ERR_RANGE, "the sequences hold no %s games",
                             held_out ? "test" : "training");
    }
    *samples_out = samples;
    *count_out = count;
    return ERX_OK;
}

static void mirror_control(uint8_t control[ERX_CONTROLLER_BYTES])
{
    control[0] = (uint8_t)-ERX_MAX((int8_t)control[0], -127);
    control[2] = (uint8_t)-ERX_MAX((int8_t)control[2], -127);
}

/* Left and right exchanged. Surfaces of the ground keep their numbers. */
static void mirror_world(erx_float_world_t *world)
{
    static const uint8_t sideways[] = {ERX_S_X, ERX_S_SPEED_AIR_X, ERX_S_SPEED_GROUND_X,
                                       ERX_S_SPEED_ATTACK_X};
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        for (uint32_t i = 0; i < ERX_COUNT(sideways); i++)
            world->continuous[p][sideways[i]] = -world->continuous[p][sideways[i]];
        world->binary[p][0] = !world->binary[p][0]; /* faces right */
        mirror_control(world->control[p]);
    }
}

/* Makes player 1 player 0. */
static void swap_players(erx_float_world_t *world)
{
    const erx_float_world_t from = *world;
    for (uint32_t p = 0; p < ERX_PLAYERS; p++) {
        uint32_t other = 1 - p;
        memcpy(world->continuous[p], from.continuous[other], sizeof from.continuous[other]);
        memcpy(world->binary[p], from.binary[other], sizeof from.binary[other]);
        memcpy(world->control[p], from.control[other], sizeof from.control[other]);
        memcpy(world->category + p * ERX_PLAYER_CATEGORIES,
               from.category + other * ERX_PLAYER_CATEGORIES,
               ERX_PLAYER_CATEGORIES * sizeof from.category[0]);
    }
}

void erx_policy_sample_world(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                             uint32_t context, uint32_t k, erx_float_world_t *world_out)
{
    uint32_t back = context - k;
    uint32_t frame = sample->frame > back ? sample->frame - back : 0;
    *world_out = (erx_float_world_t){0};
    erx_sequences_world(sequences, &sequences->games[sample->game], frame, world_out);
    if (sample->player == 1)
        swap_players(world_out);
    if (sample->mirrored)
        mirror_world(world_out);
}

void erx_policy_sample_input(const erx_policy_float_t *policy, const erx_sequences_t *sequences,
                             const erx_policy_sample_t *sample, float *values)
{
    for (uint32_t k = 0; k < policy->shape.context; k++) {
        erx_float_world_t world;
        erx_policy_sample_world(sequences, sample, policy->shape.context, k, &world);
        erx_policy_float_encode(policy, &world, values + (size_t)k * policy->frame_width);
    }
}

static void control_at(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                       uint32_t frame, uint8_t control_out[ERX_CONTROLLER_BYTES])
{
    memcpy(control_out,
           erx_sequences_control(sequences, &sequences->games[sample->game], frame)[sample->player],
           ERX_CONTROLLER_BYTES);
    if (sample->mirrored)
        mirror_control(control_out);
}

void erx_policy_sample_answer(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                              uint8_t control_out[ERX_CONTROLLER_BYTES])
{
    control_at(sequences, sample, sample->frame, control_out);
}

void erx_policy_sample_before(const erx_sequences_t *sequences, const erx_policy_sample_t *sample,
                              uint8_t control_out[ERX_CONTROLLER_BYTES])
{
    control_at(sequences, sample, sample->frame - 1, control_out);
}
