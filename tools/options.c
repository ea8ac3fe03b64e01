#include "tools/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

erx_status_t erx_parse_unsigned(const char *text, uint64_t least, uint64_t greatest,
                                uint64_t *value_out, erx_error_t *error)
{
    char *end = NULL;
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    uint64_t value = strtoull(text, &end, hexadecimal ? 16 : 10);
    /* strtoull would also take a sign or leading blanks. */
    bool whole = isdigit((unsigned char)text[0]) && *end == '\0';
    if (!whole || errno == ERANGE || value < least || value > greatest)
        return erx_error_set(error, ERX_ERR_RANGE,
                             "'%s' is not a whole number from %" PRIu64 " to %" PRIu64, text, least,
                             greatest);
    *value_out = value;
    return ERX_OK;
}

erx_status_t erx_parse_real(const char *text, double least, double greatest, double *value_out,
                            erx_error_t *error)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool number = end != text && *end == '\0' && isfinite(value) &&
                  strspn(text, "0123456789+-.eE") == strlen(text);
    if (!number || value < least || value > greatest)
        return erx_error_set(error, ERX_ERR_RANGE, "'%s' is not a number from %g to %g", text,
                             least, greatest);
    *value_out = value;
    return ERX_OK;
}

erx_status_t erx_parse_choice(const char *text, const char *const words[], uint32_t *value_out,
                              erx_error_t *error)
{
    char list[ERX_ERROR_TEXT_MAX / 2] = "";
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value_out = i;
            return ERX_OK;
        }
        size_t length = strlen(list);
        (void)snprintf(list + length, sizeof list - length, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    return erx_error_set(error, ERX_ERR_ARGUMENT, "'%s' is none of %s", text, list);
}

static void check(const struct argp_state *state, const char *option, erx_status_t status,
                  const erx_error_t *error)
{
    if (status != ERX_OK)
        argp_error(state, "--%s: %s", option, error->text);
}

uint64_t erx_option_unsigned(const struct argp_state *state, const char *option, const char *text,
                             uint64_t least, uint64_t greatest)
{
    erx_error_t error;
    uint64_t value = least;
    check(state, option, erx_parse_unsigned(text, least, greatest, &value, &error), &error);
    return value;
}

uint32_t erx_option_u32(const struct argp_state *state, const char *option, const char *text,
                        uint32_t least, uint32_t greatest)
{
    return (uint32_t)erx_option_unsigned(state, option, text, least, greatest);
}

double erx_option_real(const struct argp_state *state, const char *option, const char *text,
                       double least, double greatest)
{
    erx_error_t error;
    double value = least;
    check(state, option, erx_parse_real(text, least, greatest, &value, &error), &error);
    return value;
}

uint32_t erx_option_choice(const struct argp_state *state, const char *option, const char *text,
                           const char *const words[])
{
    erx_error_t error;
    uint32_t value = 0;
    check(state, option, erx_parse_choice(text, words, &value, &error), &error);
    return value;
}

void erx_option_take(const struct argp_state *state, const char *what, const char *text,
                     const char **argument)
{
    if (*argument != NULL)
        argp_error(state, "one %s at a time: '%s' is one too many", what, text);
    *argument = text;
}

void erx_option_require(const struct argp_state *state, const char *option, const char *value)
{
    if (value == NULL)
        argp_error(state, "--%s is missing", option);
}
