/* erx inspect: what the directory of a model, a policy, data or an archive holds, or a trace. */
#include "tools/archive_report.h"
#include "tools/command.h"
#include "tools/data_report.h"
#include "tools/model_report.h"
#include "tools/options.h"
#include "tools/policy_writer.h"
#include "tools/trace_report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *path;
    const char *json; /* where to write JSON; NULL: print text */
    erx_model_report_t model;
} request_t;

enum { OPTION_TENSORS = 256, OPTION_SHARDS, OPTION_JSON };

static const struct argp_option options[] = {
    {"tensors", OPTION_TENSORS, NULL, 0, "List the tensors of a model or policy", 0},
    {"shards", OPTION_SHARDS, NULL, 0, "List a model's shards with their hashes", 0},
    ERX_OPTION_ROW_JSON(OPTION_JSON, "everything", 0),
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_TENSORS:
        request->model.tensors = true;
        return 0;
    case OPTION_SHARDS:
        request->model.shards = true;
        return 0;
    case OPTION_JSON:
        request->json = text;
        return 0;
    case ARGP_KEY_ARG:
        erx_option_take(state, "PATH", text, &request->path);
        return 0;
    case ARGP_KEY_END:
        if (request->path == NULL)
            argp_error(state, "PATH is missing: a directory of a model, a policy, data or an "
                              "archive, or a trace");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "PATH",
    .doc = "Shows what PATH holds: the directory of a model or a policy (checked in full, as for "
           "running), a data directory, an archive or a trace.",
};

static erx_status_t inspect_model(const request_t *request, erx_error_t *error)
{
    erx_model_file_t file;
    erx_status_t status = erx_model_file_open(request->path, &file, error);
    if (status != ERX_OK)
        return status;
    if (request->json != NULL)
        status = erx_model_report_json(&file, request->json, error);
    else
        erx_model_report_print(&file, &request->model);
    erx_model_file_close(&file);
    return status;
}

static erx_status_t inspect_policy(const request_t *request, erx_error_t *error)
{
    erx_policy_file_t file;
    erx_status_t status = erx_policy_file_open(request->path, &file, error);
    if (status != ERX_OK)
        return status;
    if (request->json != NULL)
        status = erx_policy_report_json(&file, request->json, error);
    else
        erx_policy_report_print(&file, request->model.tensors);
    erx_policy_file_close(&file);
    return status;
}

/* Whether a regular file begins with a trace's magic. */
static bool begins_as_trace(const char *path)
{
    char magic[ERX_TRACE_MAGIC_BYTES];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return false;
    ssize_t count = read(file, magic, sizeof magic);
    (void)close(file);
    return count == (ssize_t)sizeof magic && memcmp(magic, ERX_TRACE_MAGIC, sizeof magic) == 0;
}

static erx_status_t inspect(const request_t *request, erx_error_t *error)
{
    struct stat facts;
    if (stat(request->path, &facts) != 0)
        return erx_error_set(error, ERX_ERR_NOT_FOUND, "cannot open %s: %s", request->path,
                             strerror(errno));
    if (S_ISDIR(facts.st_mode) && erx_archive_report_applies(request->path))
        return erx_archive_report(request->path, request->json, error);
    if (S_ISDIR(facts.st_mode) && erx_data_report_applies(request->path))
        return erx_data_report(request->path, request->json, error);
    if (S_ISDIR(facts.st_mode) && erx_policy_file_applies(request->path))
        return inspect_policy(request, error);
    if (S_ISDIR(facts.st_mode))
        return inspect_model(request, error);
    if (S_ISREG(facts.st_mode) && begins_as_trace(request->path))
        return erx_trace_report(request->path, request->json, error);
    return erx_error_set(error, ERX_ERR_FORMAT,
                         "%s is neither a directory nor a trace (" ERX_TRACE_MAGIC ")",
                         request->path);
}

int erx_command_inspect(int argc, char **argv)
{
    request_t request = {0};
    erx_command_parse(&parser, argc, argv, &request);
    erx_error_t error;
    erx_status_t status = inspect(&request, &error);
    return erx_command_end(argv[0], status, &error);
}
