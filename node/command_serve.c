/* erx serve: the reference validator. */
#include "node/commands.h"
#include "node/validator.h"

#include <errno.h>
#include <string.h>

#define OVERRIDES_MAX 128u

enum {
    OPTION_BOTS = 256,
    OPTION_DATA_COPY,
    OPTION_ARCHIVE,
    OPTION_SECONDS,
    OPTION_CONFIG,
    OPTION_PRINT
};

/* Settings of the command line win over those of the file, wherever they stand. */
typedef struct {
    const char *names[OVERRIDES_MAX];
    const char *values[OVERRIDES_MAX];
    uint32_t count;
    const char *file;
    bool prints;
} request_t;

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "Directory of the model that sessions play", 1},
    {"data", 'd', "DIR", 0, "Data directory; made where there is none", 1},
    {"data-copy", OPTION_DATA_COPY, "DIR", 0,
     "Keep the journal's second copy there, best on another device", 1},
    {"archive", OPTION_ARCHIVE, "DIR", 0,
     "Keep all records of the journal there, for verification from the first block", 1},
    {"listen", 'l', "HOST:PORT", 0, "Address; the next port takes WebSocket too", 1},
    {"bots", OPTION_BOTS, "N", 0, "Sessions that play themselves", 2},
    {"seconds", OPTION_SECONDS, "S", 0, "Stop after S seconds", 2},
    {"config", OPTION_CONFIG, "FILE", 0, "Settings, one name = value a line", 3},
    {"set", 's', "NAME=VALUE", 0, "One setting, as the file would have it", 3},
    {"print-config", OPTION_PRINT, NULL, 0,
     "Print every setting with its meaning and value, as a file for --config, and end", 3},
    {0},
};

static void add(const struct argp_state *state, const char *name, const char *value)
{
    request_t *request = state->input;
    if (request->count == OVERRIDES_MAX)
        argp_error(state, "more than %u settings; use --config", OVERRIDES_MAX);
    request->names[request->count] = name;
    request->values[request->count++] = value;
}

static void add_pair(const struct argp_state *state, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        argp_error(state, "--set: '%s' is not NAME=VALUE", text);
    *equals = '\0';
    add(state, text, equals + 1);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    request_t *request = state->input;
    switch (key) {
    case 'm':
        add(state, "model", text);
        return 0;
    case 'd':
        add(state, "data", text);
        return 0;
    case OPTION_DATA_COPY:
        add(state, "data_copy", text);
        return 0;
    case OPTION_ARCHIVE:
        add(state, "archive", text);
        return 0;
    case 'l':
        add(state, "listen", text);
        return 0;
    case OPTION_BOTS:
        add(state, "bots", text);
        return 0;
    case OPTION_SECONDS:
        add(state, "seconds", text);
        return 0;
    case OPTION_CONFIG:
        request->file = text;
        return 0;
    case 's':
        add_pair(state, text);
        return 0;
    case OPTION_PRINT:
        request->prints = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not expected", text);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .doc = "Runs the reference validator: JSON-RPC and WebSocket for stock Solana clients, a crank "
           "that plays every session, a web page, metrics.\v"
           "SIGINT and SIGTERM end it in order: sessions are settled and everything is durable. "
           "Started again with the same data directory it goes on.\n\n"
           "  erx serve --model models/world --data play --listen 127.0.0.1:8899 --bots 4",
};

static bool apply(const request_t *request, erx_config_t *config, erx_failure_t *failure)
{
    erx_config_defaults(config);
    if (request->file != NULL && !erx_config_read(config, request->file, failure))
        return false;
    for (uint32_t i = 0; i < request->count; i++)
        if (!erx_config_set(config, request->names[i], request->values[i], failure))
            return false;
    char host[ERX_CONFIG_TEXT_MAX];
    uint16_t port;
    return erx_config_address(config->listen, host, &port, failure) &&
           erx_config_check(config, failure);
}

int erx_command_serve(int argc, char **argv)
{
    request_t request = {0};
    erx_node_parse(&parser, argc, argv, &request);
    erx_failure_t failure;
    erx_config_t config;
    if (!apply(&request, &config, &failure)) {
        (void)erx_node_fail(argv[0], &failure);
        return ERX_NODE_EXIT_USAGE;
    }
    if (request.prints) {
        erx_config_print(&config, stdout);
        return ERX_NODE_EXIT_OK;
    }
    erx_log_set_level(config.log_level);
    return erx_validator_run(&config, &failure) ? ERX_NODE_EXIT_OK
                                                : erx_node_fail(argv[0], &failure);
}
