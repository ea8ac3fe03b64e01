/* One player's ControllerInput by name, for tools that make or count inputs. */
#ifndef ERX_TOOLS_CONTROLLER_H
#define ERX_TOOLS_CONTROLLER_H

#include "kernels/world.h"

enum { /* bits of buttons */
       ERX_BUTTON_A = 1 << 0,
       ERX_BUTTON_B = 1 << 1,
       ERX_BUTTON_X = 1 << 2,
       ERX_BUTTON_Y = 1 << 3,
       ERX_BUTTON_Z = 1 << 4,
       ERX_BUTTON_START = 1 << 5
};

enum { /* bits of buttons_ext */
       ERX_BUTTON_D_UP = 1 << 0,
       ERX_BUTTON_D_DOWN = 1 << 1,
       ERX_BUTTON_L = 1 << 2, /* the shoulder buttons, pressed through to the click */
       ERX_BUTTON_R = 1 << 3
};

#define ERX_STICK_MAX     127 /* full tilt of an axis; the least is its negative */
#define ERX_STICK_FULL    100 /* from here on a tilt counts as full: dash, fall, smash */
#define ERX_STICK_TILTED  35  /* from here on the game sees a tilt at all */
#define ERX_TRIGGER_MAX   255
#define ERX_TRIGGER_LIGHT 60 /* from here on a shoulder is pressed, not resting */

typedef struct {
    int8_t stick_x; /* right is positive */
    int8_t stick_y; /* up is positive */
    int8_t c_stick_x;
    int8_t c_stick_y;
    uint8_t trigger_l;
    uint8_t trigger_r;
    uint8_t buttons;
    uint8_t buttons_ext;
} erx_controller_t;

ERX_STATIC_ASSERT(sizeof(erx_controller_t) == ERX_CONTROLLER_BYTES,
                  "a controller is what accounts and traces hold");

#endif
