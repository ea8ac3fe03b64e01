/* Options of every command that plays a trace through an engine: --model,
 * --trace, --p0, --p1, --bots, --workers, --cpus, --isa and --schedule, as an
 * argp child. */
#ifndef ERX_TOOLS_PLAY_OPTIONS_H
#define ERX_TOOLS_PLAY_OPTIONS_H

#include <argp.h>

#include "tools/policy_seats.h"

typedef struct {
    const char *model;                    /* never NULL once parsed */
    const char *trace;                    /* the same */
    erx_seat_source_t seats[ERX_PLAYERS]; /* the trace unless told */
    erx_engine_config_t config;
} erx_play_options_t;

/* Children of a command's argp; its parser hands the erx_play_options_t on with
 * `state->child_inputs[0] = ...` at ARGP_KEY_INIT. */
extern const struct argp_child erx_play_children[];

#endif
