/* erx quantize: a model directory from a trained checkpoint. */
#include "tools/command.h"
#include "tools/fidelity.h"
#include "tools/mlp_quantizer.h"
#include "tools/model_writer.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/policy_make.h"
#include "tools/published.h"
#include "tools/quantizer.h"

#include <string.h>

/* What the manifest's fidelity is measured on: enough for two digits, and
 * quick. */
#define SUMMARY_GAME_FRAMES    2400u
#define SUMMARY_STAGE_FRAMES   300u
#define SUMMARY_ROLLOUTS       64u
#define SUMMARY_ROLLOUT_FRAMES 600u

enum { FORMAT_ERX, FORMAT_PUBLISHED };
static const char *const formats[] = {"erx", "published", NULL};

typedef struct {
    const char *checkpoint;
    const char *from;
    const char *calibration;
    const char *out;
    const char *name;
    const char *report;
    uint32_t format;
    uint32_t profile; /* erx_profile_t */
    uint32_t threads;
} request_t;

enum {
    OPTION_CALIB = 256,
    OPTION_NAME,
    OPTION_REPORT,
    OPTION_FORMAT,
    OPTION_PROFILE,
    OPTION_FROM,
    OPTION_THREADS
};

static const struct argp_option options[] = {
    {"calib", OPTION_CALIB, "FILE", 0,
     "Real game sequences to calibrate with (required by the format erx)", 0},
    {"out", 'o', "DIR", 0, "Directory to make, new or empty (required)", 0},
    {"name", OPTION_NAME, "NAME", 0, "Name of the model (default: that of the checkpoint)", 0},
    {"report", OPTION_REPORT, "FILE", 0,
     "Write the error of every weight as JSON; - is the standard output", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0,
     "erx (runs in the engine, the default) or published (mamba2_int8_v1 or policy_int8_v1, "
     "weights alone)",
     0},
    ERX_OPTION_ROW_PROFILE(OPTION_PROFILE, 0),
    {"from", OPTION_FROM, "DIR", 0, "Take a published directory in place of a checkpoint", 0},
    ERX_OPTION_ROW_THREADS(OPTION_THREADS, 0),
    {0},
};

static void check_request(const struct argp_state *state, const request_t *request)
{
    if ((request->checkpoint == NULL) == (request->from == NULL))
        argp_error(state, "give a CHECKPOINT, or a published directory with --from");
    erx_option_require(state, "out", request->out);
    if (request->format == FORMAT_ERX)
        erx_option_require(state, "calib", request->calibration);
    if (request->name != NULL &&
        (*request->name == '\0' || strlen(request->name) > ERX_MODEL_NAME_MAX))
        argp_error(state, "--name: must have 1 to %u bytes", ERX_MODEL_NAME_MAX);
    if (request->format == FORMAT_PUBLISHED &&
        (request->name != NULL || request->report != NULL || request->profile != ERX_PROFILE_1))
        argp_error(state,
                   "--name, --report and --profile do not apply to --format published, whose "
                   "manifest holds the error of every weight");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_CALIB:
        request->calibration = text;
        return 0;
    case 'o':
        request->out = text;
        return 0;
    case OPTION_NAME:
        request->name = text;
        return 0;
    case OPTION_REPORT:
        request->report = text;
        return 0;
    case OPTION_FORMAT:
        request->format = erx_option_choice(state, "format", text, formats);
        return 0;
    case OPTION_FROM:
        request->from = text;
        return 0;
    case OPTION_PROFILE:
        request->profile = erx_option_choice(state, "profile", text, erx_profile_names);
        return 0;
    case OPTION_THREADS:
        request->threads = erx_option_u32(state, "threads", text, 1, ERX_PARALLEL_THREADS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        erx_option_take(state, "CHECKPOINT", text, &request->checkpoint);
        return 0;
    case ARGP_KEY_END:
        check_request(state, request);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "CHECKPOINT",
    .doc = "Makes a directory that the engine runs from a trained checkpoint (.safetensors, or "
           "PyTorch .pt): a world model, or a policy that plays. Tells how well the integers match "
           "the floats, on the "
           "test games of the calibration set.",
};

/* What is open while a model is being made. */
typedef struct {
    const request_t *request;
    erx_parameters_t checkpoint;
    erx_float_model_t floats;
    erx_sequences_t sequences;
    erx_calibration_t calibration;
    erx_quantizer_report_t report;
    erx_model_draft_t draft;
    erx_fidelity_t fidelity;
    erx_error_t *error;
} making_t;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

static const char *source_of(const request_t *request)
{
    return request->from != NULL ? request->from : request->checkpoint;
}

/* The given name, or the checkpoint's without its ending. */
static void model_name(const request_t *request, char name_out[ERX_MODEL_NAME_MAX + 1])
{
    const char *base = request->name != NULL ? request->name : base_name(source_of(request));
    const char *dot = request->name == NULL ? strrchr(base, '.') : NULL;
    size_t length = dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);
    length = ERX_MIN(length, (size_t)ERX_MODEL_NAME_MAX);
    memcpy(name_out, base, length);
    name_out[length] = '\0';
}

static bool is_policy(const making_t *making)
{
    return erx_parameters_kind(&making->checkpoint) == ERX_PARAMETERS_POLICY;
}

static erx_status_t open_source(making_t *making)
{
    const request_t *request = making->request;
    erx_status_t status =
        request->from != NULL
            ? erx_published_read(&making->checkpoint, request->from, making->error)
            : erx_parameters_open(&making->checkpoint, request->checkpoint, making->error);
    if (status != ERX_OK || is_policy(making))
        return status;
    status = erx_float_model_bind(&making->floats, &making->checkpoint, making->error);
    return status == ERX_OK ? ERX_OK : erx_error_prefix(making->error, "%s", source_of(request));
}

static bool is_mlp(const making_t *making)
{
    return erx_shape_is_stack(&making->floats.shape);
}

/* Other networks have a profile of their own. */
static erx_status_t choose_profile(making_t *making)
{
    const request_t *request = making->request;
    if (request->profile != ERX_PROFILE_1 && (is_policy(making) || is_mlp(making)))
        return erx_error_set(making->error, ERX_ERR_ARGUMENT,
                             "--profile: %s is not a Mamba2 world model, which alone has a choice "
                             "of profiles",
                             source_of(request));
    making->floats.shape.profile = (erx_profile_t)request->profile;
    return ERX_OK;
}

static erx_status_t quantize_mamba2(making_t *making)
{
    const uint32_t threads = making->request->threads;
    erx_status_t status = erx_calibration_run(&making->calibration, &making->floats,
                                              &making->sequences, threads, making->error);
    if (status == ERX_OK)
        status = erx_quantizer_run(&making->floats, &making->calibration, threads, &making->report,
                                   &making->draft, making->error);
    return status;
}

static erx_status_t quantize(making_t *making)
{
    const request_t *request = making->request;
    char name[ERX_MODEL_NAME_MAX + 1];
    model_name(request, name);
    erx_status_t status =
        erx_sequences_open(&making->sequences, request->calibration, making->error);
    if (status == ERX_OK)
        status = erx_quantizer_report_open(&making->report, &making->checkpoint, making->error);
    if (status == ERX_OK)
        status = erx_model_draft_open(&making->draft, &making->floats.shape, name, making->error);
    if (status == ERX_OK)
        status = is_mlp(making) ? erx_mlp_quantize(&making->floats, &making->sequences,
                                                   &making->report, &making->draft, making->error)
                                : quantize_mamba2(making);
    else
        return status;
    if (status == ERX_OK)
        return ERX_OK;
    return erx_error_prefix(making->error, "%s calibrated with %s", source_of(request),
                            request->calibration);
}

static erx_status_t measure(making_t *making)
{
    const erx_fidelity_options_t wanted = {making->request->threads, SUMMARY_GAME_FRAMES,
                                           SUMMARY_STAGE_FRAMES, SUMMARY_ROLLOUTS,
                                           SUMMARY_ROLLOUT_FRAMES};
    erx_integer_model_t integers;
    erx_status_t status = erx_integer_model_open(&integers, &making->draft.tensors, making->error);
    if (status != ERX_OK)
        return status;
    status = erx_fidelity_measure(&making->fidelity, &making->floats, &integers, &making->sequences,
                                  &wanted, making->error);
    erx_integer_model_close(&integers);
    return status;
}

static json_t *provenance_json(const making_t *making)
{
    char hash[ERX_SHA256_TEXT_MAX];
    const char *data = base_name(making->request->calibration);
    erx_sha256_text(making->checkpoint.sha256, hash);
    json_t *calibration =
        is_mlp(making) ? json_pack("{s:s, s:i}", "data", data, "moments", (int)ERX_MLP_MOMENTS)
                       : json_pack("{s:s, s:i, s:i}", "data", data, "sequences",
                                   (int)making->calibration.sequence_count, "frames",
                                   (int)making->calibration.frame_count);
    json_t *provenance = json_pack(
        "{s:s, s:s, s:o}", making->request->from != NULL ? "published" : "checkpoint",
        base_name(source_of(making->request)), "sha256", hash, "calibration", calibration);
    if (making->checkpoint.context_len > 0)
        json_object_set_new(provenance, "context_len",
                            json_integer(making->checkpoint.context_len));
    return provenance;
}

static erx_status_t write_results(making_t *making)
{
    const request_t *request = making->request;
    json_t *provenance = provenance_json(making);
    json_t *fidelity = erx_fidelity_summary_json(&making->fidelity);
    erx_status_t status =
        erx_model_write(&making->draft, request->out, provenance, fidelity, making->error);
    json_decref(provenance);
    json_decref(fidelity);
    if (status != ERX_OK || request->report == NULL)
        return status;
    json_t *report = erx_quantizer_report_json(&making->report);
    status = erx_output_json(request->report, report, making->error);
    json_decref(report);
    return status;
}

static void print_results(const making_t *making)
{
    const erx_calibration_t *calibration = &making->calibration;
    if (!is_mlp(making) && calibration->frame_count < ERX_CALIBRATION_FRAMES_MIN)
        fprintf(stderr,
                "erx quantize: warning: calibrated on sequences of %u frames; below %u the "
                "state's range is not seen in full\n",
                calibration->frame_count, ERX_CALIBRATION_FRAMES_MIN);
    printf("model       %s in %s\n", making->draft.manifest.name, making->request->out);
    if (is_mlp(making))
        printf("calibrated  on at most %u moments\n", ERX_MLP_MOMENTS);
    else
        printf("calibrated  on %u sequences of %u frames\n", calibration->sequence_count,
               calibration->frame_count);
    erx_quantizer_report_print(&making->report, stdout);
    putchar('\n');
    erx_fidelity_print(&making->fidelity, stdout);
}

/* Weights alone, as the published pipeline gives them. */
static erx_status_t publish(making_t *making)
{
    const char *out = making->request->out;
    if (is_policy(making))
        return erx_policy_publish(&making->checkpoint, out, making->error);
    json_t *architecture = erx_published_architecture(&making->floats.shape);
    erx_status_t status =
        erx_published_write(&making->checkpoint, architecture, out, making->error);
    json_decref(architecture);
    return status;
}

static erx_status_t make_policy(making_t *making)
{
    const request_t *request = making->request;
    char name[ERX_MODEL_NAME_MAX + 1];
    model_name(request, name);
    const erx_policy_make_t wanted = {.source = base_name(source_of(request)),
                                      .calibration = request->calibration,
                                      .out = request->out,
                                      .name = name,
                                      .report = request->report};
    return erx_policy_make(&wanted, &making->checkpoint, making->error);
}

static erx_status_t make(making_t *making)
{
    const request_t *request = making->request;
    erx_status_t status = erx_model_writer_check(request->out, making->error);
    if (status == ERX_OK)
        status = erx_output_check(request->report, making->error);
    if (status == ERX_OK)
        status = open_source(making);
    if (status == ERX_OK)
        status = choose_profile(making);
    if (status == ERX_OK && request->format == FORMAT_PUBLISHED)
        return publish(making);
    if (status == ERX_OK && is_policy(making))
        return make_policy(making);
    if (status == ERX_OK)
        status = quantize(making);
    if (status == ERX_OK)
        status = measure(making);
    if (status == ERX_OK)
        status = write_results(making);
    if (status == ERX_OK)
        print_results(making);
    return status;
}

int erx_command_quantize(int argc, char **argv)
{
    request_t request = {0};
    erx_command_parse(&parser, argc, argv, &request);
    erx_error_t error;
    static making_t making; /* large */
    making.request = &request;
    making.error = &error;
    erx_status_t status = make(&making);
    erx_model_draft_close(&making.draft);
    erx_quantizer_report_close(&making.report);
    erx_calibration_close(&making.calibration);
    erx_sequences_close(&making.sequences);
    erx_parameters_close(&making.checkpoint);
    return erx_command_end(argv[0], status, &error);
}
