/* erx synth: makes a model with random weights. */
#include "tools/command.h"
#include "tools/model_writer.h"
#include "tools/options.h"
#include "tools/presets.h"
#include "tools/synth.h"

#include <inttypes.h>
#include <stdio.h>

enum { OPTION_D_MODEL = 256, OPTION_D_STATE, OPTION_LAYERS, OPTION_HEADDIM, OPTION_PROFILE };

/* Explicit sizes; the rest follows from them. */
typedef struct {
    uint32_t d_model, d_state, layers, head_dim;
} sizes_t;

typedef struct {
    const char *preset; /* NULL: explicit sizes */
    const char *out;
    sizes_t sizes;
    bool sized;
    erx_shape_t shape;
    uint32_t profile; /* erx_profile_t */
    uint64_t seed;
} request_t;

static const struct argp_option options[] = {
    {"preset", 'p', "NAME", 0, "Shape: " ERX_PRESET_WORDS ", or mlp", 1},
    ERX_OPTION_ROW_PROFILE(OPTION_PROFILE, 1),
    {"seed", 's', "N", 0, "Seed; the same gives the same bytes on every machine (default 1)", 1},
    {"out", 'o', "DIR", 0, "Model directory to make, new or empty (required)", 1},
    {0, 0, 0, 0, "In place of a preset:", 2},
    {"d-model", OPTION_D_MODEL, "N", 0, "Width, a multiple of 32 up to 1024", 2},
    {"d-state", OPTION_D_STATE, "N", 0, "States a channel, even, up to 128 (default 16)", 2},
    {"layers", OPTION_LAYERS, "N", 0, "Layers, up to 64 (default 6)", 2},
    {"headdim", OPTION_HEADDIM, "N", 0,
     "Channels a head, a multiple of 16 that divides 2 * d-model (default 64)", 2},
    {0},
};

static void take_preset(request_t *request, const char *text, const struct argp_state *state)
{
    const char *names[ERX_PRESETS + 2] = {NULL};
    erx_preset_names(names);
    names[ERX_PRESETS] = "mlp";
    uint32_t choice = erx_option_choice(state, "preset", text, names);
    request->shape = choice == ERX_PRESETS ? erx_preset_mlp : erx_presets[choice].shape;
    request->preset = text;
}

static void take_sizes(request_t *request, const struct argp_state *state)
{
    const sizes_t *sizes = &request->sizes;
    erx_error_t error;
    request->shape = (erx_shape_t){
        .d_model = sizes->d_model,
        .d_inner = 2 * sizes->d_model,
        .d_state = sizes->d_state,
        .layer_count = sizes->layers,
        .head_count = 2 * sizes->d_model / sizes->head_dim,
        .head_dim = sizes->head_dim,
    };
    if (erx_shape_check(&request->shape, &error) != ERX_OK)
        argp_error(state, "no model has these sizes: %s", error.text);
}

static void check_request(request_t *request, const struct argp_state *state)
{
    erx_option_require(state, "out", request->out);
    if (request->preset != NULL && request->sized)
        argp_error(state, "--preset and explicit sizes exclude each other");
    if (request->preset == NULL && request->sizes.d_model == 0)
        argp_error(state, "say which shape: --preset NAME, or --d-model N and the other sizes");
    if (request->preset == NULL)
        take_sizes(request, state);
    if (request->profile != ERX_PROFILE_1 && erx_shape_is_stack(&request->shape))
        argp_error(state, "--profile: an mlp has no choice of profiles");
    request->shape.profile = (erx_profile_t)request->profile;
}

static uint32_t take_size(request_t *request, const struct argp_state *state, const char *option,
                          const char *text, uint32_t greatest)
{
    request->sized = true;
    return erx_option_u32(state, option, text, 1, greatest);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case 'p':
        take_preset(request, text, state);
        return 0;
    case 's':
        request->seed = erx_option_unsigned(state, "seed", text, 0, UINT64_MAX);
        return 0;
    case 'o':
        request->out = text;
        return 0;
    case OPTION_PROFILE:
        request->profile = erx_option_choice(state, "profile", text, erx_profile_names);
        return 0;
    case OPTION_D_MODEL:
        request->sizes.d_model = take_size(request, state, "d-model", text, ERX_D_MODEL_MAX);
        return 0;
    case OPTION_D_STATE:
        request->sizes.d_state = take_size(request, state, "d-state", text, ERX_D_STATE_MAX);
        return 0;
    case OPTION_LAYERS:
        request->sizes.layers = take_size(request, state, "layers", text, ERX_LAYERS_MAX);
        return 0;
    case OPTION_HEADDIM:
        request->sizes.head_dim = take_size(request, state, "headdim", text, 2 * ERX_D_MODEL_MAX);
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
    .doc = "Makes a model with random weights at a given shape, for tests and benchmarks.\v"
           "Scales are calibrated on scripted players until activations neither die nor "
           "saturate; a table of how they fare is printed and kept in the model's provenance.",
};

static erx_status_t write_model(const request_t *request, const erx_model_draft_t *draft,
                                const erx_health_t *health, erx_error_t *error)
{
    /* JSON integers are signed; a seed may need all 64 bits. */
    char seed[sizeof "18446744073709551615"];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, request->seed);
    json_t *provenance =
        json_pack("{s:s, s:s, s:s}", "made_by", "erx synth: random weights", "preset",
                  request->preset == NULL ? "none" : request->preset, "seed", seed);
    if (provenance != NULL && health != NULL)
        json_object_set_new(provenance, "health", erx_health_json(health));
    if (provenance == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the provenance");
    erx_status_t status = erx_model_write(draft, request->out, provenance, NULL, error);
    json_decref(provenance);
    return status;
}

/* MLPs have no state that could die or saturate: nothing is calibrated. */
static erx_status_t fill_model(const request_t *request, erx_model_draft_t *draft,
                               erx_error_t *error)
{
    erx_health_t health;
    erx_status_t status;
    if (erx_shape_is_stack(&request->shape)) {
        erx_synth_mlp_fill(draft, request->seed);
        status = erx_model_draft_seal(draft, error);
        return status == ERX_OK ? write_model(request, draft, NULL, error) : status;
    }
    status = erx_synth(draft, request->seed, &health, error);
    if (status == ERX_OK)
        status = write_model(request, draft, &health, error);
    if (status == ERX_OK)
        erx_health_print(&health, stdout);
    return status;
}

static erx_status_t make_model(const request_t *request, erx_error_t *error)
{
    erx_status_t status = erx_model_writer_check(request->out, error);
    if (status != ERX_OK)
        return status;
    char name[ERX_MODEL_NAME_MAX + 1];
    (void)snprintf(name, sizeof name, "synth-%s-%" PRIu64,
                   request->preset == NULL ? "custom" : request->preset, request->seed);
    erx_model_draft_t draft;
    status = erx_model_draft_open(&draft, &request->shape, name, error);
    if (status != ERX_OK)
        return status;
    status = fill_model(request, &draft, error);
    erx_model_draft_close(&draft);
    return status;
}

int erx_command_synth(int argc, char **argv)
{
    request_t request = {.sizes = {0, 16, 6, 64}, .seed = 1};
    erx_command_parse(&parser, argc, argv, &request);
    erx_error_t error;
    erx_status_t status = make_model(&request, &error);
    return erx_command_end(argv[0], status, &error);
}
