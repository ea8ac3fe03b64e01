#include "node/metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 160u

/* The number behind "prefix" at the beginning of a line; false where there is
 * no such line. */
static bool find_value(const char *text, size_t length, const char *prefix, double *value_out)
{
    size_t prefix_length = strlen(prefix);
    const char *end = text + length;
    for (const char *line = text; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL)
            return false; /* every line of the format ends with one */
        if ((size_t)(next - line) > prefix_length && memcmp(line, prefix, prefix_length) == 0) {
            char number[64];
            size_t digits = ERX_LESSER((size_t)(next - line) - prefix_length, sizeof number - 1);
            memcpy(number, line + prefix_length, digits);
            number[digits] = '\0';
            *value_out = strtod(number, NULL);
            return true;
        }
        line = next + 1;
    }
    return false;
}

double erx_metrics_text_value(const char *text, size_t length, const char *name)
{
    char prefix[NAME_BYTES];
    double value = 0;
    (void)snprintf(prefix, sizeof prefix, "%s ", name);
    (void)find_value(text, length, prefix, &value);
    return value;
}

/* Observations of a bucket, bound as the text has it. */
static double bucket(const char *text, size_t length, const char *name, const char *bound)
{
    char prefix[NAME_BYTES];
    double value = 0;
    (void)snprintf(prefix, sizeof prefix, "%s_bucket{le=\"%s\"} ", name, bound);
    (void)find_value(text, length, prefix, &value);
    return value;
}

double erx_metrics_text_quantile(const char *text, size_t length, const char *before,
                                 size_t before_length, const char *name, double share)
{
    char prefix[NAME_BYTES];
    int prefix_length = snprintf(prefix, sizeof prefix, "%s_bucket{le=\"", name);
    double total = bucket(text, length, name, "+Inf") - bucket(before, before_length, name, "+Inf");
    double last = 0;
    const char *end = text + length;
    if (total <= 0)
        return 0;
    for (const char *line = text; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL)
            return last;
        if (next - line > prefix_length && memcmp(line, prefix, (size_t)prefix_length) == 0) {
            char bound[32] = "";
            (void)sscanf(line + prefix_length, "%31[^\"]", bound);
            double count =
                bucket(text, length, name, bound) - bucket(before, before_length, name, bound);
            if (strcmp(bound, "+Inf") == 0)
                return last;
            last = strtod(bound, NULL);
            if (count >= total * share)
                return last;
        }
        line = next + 1;
    }
    return last;
}
