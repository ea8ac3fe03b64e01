/* erx trace: makes a trace of scripted players, or shows what a trace holds. */
#include "tools/command.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/script_game.h"
#include "tools/trace_report.h"

#include <stdlib.h>
#include <string.h>

#define GAMES_MAX  4096u
#define FRAMES_MAX 36000u /* ten minutes: more than a match lasts */

enum { OPTION_SHOW = 256, OPTION_JSON };

typedef struct {
    uint32_t games;
    uint32_t frames;
    uint64_t seed;
    const char *out;
    const char *show;
    const char *json;
} request_t;

static const struct argp_option options[] = {
    {"games", 'g', "N", 0, "Games to make (default 32)", 1},
    {"frames", 'f', "N", 0, "Frames a game, 60 a second (default 900)", 1},
    {"seed", 's', "N", 0, "Seed; the same gives the same trace (default 1)", 1},
    {"out", 'o', "FILE", 0, "Where to write the trace; - is the standard output", 1},
    {"show", OPTION_SHOW, "FILE", 0, "Show the games and inputs of a trace", 2},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "what --show shows", 2),
    {0},
};

static void check_request(const request_t *request, const struct argp_state *state)
{
    if (request->show == NULL && request->out == NULL)
        argp_error(state, "say what to do: --out FILE makes a trace, --show FILE shows one");
    if (request->show != NULL && request->out != NULL)
        argp_error(state, "--show and --out exclude each other");
    if (request->json != NULL && request->show == NULL)
        argp_error(state, "--json needs --show");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case 'g':
        request->games = erx_option_u32(state, "games", text, 1, GAMES_MAX);
        return 0;
    case 'f':
        request->frames = erx_option_u32(state, "frames", text, 1, FRAMES_MAX);
        return 0;
    case 's':
        request->seed = erx_option_unsigned(state, "seed", text, 0, UINT64_MAX);
        return 0;
    case 'o':
        request->out = text;
        return 0;
    case OPTION_SHOW:
        request->show = text;
        return 0;
    case OPTION_JSON:
        request->json = text;
        return 0;
    case ARGP_KEY_END:
        check_request(request, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .doc = "Makes a trace of scripted players, or shows what a trace holds.\v"
           "Scripted players walk, dash, jump, attack, shield and grab as often and for as long "
           "as recorded ones do; they see nothing of the game, so they turn back by "
           "themselves before they run off the stage.\n\n"
           "  erx trace --games 32 --frames 900 --seed 1 --out scripted.trace",
};

static erx_status_t make_games(const request_t *request, erx_trace_game_t *games,
                               uint8_t *controllers, erx_error_t *error)
{
    erx_progress_t progress;
    erx_progress_start(&progress, "playing", request->games);
    for (uint32_t k = 0; k < request->games; k++) {
        uint8_t *place = controllers + (size_t)k * request->frames * ERX_TRACE_FRAME_BYTES;
        games[k] = erx_script_game(request->seed, k, request->frames, place);
        erx_progress_update(&progress, k + 1);
    }
    erx_progress_finish(&progress);
    return erx_trace_write(request->out, games, request->games, error);
}

static erx_status_t make_trace(const request_t *request, erx_error_t *error)
{
    uint64_t frames = (uint64_t)request->games * request->frames;
    if (frames > ERX_TRACE_FRAMES_MAX)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "%u games of %u frames are more than the %u frames of a trace",
                             request->games, request->frames, ERX_TRACE_FRAMES_MAX);
    uint8_t *controllers = malloc((size_t)frames * ERX_TRACE_FRAME_BYTES);
    erx_trace_game_t *games = calloc(request->games, sizeof *games);
    erx_status_t status = ERX_OK;
    if (controllers == NULL || games == NULL)
        status = erx_error_set(error, ERX_ERR_MEMORY, "no memory for %u games of %u frames",
                               request->games, request->frames);
    else
        status = make_games(request, games, controllers, error);
    free(games);
    free(controllers);
    return status;
}

int erx_command_trace(int argc, char **argv)
{
    request_t request = {.games = 32, .frames = 900, .seed = 1};
    erx_command_parse(&parser, argc, argv, &request);
    erx_error_t error;
    erx_status_t status = request.show != NULL
                              ? erx_trace_report(request.show, request.json, &error)
                              : make_trace(&request, &error);
    return erx_command_end(argv[0], status, &error);
}
