/* Scripted players: seeded controller inputs in the proportions of real play.
 *
 * A player is two things at once. Its stick goes through a chain of moves
 * (idle, walk, dash, crouch, diagonals), each held for a random time. Over
 * that, six kinds of presses (jump or short hop, attack, special, grab, smash,
 * shield or roll) come at random intervals. How often and how long was
 * measured in 58 recorded matches, 352,968 controller frames; the figures are
 * the tables of script.c.
 *
 * The players see nothing of the game. So that they neither run off the stage
 * nor miss each other, each keeps count of how far its stick has carried it
 * and turns back toward the middle the surer, the further it is. */
#ifndef ERX_TOOLS_SCRIPT_H
#define ERX_TOOLS_SCRIPT_H

#include "tools/controller.h"
#include "tools/random.h"

#define ERX_SCRIPT_PRESSES 6u

/* Share of frames, in 1/10,000, that the stick is in a move, and the mean
 * number of frames, in 1/100, that it stays in it. */
typedef struct {
    const char *name;
    uint32_t share;
    uint32_t hold;
} erx_script_move_t;

/* Mean frames between the starts of two presses of a kind, and mean frames
 * that one lasts, both in 1/100. */
typedef struct {
    const char *name;
    uint32_t interval;
    uint32_t hold;
} erx_script_press_t;

/* The measured figures, in fixed order; the lists are static. */
const erx_script_move_t *erx_script_moves(uint32_t *count_out);
const erx_script_press_t *erx_script_presses(void); /* [ERX_SCRIPT_PRESSES] */

/* One player's state. */
typedef struct {
    erx_random_t random;
    uint32_t move;      /* index into the moves */
    uint32_t move_left; /* frames that it is still held */
    int32_t stick_x, stick_y;
    int32_t lean;                            /* sum of stick_x, from the middle of the stage */
    uint32_t press_left[ERX_SCRIPT_PRESSES]; /* frames that each press is still held */
    uint32_t release_left;                   /* analog frames after the shield at hand */
    uint8_t jump_button;                     /* X or Y, of the press at hand */
    uint8_t shield_button;                   /* L or R */
    uint8_t resting_trigger;                 /* what this player's shoulder reads untouched */
    int8_t c_stick_x, c_stick_y;             /* of the smash at hand */
} erx_script_t;

/* Starts player (0 or 1) of a game; equal arguments give equal inputs. */
void erx_script_start(erx_script_t *script, uint64_t seed, uint32_t game, uint32_t player);

/* The player's controller of the next frame. */
erx_controller_t erx_script_next(erx_script_t *script);

/* Kind of move that a stick position belongs to: index into the moves. Left
 * and right are one kind. */
uint32_t erx_script_classify(int32_t stick_x, int32_t stick_y);

#endif
