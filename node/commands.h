/* The commands of `erx` that are defined here; tools/command.h has their rules.
 * Each returns the exit status: 0, 1 (failed) or 2 (usage). */
#ifndef ERX_NODE_COMMANDS_H
#define ERX_NODE_COMMANDS_H

#include "node/failure.h"

#include <argp.h>

enum { ERX_NODE_EXIT_OK = 0, ERX_NODE_EXIT_FAILED = 1, ERX_NODE_EXIT_USAGE = 2 };

int erx_command_serve(int argc, char **argv);
int erx_command_top(int argc, char **argv);
int erx_command_upload(int argc, char **argv);

/* Parses arguments; usage and messages name the command "erx NAME". Never
 * returns on --help, --version or a usage error. */
void erx_node_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Reads all of text as a decimal whole number in [least, greatest]; anything else is
 * a usage error that names the option. */
uint64_t erx_node_number(const struct argp_state *state, const char *option, const char *text,
                         uint64_t least, uint64_t greatest);

/* Prints "erx NAME: reason" and returns ERX_NODE_EXIT_FAILED. */
int erx_node_fail(const char *name, const erx_failure_t *failure);

#endif
