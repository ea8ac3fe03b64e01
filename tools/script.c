#include "tools/script.h"

#include "mem/assert.h"

#define PERCENT          100u
#define FRAME_256        256u
#define CENTI_TO_256(n)  ((uint32_t)(((uint64_t)(n)*256 + 50) / 100))
#define MOVE_FRAMES_MAX  120u
#define PRESS_FRAMES_MAX 240u

/* Position of the stick along one axis. */
typedef enum { CENTRE, LOW_PART, LOW_FULL, HIGH_PART, HIGH_FULL } tilt_t;

enum { IDLE = 0, DASH = 2 }; /* the moves that the code names */

enum { JUMP, ATTACK, SPECIAL, GRAB, SMASH, SHIELD };

/* Measured: share of all frames and mean hold of every position of the stick,
 * left and right taken together. */
static const erx_script_move_t moves[] = {
    {"idle", 4409, 1783},    {"walk", 534, 302},       {"dash", 2726, 1328},
    {"crouch", 588, 883},    {"look up", 165, 959},    {"tilt down", 70, 130},
    {"tilt up", 60, 259},    {"angle down", 409, 367}, {"dash down", 279, 320},
    {"dash up", 248, 392},   {"angle up", 300, 442},   {"fall aside", 140, 212},
    {"jump aside", 71, 336},
};

/* Where the stick is in each move: x without its side, y. */
static const struct {
    tilt_t x, y;
} positions[ERX_COUNT(moves)] = {
    {CENTRE, CENTRE},       {HIGH_PART, CENTRE},    {HIGH_FULL, CENTRE},    {CENTRE, LOW_FULL},
    {CENTRE, HIGH_FULL},    {CENTRE, LOW_PART},     {CENTRE, HIGH_PART},    {HIGH_PART, LOW_PART},
    {HIGH_FULL, LOW_PART},  {HIGH_FULL, HIGH_PART}, {HIGH_PART, HIGH_PART}, {HIGH_PART, LOW_FULL},
    {HIGH_PART, HIGH_FULL},
};

/* Chance of each move to come next. No move follows itself, so the chances
 * solve chance * (sum - chance) ~ share / hold: then the shares come out. */
static const uint32_t chances[ERX_COUNT(moves)] = {
    2311, 1494, 1799, 504, 125, 403, 169, 878, 672, 477, 514, 500, 154,
};
#define CHANCES_SUM 10000u

/* Measured: frames between presses and frames held. */
static const erx_script_press_t presses[ERX_SCRIPT_PRESSES] = {
    [JUMP] = {"jump (X, Y)", 10169, 754},      [ATTACK] = {"attack (A)", 14493, 663},
    [SPECIAL] = {"special (B)", 28037, 968},   [GRAB] = {"grab (Z)", 83333, 522},
    [SMASH] = {"smash (C-stick)", 27397, 958}, [SHIELD] = {"shield (L, R)", 16349, 1160},
};

/* Measured: 90 % of the presses of a kind last at least this long. */
static const uint32_t press_least[ERX_SCRIPT_PRESSES] = {
    [JUMP] = 1, [ATTACK] = 2, [SPECIAL] = 1, [GRAB] = 3, [SMASH] = 3, [SHIELD] = 4,
};

/* Measured of jumps: let go within 4 frames is a short hop. */
#define SHORT_HOP_PERCENT 41u
#define SHORT_HOP_MAX     4u
#define SHORT_HOP_HOLD    254u  /* mean, 1/100 frames */
#define FULL_JUMP_HOLD    1104u /* mean of the others */
#define JUMP_Y_PERCENT    75u

/* Measured of shields: most are taps, the others are held. */
#define SHIELD_TAP_PERCENT   80u
#define SHIELD_TAP_LEAST     4u
#define SHIELD_TAP_GREATEST  7u
#define SHIELD_HELD_HOLD     3600u /* mean, 1/100 frames */
#define SHIELD_R_PERCENT     64u
#define SHIELD_ROLL_PERCENT  25u
#define ROLL_FRAMES          4u
#define RELEASE_HOLD         250u /* mean analog frames around a press, 1/100; here at its end */
#define RELEASE_MOST         240
#define TRIGGER_REST_PERCENT 54u /* of players whose shoulder reads 0 at rest */
#define TRIGGER_REST_LEAST   2
#define TRIGGER_REST_MOST    9

/* Measured of the C-stick: where it is thrown, and how far. */
#define SMASH_SIDE_PERCENT 51u
#define SMASH_DOWN_PERCENT 38u
#define SMASH_TILT_LEAST   112
#define FULL_TILT_LEAST    120

/* 20 frames of dashing, about a third of a stage: beyond it a player always
 * turns back, and starts 15 frames from the middle. */
#define LEAN_MAX   (20 * ERX_STICK_MAX)
#define LEAN_START (15 * ERX_STICK_MAX)
#define LEAN_STRAY (2 * LEAN_MAX) /* a move that carries further than this is cut short */

const erx_script_move_t *erx_script_moves(uint32_t *count_out)
{
    *count_out = ERX_COUNT(moves);
    return moves;
}

const erx_script_press_t *erx_script_presses(void)
{
    return presses;
}

static bool percent(erx_random_t *random, uint32_t chance)
{
    return erx_random_below(random, PERCENT) < chance;
}

/* Geometric number of frames, at least 1, of the given mean in 1/100. */
static uint32_t frames_of(erx_random_t *random, uint32_t mean, uint32_t greatest)
{
    uint32_t frames = 1;
    uint32_t mean_256 = ERX_MAX(CENTI_TO_256(mean), FRAME_256);
    while (frames < greatest && !erx_random_once_in(random, mean_256))
        frames++;
    return frames;
}

static int32_t tilt_value(erx_random_t *random, tilt_t tilt)
{
    switch (tilt) {
    case LOW_PART:
        return -erx_random_between(random, ERX_STICK_TILTED, ERX_STICK_FULL - 1);
    case HIGH_PART:
        return erx_random_between(random, ERX_STICK_TILTED, ERX_STICK_FULL - 1);
    case LOW_FULL:
        return -erx_random_between(random, FULL_TILT_LEAST, ERX_STICK_MAX);
    case HIGH_FULL:
        return erx_random_between(random, FULL_TILT_LEAST, ERX_STICK_MAX);
    case CENTRE:
    default:
        return 0;
    }
}

/* +1 or -1: the surer toward the middle, the further from it. */
static int32_t choose_side(erx_script_t *script)
{
    int32_t draw = erx_random_between(&script->random, -LEAN_MAX, LEAN_MAX);
    return draw >= script->lean ? 1 : -1;
}

static void start_move(erx_script_t *script, uint32_t move)
{
    erx_random_t *random = &script->random;
    script->move = move;
    script->move_left = frames_of(random, moves[move].hold, MOVE_FRAMES_MAX);
    script->stick_x = tilt_value(random, positions[move].x) * choose_side(script);
    script->stick_y = tilt_value(random, positions[move].y);
}

static uint32_t following_move(erx_script_t *script)
{
    uint32_t move = script->move;
    while (move == script->move) {
        uint32_t draw = erx_random_below(&script->random, CHANCES_SUM);
        for (move = 0; draw >= chances[move]; move++)
            draw -= chances[move];
    }
    return move;
}

static uint32_t jump_length(erx_random_t *random)
{
    if (percent(random, SHORT_HOP_PERCENT))
        return (uint32_t)erx_random_between(random, 1, SHORT_HOP_MAX);
    return SHORT_HOP_MAX +
           frames_of(random, FULL_JUMP_HOLD - SHORT_HOP_MAX * PERCENT, PRESS_FRAMES_MAX);
}

static uint32_t shield_length(erx_random_t *random)
{
    if (percent(random, SHIELD_TAP_PERCENT))
        return (uint32_t)erx_random_between(random, SHIELD_TAP_LEAST, SHIELD_TAP_GREATEST);
    return frames_of(random, SHIELD_HELD_HOLD, PRESS_FRAMES_MAX);
}

static uint32_t press_length(erx_random_t *random, uint32_t kind)
{
    if (kind == JUMP)
        return jump_length(random);
    if (kind == SHIELD)
        return shield_length(random);
    uint32_t before = press_least[kind] - 1;
    return before + frames_of(random, presses[kind].hold - before * PERCENT, PRESS_FRAMES_MAX);
}

static void start_smash(erx_script_t *script)
{
    erx_random_t *random = &script->random;
    int32_t tilt = erx_random_between(random, SMASH_TILT_LEAST, ERX_STICK_MAX);
    uint32_t direction = erx_random_below(random, PERCENT);
    bool aside = direction < SMASH_SIDE_PERCENT;
    bool down = direction < SMASH_SIDE_PERCENT + SMASH_DOWN_PERCENT;
    script->c_stick_x = (int8_t)(aside ? tilt * choose_side(script) : 0);
    script->c_stick_y = (int8_t)(aside ? 0 : down ? -tilt : tilt);
}

static void start_shield(erx_script_t *script)
{
    erx_random_t *random = &script->random;
    script->shield_button = percent(random, SHIELD_R_PERCENT) ? ERX_BUTTON_R : ERX_BUTTON_L;
    script->release_left = frames_of(random, RELEASE_HOLD, PRESS_FRAMES_MAX);
    if (percent(random, SHIELD_ROLL_PERCENT)) {
        start_move(script, DASH);
        script->move_left = ROLL_FRAMES;
    }
}

static void start_press(erx_script_t *script, uint32_t kind)
{
    script->press_left[kind] = press_length(&script->random, kind);
    if (kind == JUMP)
        script->jump_button =
            percent(&script->random, JUMP_Y_PERCENT) ? ERX_BUTTON_Y : ERX_BUTTON_X;
    else if (kind == SMASH)
        start_smash(script);
    else if (kind == SHIELD)
        start_shield(script);
}

/* A press that ends leaves at least one frame before the next of its kind. */
static void next_press(erx_script_t *script, uint32_t kind)
{
    uint32_t gap = presses[kind].interval - presses[kind].hold;
    if (script->press_left[kind] > 0)
        script->press_left[kind]--;
    else if (erx_random_once_in(&script->random, CENTI_TO_256(gap)))
        start_press(script, kind);
}

/* What the shoulder reads: clicked, on its way back, or at rest. */
static uint8_t trigger_value(erx_script_t *script)
{
    if (script->press_left[SHIELD] > 0)
        return ERX_TRIGGER_MAX;
    if (script->release_left == 0)
        return script->resting_trigger;
    script->release_left--;
    return (uint8_t)erx_random_between(&script->random, ERX_TRIGGER_LIGHT, RELEASE_MOST);
}

void erx_script_start(erx_script_t *script, uint64_t seed, uint32_t game, uint32_t player)
{
    ERX_ASSERT(player < ERX_PLAYERS);
    *script = (erx_script_t){.lean = player == 0 ? -LEAN_START : LEAN_START};
    erx_random_seed(&script->random, seed, (uint64_t)game * ERX_PLAYERS + player);
    if (!percent(&script->random, TRIGGER_REST_PERCENT))
        script->resting_trigger =
            (uint8_t)erx_random_between(&script->random, TRIGGER_REST_LEAST, TRIGGER_REST_MOST);
    start_move(script, IDLE);
}

static bool strays(const erx_script_t *script)
{
    return (script->lean > LEAN_STRAY && script->stick_x > 0) ||
           (script->lean < -LEAN_STRAY && script->stick_x < 0);
}

erx_controller_t erx_script_next(erx_script_t *script)
{
    if (script->move_left == 0 || strays(script))
        start_move(script, following_move(script));
    script->move_left--;
    for (uint32_t kind = 0; kind < ERX_SCRIPT_PRESSES; kind++)
        next_press(script, kind);
    script->lean += script->stick_x;

    const uint32_t *held = script->press_left;
    uint8_t trigger = trigger_value(script);
    bool right = script->shield_button == ERX_BUTTON_R;
    return (erx_controller_t){
        .stick_x = (int8_t)script->stick_x,
        .stick_y = (int8_t)script->stick_y,
        .c_stick_x = held[SMASH] > 0 ? script->c_stick_x : 0,
        .c_stick_y = held[SMASH] > 0 ? script->c_stick_y : 0,
        .trigger_l = right ? script->resting_trigger : trigger,
        .trigger_r = right ? trigger : script->resting_trigger,
        .buttons =
            (uint8_t)((held[JUMP] > 0 ? script->jump_button : 0) |
                      (held[ATTACK] > 0 ? ERX_BUTTON_A : 0) |
                      (held[SPECIAL] > 0 ? ERX_BUTTON_B : 0) | (held[GRAB] > 0 ? ERX_BUTTON_Z : 0)),
        .buttons_ext = held[SHIELD] > 0 ? script->shield_button : 0,
    };
}

static tilt_t classify_axis(int32_t value)
{
    if (value >= ERX_STICK_TILTED)
        return value >= ERX_STICK_FULL ? HIGH_FULL : HIGH_PART;
    if (value <= -ERX_STICK_TILTED)
        return value <= -ERX_STICK_FULL ? LOW_FULL : LOW_PART;
    return CENTRE;
}

uint32_t erx_script_classify(int32_t stick_x, int32_t stick_y)
{
    tilt_t x = classify_axis(stick_x < 0 ? -stick_x : stick_x);
    tilt_t y = classify_axis(stick_y);
    for (uint32_t i = 0; i < ERX_COUNT(moves); i++)
        if (positions[i].x == x && positions[i].y == y)
            return i;
    return IDLE;
}
