/* Values of options, checked: a command never sees a number it cannot use. */
#ifndef ERX_TOOLS_OPTIONS_H
#define ERX_TOOLS_OPTIONS_H

#include "mem/status.h"

#include <argp.h>

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
double erx_option_real(const struct argp_state *state, const char *option, const char *text,
                       double least, double greatest);
uint32_t erx_option_choice(const struct argp_state *state, const char *option, const char *text,
                           const char *const words[]);

/* Usage error unless value was given. */
void erx_option_require(const struct argp_state *state, const char *option, const char *value);

#endif
