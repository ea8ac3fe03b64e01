/* erx verify: re-executes a journal and compares every hash that it recorded. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/audit.h"
#include "engine/bank/models.h"
#include "sched/clock.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/progress.h"

#define FRAMES_A_SECOND 60.0

typedef struct {
    const char *data;
    const char *archive;
    const char *json;
    erx_key_t program;
    erx_engine_config_t config;
} request_t;

enum { OPTION_DATA = 1, OPTION_ARCHIVE, OPTION_PROGRAM, OPTION_WORKERS, OPTION_ISA, OPTION_JSON };

static const struct argp_option options[] = {
    {"data", OPTION_DATA, "DIR", 0, "Verify a data directory, from its oldest checkpoints on", 0},
    {"archive", OPTION_ARCHIVE, "DIR", 0, "Verify an archive, from the first block on", 0},
    {"program", OPTION_PROGRAM, "ID", 0,
     "World program that owns uploaded models (default: as serve)", 0},
    {"workers", OPTION_WORKERS, "W", 0, "Worker threads (default: one a processor)", 0},
    ERX_OPTION_ROW_ISA(OPTION_ISA, 0),
    ERX_OPTION_ROW_JSON(OPTION_JSON, "the figures", 0),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_DATA:
        request->data = argument;
        return 0;
    case OPTION_ARCHIVE:
        request->archive = argument;
        return 0;
    case OPTION_PROGRAM:
        if (!erx_key_parse(argument, &request->program))
            argp_error(state, "--program: '%s' is not an address", argument);
        return 0;
    case OPTION_WORKERS:
        request->config.worker_count = erx_option_u32(state, "workers", argument, 1, ERX_CPUS_MAX);
        return 0;
    case OPTION_ISA:
        request->config.isa = argument;
        return 0;
    case OPTION_JSON:
        request->json = argument;
        return 0;
    case ARGP_KEY_END:
        if ((request->data == NULL) == (request->archive == NULL))
            argp_error(state, "give either --data DIR or --archive DIR");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void show(void *context, uint64_t done, uint64_t total)
{
    erx_progress_t *progress = context;
    if (total == 0) {
        erx_progress_status(progress, "verify: %" PRIu64 " frames", done);
        return;
    }
    progress->total = total;
    erx_progress_update(progress, done);
}

/* What was verified, and how fast. */
typedef struct {
    erx_audit_t audit;
    uint32_t sessions;
    double seconds;
} verdict_t;

static double times_real(const verdict_t *verdict)
{
    double played = (double)verdict->audit.frames / FRAMES_A_SECOND / verdict->sessions;
    return verdict->seconds > 0 ? played / verdict->seconds : 0;
}

static erx_status_t report(const request_t *request, const verdict_t *verdict, erx_error_t *error)
{
    const erx_audit_t *audit = &verdict->audit;
    if (request->json != NULL) {
        json_t *value = json_pack(
            "{s:I, s:I, s:I, s:I, s:f, s:f}", "first_block", (json_int_t)audit->first_sequence,
            "last_block", (json_int_t)audit->last_sequence, "frames", (json_int_t)audit->frames,
            "damaged_records", (json_int_t)audit->damaged, "seconds", verdict->seconds,
            "times_real_time", times_real(verdict));
        if (value == NULL)
            return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the figures");
        erx_status_t status = erx_output_json(request->json, value, error);
        json_decref(value);
        return status;
    }
    (void)printf("records %" PRIu64 " to %" PRIu64 ": %" PRIu64
                 " frames re-executed in %.2f s, %.1f times real time; every hash agrees\n",
                 audit->first_sequence, audit->last_sequence, audit->frames, verdict->seconds,
                 times_real(verdict));
    if (audit->damaged > 0)
        (void)printf("%" PRIu64 " records are damaged in one of the two copies; the next start "
                     "mends them\n",
                     audit->damaged);
    return ERX_OK;
}

static erx_status_t bind(void *context, uint32_t pool, erx_error_t *error)
{
    return erx_models_bind(context, pool, error);
}

/* Uploaded models are found in the accounts. */
static erx_status_t open_models(const request_t *request, erx_audit_plan_t *plan,
                                erx_models_t **models_out, erx_error_t *error)
{
    const erx_models_config_t config = {
        .engine = plan->engine,
        .accounts = plan->accounts,
        .program = request->program,
        .compute = erx_compute_table_default,
        .upload_models = ERX_MODELS_MAX,
    };
    if (erx_models_open(&config, models_out, error) != ERX_OK)
        return error->status;
    plan->bind = bind;
    plan->bind_context = *models_out;
    return ERX_OK;
}

static erx_status_t re_execute(const request_t *request, erx_engine_t *engine,
                               const erx_data_directory_t *data, verdict_t *verdict,
                               erx_error_t *error)
{
    erx_progress_t progress;
    erx_models_t *models = NULL;
    erx_audit_plan_t plan = {
        .engine = engine, .data = data, .progress = show, .context = &progress};
    erx_status_t status = erx_audit_load(&plan, error);
    if (status == ERX_OK && plan.accounts != NULL)
        status = open_models(request, &plan, &models, error);
    for (uint32_t i = 0; i < data->pool_count; i++)
        verdict->sessions += data->pools[i].kind == ERX_DATA_ACCOUNTS ? 0 : data->pools[i].slots;
    uint64_t begin = erx_clock_now();
    if (status == ERX_OK) {
        erx_progress_start(&progress, "verify", 1);
        status = request->data != NULL ? erx_audit_data(&plan, &verdict->audit, error)
                                       : erx_audit_archive(&plan, &verdict->audit, error);
        erx_progress_finish(&progress);
    }
    verdict->seconds = (double)(erx_clock_now() - begin) / 1e9;
    erx_models_close(models);
    erx_audit_unload(&plan);
    return status;
}

static erx_status_t open_directory(const request_t *request, erx_data_directory_t *data,
                                   erx_error_t *error)
{
    if (request->data != NULL)
        return erx_data_directory_read(data, request->data, ERX_DATA_READ_LOCKED, error);
    return erx_data_directory_read(data, request->archive, ERX_DATA_READ_DESCRIPTION, error);
}

static erx_status_t verify(const request_t *request, erx_error_t *error)
{
    static erx_data_directory_t data; /* large */
    verdict_t verdict = {0};
    erx_engine_t *engine = NULL;
    erx_status_t status = open_directory(request, &data, error);
    if (status != ERX_OK)
        return status;
    status = erx_engine_open(&request->config, &engine, error);
    if (status == ERX_OK)
        status = re_execute(request, engine, &data, &verdict, error);
    if (status == ERX_OK)
        status = report(request, &verdict, error);
    erx_engine_close(engine);
    erx_data_directory_close(&data);
    return status;
}

int erx_command_verify(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Re-executes a journal and compares every recorded frame hash.\v"
        "Exit status 1 where something differs, is damaged or missing; the message names the "
        "first record, block and session.",
        NULL,
        NULL,
        NULL};
    request_t request = {.program = erx_key_world};
    erx_error_t error;
    erx_command_parse(&argp, argc, argv, &request);
    erx_status_t status = verify(&request, &error);
    return erx_command_end(argv[0], status, &error);
}
