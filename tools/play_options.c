#include "tools/play_options.h"

#include "tools/options.h"

/* Keys apart from those of the commands, which count from 1. */
enum {
    OPTION_MODEL = 1001,
    OPTION_TRACE,
    OPTION_P0,
    OPTION_P1,
    OPTION_BOTS,
    OPTION_WORKERS,
    OPTION_CPUS,
    OPTION_ISA,
    OPTION_SCHEDULE
};

static const struct argp_option play_options[] = {
    {"model", OPTION_MODEL, "DIR", 0, "Model directory (required)", 1},
    {"trace", OPTION_TRACE, "FILE", 0, "Trace whose games are played (required)", 1},
    {"p0", OPTION_P0, "WHO", 0,
     "Who plays player 1: trace (default), script, policy:DIR, or steady:DIR, the policy without "
     "chance",
     1},
    {"p1", OPTION_P1, "WHO", 0, "Who plays player 2, likewise", 1},
    {"bots", OPTION_BOTS, "WHO", 0, "Who plays both players, likewise", 1},
    {"workers", OPTION_WORKERS, "W", 0, "Worker threads", 2},
    {"cpus", OPTION_CPUS, "LIST", 0, "Processors to use, such as 0-3,8 (default: all)", 2},
    ERX_OPTION_ROW_ISA(OPTION_ISA, 2),
    {"schedule", OPTION_SCHEDULE, "HOW", 0,
     "slice (sessions over workers), split (matrix rows over workers) or auto (default)", 2},
    {0},
};

/* Seats players [begin, end). */
static void seat(const struct argp_state *state, const char *option, const char *argument,
                 uint32_t begin, uint32_t end)
{
    erx_play_options_t *options = state->input;
    erx_error_t error;
    for (uint32_t p = begin; p < end; p++)
        if (erx_seat_source_parse(argument, &options->seats[p], &error) != ERX_OK)
            argp_error(state, "--%s: %s", option, error.text);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    static const char *const schedules[] = {"auto", "slice", "split", NULL};
    erx_play_options_t *options = state->input;
    switch (key) {
    case OPTION_MODEL:
        options->model = argument;
        return 0;
    case OPTION_TRACE:
        options->trace = argument;
        return 0;
    case OPTION_P0:
        seat(state, "p0", argument, 0, 1);
        return 0;
    case OPTION_P1:
        seat(state, "p1", argument, 1, ERX_PLAYERS);
        return 0;
    case OPTION_BOTS:
        seat(state, "bots", argument, 0, ERX_PLAYERS);
        return 0;
    case OPTION_WORKERS:
        options->config.worker_count = erx_option_u32(state, "workers", argument, 1, ERX_CPUS_MAX);
        return 0;
    case OPTION_CPUS:
        options->config.cpu_list = argument;
        return 0;
    case OPTION_ISA:
        options->config.isa = argument;
        return 0;
    case OPTION_SCHEDULE:
        options->config.schedule =
            (erx_schedule_t)erx_option_choice(state, "schedule", argument, schedules);
        return 0;
    case ARGP_KEY_END:
        erx_option_require(state, "model", options->model);
        erx_option_require(state, "trace", options->trace);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp play_argp = {.options = play_options, .parser = parse};

const struct argp_child erx_play_children[] = {{&play_argp, 0, "Playing:", 0}, {0}};
