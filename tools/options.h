/* Values of options, checked: a command never sees a number it cannot use. */
#ifndef ERX_TOOLS_OPTIONS_H
#define ERX_TOOLS_OPTIONS_H

#include "mem/status.h"

#include <argp.h>

/* Rows of an argp table for options that several commands have, so that they are
 * worded once. */
#define ERX_OPTION_ROW_JSON(key, what, group)                                                      \
    {                                                                                              \
        "json", key, "FILE", 0, "Write " what " as JSON; - is the standard output", group          \
    }
#define ERX_OPTION_ROW_ISA(key, group)                                                             \
    {                                                                                              \
        "isa", key, "NAME", 0,                                                                     \
            "Instruction set: scalar, avx2 or avx512vnni (default: the best here)", group          \
    }
#define ERX_OPTION_ROW_PROFILE(key, group)                                                         \
    {                                                                                              \
        "profile", key, "PROFILE", 0,                                                              \
            "Arithmetic of a Mamba2 world model: i16ssm-1 (default), or i16ssm-2, which follows "  \
            "floats more closely and takes more time",                                             \
            group                                                                                  \
    }
#define ERX_OPTION_ROW_THREADS(key, group)                                                         \
    {                                                                                              \
        "threads", key, "N", 0, "Threads; any number gives the same (default: all processors)",    \
            group                                                                                  \
    }

/* Reads all of text as a whole number in [least, greatest], decimal or, after
 * 0x, hexadecimal. The error says what was given and the range. */
erx_status_t erx_parse_unsigned(const char *text, uint64_t least, uint64_t greatest,
                                uint64_t *value_out, erx_error_t *error);

/* The same for a finite decimal number. */
erx_status_t erx_parse_real(const char *text, double least, double greatest, double *value_out,
                            erx_error_t *error);

/* Reads text as one of the words of a list that ends with NULL; value_out
 * receives its index. The error lists the words. */
erx_status_t erx_parse_choice(const char *text, const char *const words[], uint32_t *value_out,
                              erx_error_t *error);

/* The same inside an argp parser: a wrong value is a usage error that names
 * the option ("--games: ...") and ends the process with exit status 2. */
uint64_t erx_option_unsigned(const struct argp_state *state, const char *option, const char *text,
                             uint64_t least, uint64_t greatest);
uint32_t erx_option_u32(const struct argp_state *state, const char *option, const char *text,
                        uint32_t least, uint32_t greatest);
double erx_option_real(const struct argp_state *state, const char *option, const char *text,
                       double least, double greatest);
uint32_t erx_option_choice(const struct argp_state *state, const char *option, const char *text,
                           const char *const words[]);

/* Takes the one argument of a command that is no option; a second one is a usage
 * error that says what it is ("one PATH at a time: ..."). */
void erx_option_take(const struct argp_state *state, const char *what, const char *text,
                     const char **argument);

/* Usage error unless value was given. */
void erx_option_require(const struct argp_state *state, const char *option, const char *value);

#endif
