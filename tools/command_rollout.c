/* erx rollout: one session (or several equal ones) over a game of a trace. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/narrate.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/play_options.h"
#include "tools/players.h"
#include "tools/progress.h"

#define ROLLOUT_FRAMES_MAX 10000000u

typedef struct {
    erx_play_options_t play;
    const char *json;
    uint32_t game;
    uint32_t frames;
    uint32_t sessions;
    uint64_t seed;
    bool hash;
} options_t;

enum { OPTION_GAME = 1, OPTION_FRAMES, OPTION_SESSIONS, OPTION_SEED, OPTION_HASH, OPTION_JSON };

static const struct argp_option argp_options[] = {
    {"game", OPTION_GAME, "K", 0, "Game of the trace, from 0 (default 0)", 0},
    {"frames", OPTION_FRAMES, "N", 0, "Frames to play; a shorter game starts over (default 600)",
     0},
    {"sessions", OPTION_SESSIONS, "S", 0,
     "Play the same game in S sessions of one batch; all must agree (default 1)", 0},
    {"seed", OPTION_SEED, "S", 0, "Seed of the chance of policies and scripts (default 1)", 0},
    {"hash", OPTION_HASH, NULL, 0,
     "Print a line '<frame> <hash>' a frame: FNV-1a 64 of the HiddenState data", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the frames, for a viewer,", 0),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->play;
        return 0;
    case OPTION_GAME:
        options->game = erx_option_u32(state, "game", argument, 0, ERX_TRACE_GAMES_MAX - 1);
        return 0;
    case OPTION_FRAMES:
        options->frames = erx_option_u32(state, "frames", argument, 1, ROLLOUT_FRAMES_MAX);
        return 0;
    case OPTION_SESSIONS:
        options->sessions = erx_option_u32(state, "sessions", argument, 1, ERX_SESSIONS_MAX);
        return 0;
    case OPTION_SEED:
        options->seed = erx_option_unsigned(state, "seed", argument, 0, UINT64_MAX);
        return 0;
    case OPTION_HASH:
        options->hash = true;
        return 0;
    case OPTION_JSON:
        options->json = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->hash && options->json != NULL && strcmp(options->json, "-") == 0)
            argp_error(state, "--hash and --json - both want the standard output");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One rollout: what is open while it runs. */
typedef struct {
    const options_t *options;
    erx_trace_t trace;
    erx_engine_t *engine;
    erx_seats_t seats;
    erx_players_t players;
    erx_output_t output;
    bool writes_json;
} rollout_t;

static erx_status_t open_rollout(rollout_t *rollout, erx_error_t *error)
{
    const options_t *options = rollout->options;
    erx_model_t *model;
    erx_status_t status = erx_trace_open(options->play.trace, &rollout->trace, error);
    if (status != ERX_OK)
        return status;
    if (options->game >= rollout->trace.game_count)
        return erx_error_set(error, ERX_ERR_RANGE, "--game: %u, but %s holds games 0 to %u",
                             options->game, options->play.trace, rollout->trace.game_count - 1);
    status = erx_engine_open(&options->play.config, &rollout->engine, error);
    if (status == ERX_OK)
        status = erx_engine_load_model(rollout->engine, options->play.model, options->sessions,
                                       &model, error);
    if (status == ERX_OK)
        status = erx_players_open_game(&rollout->players, model, options->sessions, &rollout->trace,
                                       options->game, error);
    if (status == ERX_OK)
        status = erx_seats_open(&rollout->seats, options->play.seats, rollout->engine,
                                options->sessions, options->seed, true, error);
    if (status == ERX_OK)
        erx_players_seat(&rollout->players, &rollout->seats);
    if (status == ERX_OK && options->json != NULL) {
        status = erx_output_open(&rollout->output, options->json, error);
        rollout->writes_json = status == ERX_OK;
    }
    return status;
}

static void close_rollout(rollout_t *rollout)
{
    if (rollout->writes_json)
        erx_output_abandon(&rollout->output);
    erx_players_close(&rollout->players);
    erx_seats_close(&rollout->seats);
    erx_engine_close(rollout->engine);
    erx_trace_close(&rollout->trace);
}

/* All sessions played the same inputs from the same start: they must agree. */
static erx_status_t check_agreement(const rollout_t *rollout, uint32_t frame, erx_error_t *error)
{
    const erx_players_t *players = &rollout->players;
    size_t bytes = erx_hidden_data_bytes(&players->model->shape);
    const uint8_t *first = erx_players_session(players, 0)->arena + ERX_ARENA_WORLD;
    for (uint32_t i = 1; i < players->count; i++)
        if (memcmp(first, erx_players_session(players, i)->arena + ERX_ARENA_WORLD, bytes) != 0)
            return erx_error_set(error, ERX_ERR_DIFFERS,
                                 "frame %u: session %u differs from session 0", frame, i);
    return ERX_OK;
}

static erx_status_t write_frame(rollout_t *rollout, uint32_t frame, erx_error_t *error)
{
    json_t *value =
        erx_world_json(erx_arena_world(erx_players_session(&rollout->players, 0)->arena));
    if (value == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for frame %u", frame);
    (void)fputs(frame == 1 ? "{\"frames\":[\n" : ",\n", rollout->output.stream);
    (void)json_dumpf(value, rollout->output.stream, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(value);
    return ERX_OK;
}

static erx_status_t play_frame(rollout_t *rollout, uint32_t frame, erx_error_t *error)
{
    erx_players_feed(&rollout->players);
    erx_block_t *block = erx_engine_begin_block(rollout->engine, 0);
    erx_block_add_all(block, rollout->players.model);
    erx_engine_execute(rollout->engine);
    erx_status_t status = check_agreement(rollout, frame, error);
    if (status == ERX_OK && rollout->options->hash)
        (void)printf("%u %016" PRIx64 "\n", frame, erx_players_state_hash(&rollout->players, 0));
    if (status == ERX_OK && rollout->writes_json)
        status = write_frame(rollout, frame, error);
    return status;
}

static erx_status_t play(rollout_t *rollout, erx_error_t *error)
{
    erx_progress_t progress;
    erx_status_t status = ERX_OK;
    erx_progress_start(&progress, "rollout", rollout->options->frames);
    for (uint32_t frame = 1; status == ERX_OK && frame <= rollout->options->frames; frame++) {
        status = play_frame(rollout, frame, error);
        erx_progress_update(&progress, frame);
    }
    erx_progress_finish(&progress);
    if (status == ERX_OK && rollout->writes_json) {
        (void)fputs("\n]}\n", rollout->output.stream);
        rollout->writes_json = false; /* commit frees it in every case */
        status = erx_output_commit(&rollout->output, error);
    }
    if (status == ERX_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = erx_error_set(error, ERX_ERR_IO, "standard output: the lines were not written");
    return status;
}

static void print_summary(const rollout_t *rollout)
{
    const options_t *options = rollout->options;
    (void)printf("%s, game %u of %s, %u frames in %u %s (%s)\n", rollout->players.model->name,
                 options->game, options->play.trace, options->frames, options->sessions,
                 options->sessions == 1 ? "session" : "equal sessions",
                 erx_engine_kernel(rollout->engine)->name);
    erx_narrate(stdout, erx_arena_world(erx_players_session(&rollout->players, 0)->arena));
    (void)printf("state hash %016" PRIx64 "\n", erx_players_state_hash(&rollout->players, 0));
}

int erx_command_rollout(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .doc = "Plays one game of a trace through a model, closed loop from a fresh session; "
               "scripts and "
               "policies may take the players' seats.\v"
               "Without --hash or --json, prints the last frame in words. One worker unless told.",
        .children = erx_play_children,
    };
    options_t options = {
        .frames = 600, .sessions = 1, .seed = 1, .play.config = {.worker_count = 1}};
    erx_error_t error;
    erx_command_parse(&argp, argc, argv, &options);
    rollout_t rollout = {.options = &options};
    erx_status_t status = open_rollout(&rollout, &error);
    if (status == ERX_OK)
        status = play(&rollout, &error);
    if (status == ERX_OK && !options.hash && options.json == NULL)
        print_summary(&rollout);
    close_rollout(&rollout);
    return erx_command_end(argv[0], status, &error);
}
