/* erx luts: writes the activation tables of bytecode programs. */
#include "tools/activation_tables.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0,
     "Directory to write " ERX_LUTS_FILE " and " ERX_LUTS_JSON_FILE
     " to, made where there is none (required)",
     0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    const char **out = state->input;
    switch (key) {
    case 'o':
        *out = text;
        return 0;
    case ARGP_KEY_END:
        erx_option_require(state, "out", *out);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = parse,
    .doc = "Writes the activation tables that bytecode programs use (int8_luts_v1).",
};

static erx_status_t write_tables(const char *directory, erx_error_t *error)
{
    char path[PATH_MAX];
    if (strlen(directory) + sizeof "/" ERX_LUTS_JSON_FILE > sizeof path)
        return erx_error_set(error, ERX_ERR_RANGE, "--out: the path is too long");
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return erx_error_set(error, ERX_ERR_IO, "cannot make directory %s: %s", directory,
                             strerror(errno));
    uint8_t bytes[ERX_ACTIVATION_BYTES];
    erx_activation_tables_fill(bytes);
    (void)snprintf(path, sizeof path, "%s/" ERX_LUTS_FILE, directory);
    erx_status_t status = erx_output_write(path, bytes, sizeof bytes, error);
    if (status != ERX_OK)
        return status;
    (void)snprintf(path, sizeof path, "%s/" ERX_LUTS_JSON_FILE, directory);
    return erx_activation_tables_describe(path, error);
}

int erx_command_luts(int argc, char **argv)
{
    const char *out = NULL;
    erx_command_parse(&parser, argc, argv, &out);
    erx_error_t error;
    erx_status_t status = write_tables(out, &error);
    return erx_command_end(argv[0], status, &error);
}
