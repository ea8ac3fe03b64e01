#include "tools/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH      32u /* of a command; longer words are like none */
#define SUGGEST_DISTANCE_MAX 3u

static void commands_print(FILE *stream, const erx_command_t *commands, size_t count)
{
    fputs("Usage: erx COMMAND [OPTION...]\n"
          "Runs a learned game world for many sessions at once, in integers only.\n",
          stream);
    const char *group = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(group, commands[i].group) != 0)
            fprintf(stream, "\n%s\n", commands[i].group);
        group = commands[i].group;
        fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n'erx COMMAND --help' tells the options of a command, 'erx --version' the version.\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
          stream);
}

/* Number of single-letter edits between two words (Levenshtein). */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LENGTH + 1];
    size_t width = strlen(b);
    if (width > NAME_MAX_LENGTH)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            size_t inserted = ERX_MIN(row[j], row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = ERX_MIN(replaced, inserted);
        }
    }
    return row[width];
}

const char *erx_command_suggest(const erx_command_t *commands, size_t count, const char *name)
{
    const char *nearest = NULL;
    size_t least = SUGGEST_DISTANCE_MAX + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(name, commands[i].name);
        /* A word of which nothing is left is not near. */
        if (distance < least && distance < strlen(commands[i].name)) {
            least = distance;
            nearest = commands[i].name;
        }
    }
    return nearest;
}

static int unknown_command(const erx_command_t *commands, size_t count, const char *name)
{
    const char *nearest = erx_command_suggest(commands, count, name);
    fprintf(stderr, "erx: there is no command '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean 'erx %s'?", nearest);
    fputs("\n'erx --help' lists the commands.\n", stderr);
    return ERX_EXIT_USAGE;
}

/* What was printed must have arrived: a full disk is a failure. */
static int finish_output(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fputs("erx: cannot write to the standard output\n", stderr);
    return status == ERX_EXIT_OK ? ERX_EXIT_FAILED : status;
}

/* Runs the command that argv[0] names. */
static int run(const erx_command_t *commands, size_t count, int argc, char **argv)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return finish_output(commands[i].run(argc, argv));
    return unknown_command(commands, count, argv[0]);
}

int erx_command_dispatch(const erx_command_t *commands, size_t count, int argc, char **argv)
{
    argp_err_exit_status = ERX_EXIT_USAGE;
    if (argc < 2) {
        commands_print(stderr, commands, count);
        return ERX_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 && argc > 2) {
        char help[] = "--help";
        char *asked[] = {argv[2], help, NULL};
        return run(commands, count, 2, asked);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-?") == 0 || strcmp(name, "help") == 0) {
        commands_print(stdout, commands, count);
        return finish_output(ERX_EXIT_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("%s\n", argp_program_version);
        return finish_output(ERX_EXIT_OK);
    }
    return run(commands, count, argc - 1, argv + 1);
}

void erx_command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    char shown[sizeof "erx " + NAME_MAX_LENGTH];
    char *name = argv[0];
    (void)snprintf(shown, sizeof shown, "erx %s", name);
    argv[0] = shown;
    error_t failure = argp_parse(argp, argc, argv, 0, NULL, input);
    argv[0] = name;
    if (failure != 0) {
        fprintf(stderr, "%s: %s\n", shown, strerror(failure));
        exit(ERX_EXIT_FAILED);
    }
}

int erx_command_end(const char *name, erx_status_t status, const erx_error_t *error)
{
    if (status == ERX_OK)
        return ERX_EXIT_OK;
    fprintf(stderr, "erx %s: %s\n", name, error->text);
    return ERX_EXIT_FAILED;
}
