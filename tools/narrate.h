/* The game in words and in the visualizer's JSON. */
#ifndef ERX_TOOLS_NARRATE_H
#define ERX_TOOLS_NARRATE_H

#include <jansson.h>
#include <stdio.h>

#include "kernels/world.h"

/* Names by the ids of the game; "character 31" for one without a name. The
 * text lives until the next call of the same thread. */
const char *erx_character_name(uint16_t character);
const char *erx_stage_name(uint16_t stage);

/* What a player in this action is doing, such as "dashing". */
const char *erx_action_words(uint16_t action);

/* Prints the world as a few lines for people. */
void erx_narrate(FILE *stream, const erx_world_t *world);

/* {"players":[{"x":..,"y":..,...},{...}],"stage":n}: game units as numbers,
 * named as in the SessionState account. New reference; NULL without memory. */
json_t *erx_world_json(const erx_world_t *world);

#endif
