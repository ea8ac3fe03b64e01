#include "node/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

uint64_t erx_node_number(const struct argp_state *state, const char *option, const char *text,
                         uint64_t least, uint64_t greatest)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || number < least ||
        number > greatest)
        argp_error(state, "--%s: '%s' is no whole number from %" PRIu64 " to %" PRIu64, option,
                   text, least, greatest);
    return number;
}

int erx_node_fail(const char *name, const erx_failure_t *failure)
{
    (void)fprintf(stderr, "erx %s: %s\n", name, failure->text);
    return ERX_NODE_EXIT_FAILED;
}
