#include "tools/input_statistics.h"

#include <stdlib.h>
#include <string.h>

#define NO_MOVE UINT32_MAX

/* Bit k is set where a press of kind k of the script is held. */
static uint32_t pressed(const erx_controller_t *controller)
{
    bool thrown = abs(controller->c_stick_x) >= ERX_STICK_TILTED ||
                  abs(controller->c_stick_y) >= ERX_STICK_TILTED;
    const bool held[ERX_SCRIPT_PRESSES] = {
        (controller->buttons & (ERX_BUTTON_X | ERX_BUTTON_Y)) != 0,
        (controller->buttons & ERX_BUTTON_A) != 0,
        (controller->buttons & ERX_BUTTON_B) != 0,
        (controller->buttons & ERX_BUTTON_Z) != 0,
        thrown,
        (controller->buttons_ext & (ERX_BUTTON_L | ERX_BUTTON_R)) != 0,
    };
    uint32_t bits = 0;
    for (uint32_t kind = 0; kind < ERX_SCRIPT_PRESSES; kind++)
        bits |= (uint32_t)held[kind] << kind;
    return bits;
}

static void add_player(erx_input_statistics_t *statistics, const erx_trace_game_t *game,
                       uint32_t player)
{
    uint32_t move_before = NO_MOVE;
    uint32_t pressed_before = 0;
    for (uint32_t frame = 0; frame < game->frame_count; frame++) {
        erx_controller_t controller;
        memcpy(&controller, erx_trace_controllers(game, frame)[player], sizeof controller);
        statistics->left += controller.stick_x <= -ERX_STICK_FULL;
        statistics->right += controller.stick_x >= ERX_STICK_FULL;
        uint32_t move = erx_script_classify(controller.stick_x, controller.stick_y);
        statistics->move_frames[move]++;
        statistics->move_runs[move] += move != move_before;
        move_before = move;
        uint32_t now = pressed(&controller);
        for (uint32_t kind = 0; kind < ERX_SCRIPT_PRESSES; kind++) {
            statistics->press_frames[kind] += (now >> kind) & 1;
            statistics->press_runs[kind] += ((now & ~pressed_before) >> kind) & 1;
        }
        pressed_before = now;
        uint8_t trigger = ERX_MAX(controller.trigger_l, controller.trigger_r);
        bool clicked = (controller.buttons_ext & (ERX_BUTTON_L | ERX_BUTTON_R)) != 0;
        statistics->light += trigger >= ERX_TRIGGER_LIGHT && !clicked;
    }
    statistics->frames += game->frame_count;
}

void erx_input_statistics_add(erx_input_statistics_t *statistics, const erx_trace_game_t *game)
{
    for (uint32_t player = 0; player < ERX_PLAYERS; player++)
        add_player(statistics, game, player);
}
