/* The canonical game state around the network (NUMERICS 1, 2 and 7). */
#ifndef ERX_KERNELS_WORLD_H
#define ERX_KERNELS_WORLD_H

#include "kernels/tensors.h"

#define ERX_CONTROLLER_BYTES  8u /* one player's ControllerInput */
#define ERX_PLAYERS           2u
#define ERX_BINARIES          3u /* facing right, invulnerable, on the ground */
#define ERX_PLAYER_CATEGORIES 7u
#define ERX_CHARACTERS        33u
#define ERX_STAGES            33u
#define ERX_FEATURES_PADDED   64u
#define ERX_CONTROLS_PADDED   32u

enum { /* index into S, a player */
       ERX_S_PERCENT,
       ERX_S_X,
       ERX_S_Y,
       ERX_S_SHIELD,
       ERX_S_SPEED_AIR_X,
       ERX_S_SPEED_Y,
       ERX_S_SPEED_GROUND_X,
       ERX_S_SPEED_ATTACK_X,
       ERX_S_SPEED_ATTACK_Y,
       ERX_S_STATE_AGE,
       ERX_S_HITLAG,
       ERX_S_STOCKS,
       ERX_S_COMBO
};

enum { /* index into the categoricals of a player; the stage follows both players' */
       ERX_C_ACTION,
       ERX_C_JUMPS,
       ERX_C_CHARACTER,
       ERX_C_L_CANCEL,
       ERX_C_HURTBOX,
       ERX_C_GROUND,
       ERX_C_LAST_ATTACK,
       ERX_C_STAGE = 2 * ERX_PLAYER_CATEGORIES
};

/* The world state block of a HiddenState account, byte for byte. */
typedef struct {
    int32_t S[ERX_PLAYERS][ERX_CONTINUOUS]; /* Q16 game units */
    uint8_t binary[ERX_PLAYERS][ERX_BINARIES];
    uint16_t category[ERX_CATEGORICALS];
    uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]; /* those that led to this frame */
    uint8_t padding[36];
} erx_world_t;

ERX_STATIC_ASSERT(sizeof(erx_world_t) == 192, "the world state block is 192 bytes");
ERX_STATIC_ASSERT(offsetof(erx_world_t, category) == 110, "categories follow the binaries");
ERX_STATIC_ASSERT(offsetof(erx_world_t, control) == 140, "controllers follow the categories");
ERX_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "account bytes are little-endian");

/* A new session's state: the start that MODEL.md's world begins from, on a
 * stage (< ERX_STAGES) with two characters (< ERX_CHARACTERS). */
void erx_world_start(erx_world_t *world, uint8_t stage, const uint8_t characters[ERX_PLAYERS]);

/* The 13 controller features of one player. */
void erx_world_control_features(const uint8_t control[ERX_CONTROLLER_BYTES], int16_t *features);

/* F of the state: features[ERX_FEATURES_PADDED], zero from 58 on. fm is the
 * model's scale of the 13 continuous values. */
void erx_world_features(const erx_world_t *world, const int32_t *fm, int16_t *features);

/* Fn of the controllers applied now: controls[ERX_CONTROLS_PADDED], zero from
 * 26 on. */
void erx_world_controls(const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES],
                        int16_t *controls);

/* Closes the loop (NUMERICS 7): regressions[30], the argmax of each logit head
 * in output order, and the controllers that were applied. */
void erx_world_advance(erx_world_t *world, const int32_t *regressions,
                       const uint32_t choices[ERX_LOGIT_HEADS],
                       const uint8_t control[ERX_PLAYERS][ERX_CONTROLLER_BYTES]);

#endif
