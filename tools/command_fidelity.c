/* erx fidelity: how well a model directory matches its checkpoint. */
#include "engine/model_file.h"
#include "tools/command.h"
#include "tools/fidelity_plot.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/parallel.h"

#define STAGE_FRAMES     600u
#define ROLLOUTS_DEFAULT 128u

typedef struct {
    const char *directory;
    const char *checkpoint;
    const char *data;
    const char *json;
    const char *plots;
    erx_fidelity_options_t wanted;
} request_t;

enum {
    OPTION_CHECKPOINT = 256,
    OPTION_DATA,
    OPTION_JSON,
    OPTION_PLOTS,
    OPTION_ROLLOUTS,
    OPTION_THREADS
};

static const struct argp_option options[] = {
    {"checkpoint", OPTION_CHECKPOINT, "FILE", 0,
     "The checkpoint that the model was made from (required)", 0},
    {"data", OPTION_DATA, "FILE", 0, "Real game sequences, whose test games are used (required)",
     0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "everything", 0),
    {"plots", OPTION_PLOTS, "DIR", 0, "Draw SVG and PNG pictures into DIR (needs gnuplot)", 0},
    {"rollouts", OPTION_ROLLOUTS, "N", 0, "Rollouts to compare (default 128)", 0},
    ERX_OPTION_ROW_THREADS(OPTION_THREADS, 0),
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_CHECKPOINT:
        request->checkpoint = text;
        return 0;
    case OPTION_DATA:
        request->data = text;
        return 0;
    case OPTION_JSON:
        request->json = text;
        return 0;
    case OPTION_PLOTS:
        request->plots = text;
        return 0;
    case OPTION_ROLLOUTS:
        request->wanted.rollouts =
            erx_option_u32(state, "rollouts", text, 1, ERX_FIDELITY_ROLLOUTS_MAX);
        return 0;
    case OPTION_THREADS:
        request->wanted.threads =
            erx_option_u32(state, "threads", text, 1, ERX_PARALLEL_THREADS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        erx_option_take(state, "DIR", text, &request->directory);
        return 0;
    case ARGP_KEY_END:
        if (request->directory == NULL)
            argp_error(state, "DIR is missing: a model directory");
        erx_option_require(state, "checkpoint", request->checkpoint);
        erx_option_require(state, "data", request->data);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "DIR",
    .doc = "Compares the model of DIR with the floats of its checkpoint on real games: signal to "
           "noise and choices where every input is real, and the drift of positions in rollouts "
           "of 60, 600 and 3600 frames.",
};

/* What is open while fidelity is measured. */
typedef struct {
    const request_t *request;
    erx_model_file_t file;
    erx_parameters_t checkpoint;
    erx_float_model_t floats;
    erx_sequences_t sequences;
    erx_integer_model_t integers;
    erx_fidelity_t fidelity;
    erx_error_t *error;
} measuring_t;

static erx_status_t open_all(measuring_t *measuring)
{
    const request_t *request = measuring->request;
    erx_status_t status =
        erx_model_file_open(request->directory, &measuring->file, measuring->error);
    if (status == ERX_OK)
        status = erx_parameters_open(&measuring->checkpoint, request->checkpoint, measuring->error);
    if (status == ERX_OK) {
        status = erx_float_model_bind(&measuring->floats, &measuring->checkpoint, measuring->error);
        if (status != ERX_OK)
            status = erx_error_prefix(measuring->error, "%s", request->checkpoint);
    }
    if (status == ERX_OK)
        status = erx_sequences_open(&measuring->sequences, request->data, measuring->error);
    if (status == ERX_OK)
        status = erx_integer_model_open(&measuring->integers, &measuring->file.tensors,
                                        measuring->error);
    return status;
}

static erx_status_t measure(measuring_t *measuring)
{
    const request_t *request = measuring->request;
    erx_status_t status = ERX_OK;
    if (request->plots != NULL)
        status = erx_fidelity_plot_check(measuring->error);
    if (status == ERX_OK)
        status = open_all(measuring);
    if (status == ERX_OK)
        status =
            erx_fidelity_measure(&measuring->fidelity, &measuring->floats, &measuring->integers,
                                 &measuring->sequences, &request->wanted, measuring->error);
    if (status == ERX_OK && request->plots != NULL)
        status = erx_fidelity_plot(&measuring->fidelity, request->plots, measuring->error);
    if (status != ERX_OK)
        return status;
    if (request->json == NULL) {
        erx_fidelity_print(&measuring->fidelity, stdout);
        return ERX_OK;
    }
    json_t *figures = erx_fidelity_json(&measuring->fidelity);
    status = erx_output_json(request->json, figures, measuring->error);
    json_decref(figures);
    return status;
}

int erx_command_fidelity(int argc, char **argv)
{
    request_t request = {.wanted = {.game_frames = UINT32_MAX,
                                    .stage_frames = STAGE_FRAMES,
                                    .rollouts = ROLLOUTS_DEFAULT,
                                    .rollout_frames = ERX_FIDELITY_ROLLOUT_MAX}};
    erx_command_parse(&parser, argc, argv, &request);
    erx_error_t error;
    static measuring_t measuring; /* large */
    measuring.request = &request;
    measuring.error = &error;
    erx_status_t status = measure(&measuring);
    erx_integer_model_close(&measuring.integers);
    erx_sequences_close(&measuring.sequences);
    erx_parameters_close(&measuring.checkpoint);
    erx_model_file_close(&measuring.file);
    return erx_command_end(argv[0], status, &error);
}
