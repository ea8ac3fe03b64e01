/* erx upload: a model directory onto a validator, by transactions. */
#include "node/commands.h"
#include "node/node_clock.h"
#include "node/uploader.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH   40u
#define INTERVAL_NS (ERX_SECOND_NS / 8)

enum { OPTION_URL = 256, OPTION_KEYPAIR, OPTION_ID, OPTION_PROGRAM };

typedef struct {
    const char *directory;
    const char *url;
    const char *keypair;
    const char *program;
    uint64_t model_id;
    uint64_t drawn_ns;
    bool is_terminal;
} request_t;

static const struct argp_option options[] = {
    {"url", OPTION_URL, "RPC", 0,
     "Address of the validator's JSON-RPC, such as http://127.0.0.1:8899 (required)", 1},
    {"keypair", OPTION_KEYPAIR, "FILE", 0, "Keypair that pays and will own the accounts (required)",
     1},
    {"model-id", OPTION_ID, "N", 0, "Number of the model on the validator (default 2)", 1},
    {"program", OPTION_PROGRAM, "KEY", 0, "Id of the world program (default: as serve)", 1},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case OPTION_URL:
        request->url = text;
        return 0;
    case OPTION_KEYPAIR:
        request->keypair = text;
        return 0;
    case OPTION_PROGRAM:
        request->program = text;
        return 0;
    case OPTION_ID:
        request->model_id = erx_node_number(state, "model-id", text, 0, UINT64_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (request->directory != NULL)
            argp_error(state, "one DIR at a time: '%s' is one too many", text);
        request->directory = text;
        return 0;
    case ARGP_KEY_END:
        if (request->directory == NULL)
            argp_error(state, "DIR is missing: a model directory");
        if (request->url == NULL || request->keypair == NULL)
            argp_error(state, "--%s is missing", request->url == NULL ? "url" : "keypair");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .args_doc = "DIR",
    .doc = "Uploads a model directory to a validator, in chunks, by transactions.\v"
           "Started again after an interruption it goes on where it stopped.\n\n"
           "  erx upload models/world --url http://127.0.0.1:8899 --keypair payer.json",
};

static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    request_t *request = context;
    uint64_t now = erx_node_now();
    if (!request->is_terminal || now < request->drawn_ns + INTERVAL_NS)
        return;
    request->drawn_ns = now;
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(done * BAR_WIDTH / total));
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r\x1b[K%s [%s] %3u%%", what, bar, (unsigned)(done * 100 / total));
}

static bool upload(request_t *request, erx_upload_result_t *result, erx_failure_t *failure)
{
    erx_upload_config_t config = {
        .directory = request->directory,
        .url = request->url,
        .model_id = request->model_id,
        .context = request,
        .on_progress = on_progress,
    };
    if (!erx_keypair_read(request->keypair, &config.authority, failure))
        return false;
    if (erx_base58_to_bytes(request->program, config.program.bytes, sizeof config.program.bytes) !=
        ERX_STATUS_OK)
        return erx_failure_set(failure, "--program: '%.60s' is no key", request->program);
    return erx_upload(&config, result, failure);
}

int erx_command_upload(int argc, char **argv)
{
    request_t request = {
        .program = "WrLd111111111111111111111111111111111111111",
        .model_id = 2,
        .is_terminal = isatty(STDERR_FILENO) == 1,
    };
    erx_node_parse(&parser, argc, argv, &request);
    erx_failure_t failure;
    erx_upload_result_t result;
    bool is_done = upload(&request, &result, &failure);
    if (request.is_terminal)
        (void)fprintf(stderr, "\r\x1b[K");
    if (!is_done)
        return erx_node_fail(argv[0], &failure);
    char key[ERX_BASE58_SIZE] = "";
    (void)erx_base58_from_bytes(result.manifest.bytes, sizeof result.manifest.bytes, key);
    (void)printf("model %llu is at %s: %llu bytes, %llu of them already there, %llu transactions\n",
                 (unsigned long long)request.model_id, key, (unsigned long long)result.bytes,
                 (unsigned long long)result.skipped, (unsigned long long)result.transactions);
    return ERX_NODE_EXIT_OK;
}
