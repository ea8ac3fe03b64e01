#include "node/commands.h"

#include <stdio.h>

#define NAME_BYTES 64u

void erx_node_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "erx %s", argv[0]);
    char *before = argv[0];
    argv[0] = name; /* argp takes the program's name from here */
    argp_err_exit_status = ERX_NODE_EXIT_USAGE;
    (void)argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
    argv[0] = before;
}

int erx_node_fail(const char *name, const erx_failure_t *failure)
{
    (void)fprintf(stderr, "erx %s: %s\n", name, failure->text);
    return ERX_NODE_EXIT_FAILED;
}
