/* The `erx` command: a table of subcommands, and what they share.
 *
 * A subcommand is `int erx_command_<name>(int argc, char **argv)`; argv[0] is
 * the subcommand's name, and the result is one of the exit statuses below.
 * Adding one takes a declaration here and a line of the table in main.c; its
 * definition may live in any folder that main.c is linked with. */
#ifndef ERX_TOOLS_COMMAND_H
#define ERX_TOOLS_COMMAND_H

#include "mem/status.h"

#include <argp.h>

enum {
    ERX_EXIT_OK = 0,
    ERX_EXIT_FAILED = 1, /* the work could not be done, or a check found something */
    ERX_EXIT_USAGE = 2   /* the command line makes no sense */
};

typedef struct {
    const char *group; /* heading in the list of commands */
    const char *name;
    const char *summary; /* one line, no final period */
    int (*run)(int argc, char **argv);
} erx_command_t;

/* Runs the command that argv[1] names with the arguments after it; answers
 * help, --help, --version and names that do not exist; "help NAME" is "NAME
 * --help". Commands of one group are
 * neighbours in the table. Returns the exit status. */
int erx_command_dispatch(const erx_command_t *commands, size_t count, int argc, char **argv);

/* The command whose name is nearest to an unknown one (few letters differ);
 * NULL when none is near. */
const char *erx_command_suggest(const erx_command_t *commands, size_t count, const char *name);

/* Parses a subcommand's arguments; usage and messages name it "erx NAME".
 * Never returns on --help, --version or a usage error (exit status 2). */
void erx_command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Exit status of a command whose work ended with status. Where it failed, prints
 * "erx NAME: text" to stderr. */
int erx_command_end(const char *name, erx_status_t status, const erx_error_t *error);

int erx_command_bench(int argc, char **argv);
int erx_command_bench_journal(int argc, char **argv); /* bench journal */
int erx_command_cu(int argc, char **argv);
int erx_command_fidelity(int argc, char **argv);
int erx_command_imitate(int argc, char **argv);
int erx_command_inspect(int argc, char **argv);
int erx_command_load(int argc, char **argv);
int erx_command_luts(int argc, char **argv);
int erx_command_quantize(int argc, char **argv);
int erx_command_rollout(int argc, char **argv);
int erx_command_serve(int argc, char **argv);
int erx_command_synth(int argc, char **argv);
int erx_command_top(int argc, char **argv);
int erx_command_trace(int argc, char **argv);
int erx_command_upload(int argc, char **argv);
int erx_command_verify(int argc, char **argv);

#endif
