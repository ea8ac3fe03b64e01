#include "node/config_table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 1024u
#define PORT_MAX       65534u

static bool read_number(const char *text, uint64_t *number_out)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    *number_out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool set_number(const erx_setting_t *setting, const char *value, void *place,
                       erx_failure_t *failure)
{
    uint64_t number;
    if (!read_number(value, &number) || number < setting->least || number > setting->greatest)
        return erx_failure_set(failure, "%s: '%s' is no whole number from %" PRIu64 " to %" PRIu64,
                               setting->name, value, setting->least, setting->greatest);
    if (setting->kind == ERX_SETTING_UNSIGNED32)
        *(uint32_t *)place = (uint32_t)number;
    else
        *(uint64_t *)place = number;
    return true;
}

static bool set_rate(const erx_setting_t *setting, const char *value, erx_rate_t *place,
                     erx_failure_t *failure)
{
    char numerator_text[LINE_BYTES_MAX];
    (void)snprintf(numerator_text, sizeof numerator_text, "%s", value);
    char *slash = strchr(numerator_text, '/');
    uint64_t numerator, denominator = 1;
    if (slash != NULL)
        *slash = '\0';
    bool is_rate = read_number(numerator_text, &numerator) &&
                   (slash == NULL || read_number(slash + 1, &denominator));
    if (!is_rate || numerator > UINT32_MAX || denominator > UINT32_MAX || denominator == 0 ||
        numerator < setting->least * denominator || numerator > setting->greatest * denominator)
        return erx_failure_set(failure,
                               "%s: '%s' is no number or fraction from %" PRIu64 " to %" PRIu64,
                               setting->name, value, setting->least, setting->greatest);
    *place = (erx_rate_t){(uint32_t)numerator, (uint32_t)denominator};
    return true;
}

static bool set_text(const erx_setting_t *setting, const char *value, char *place,
                     erx_failure_t *failure)
{
    size_t length = strlen(value);
    if (length >= ERX_CONFIG_TEXT_MAX)
        return erx_failure_set(failure, "%s: %zu characters, at most %u", setting->name, length,
                               ERX_CONFIG_TEXT_MAX - 1);
    memcpy(place, value, length + 1);
    return true;
}

static bool set_value(const erx_setting_t *setting, erx_config_t *config, const char *value,
                      erx_failure_t *failure)
{
    void *place = (char *)config + setting->offset;
    switch (setting->kind) {
    case ERX_SETTING_UNSIGNED32:
    case ERX_SETTING_UNSIGNED64:
        return set_number(setting, value, place, failure);
    case ERX_SETTING_TEXT:
        return set_text(setting, value, place, failure);
    case ERX_SETTING_RATE:
        return set_rate(setting, value, place, failure);
    case ERX_SETTING_LEVEL:
        if (erx_log_level_parse(value, place))
            return true;
        return erx_failure_set(failure, "%s: '%s' is none of error, warning, info, debug",
                               setting->name, value);
    case ERX_SETTING_SWITCH:
        *(bool *)place = strcmp(value, "yes") == 0;
        if (*(bool *)place || strcmp(value, "no") == 0)
            return true;
        return erx_failure_set(failure, "%s: '%s' is neither yes nor no", setting->name, value);
    }
    return erx_failure_set(failure, "%s: a kind of setting that nothing reads", setting->name);
}

static const erx_setting_t *find_setting(const char *name)
{
    for (size_t i = 0; i < erx_setting_count; i++)
        if (strcmp(erx_settings[i].name, name) == 0)
            return &erx_settings[i];
    return NULL;
}

void erx_config_defaults(erx_config_t *config_out)
{
    *config_out = (erx_config_t){0};
    erx_failure_t failure;
    for (size_t i = 0; i < erx_setting_count; i++)
        if (!set_value(&erx_settings[i], config_out, erx_settings[i].initial, &failure))
            abort(); /* the table contradicts itself; a test reads it all */
}

bool erx_config_set(erx_config_t *config, const char *name, const char *value,
                    erx_failure_t *failure)
{
    const erx_setting_t *setting = find_setting(name);
    if (setting == NULL)
        return erx_failure_set(failure,
                               "'%s' is no setting; erx serve --print-config lists them all", name);
    return set_value(setting, config, value, failure);
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* One line of a file; seen has a flag for each setting. */
static bool read_line(erx_config_t *config, char *line, bool *seen, erx_failure_t *failure)
{
    char *name = trim(line);
    if (*name == '\0' || *name == '#')
        return true;
    char *equals = strchr(name, '=');
    if (equals == NULL)
        return erx_failure_set(failure, "'%.80s' is not of the form name = value", name);
    *equals = '\0';
    name = trim(name);
    const erx_setting_t *setting = find_setting(name);
    if (setting != NULL && seen[setting - erx_settings])
        return erx_failure_set(failure, "%s is set a second time", name);
    if (setting != NULL)
        seen[setting - erx_settings] = true;
    return erx_config_set(config, name, trim(equals + 1), failure);
}

static bool read_lines(erx_config_t *config, FILE *file, const char *path, bool *seen,
                       erx_failure_t *failure)
{
    char line[LINE_BYTES_MAX];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        erx_failure_t reason;
        size_t length = strlen(line);
        if (length == sizeof line - 1 && line[length - 1] != '\n')
            return erx_failure_set(failure, "%s:%u: a line of more than %zu characters", path,
                                   number, sizeof line - 2);
        if (!read_line(config, line, seen, &reason))
            return erx_failure_set(failure, "%s:%u: %.400s", path, number, reason.text);
    }
    if (ferror(file))
        return erx_failure_set(failure, "%s: %s", path, strerror(errno));
    return true;
}

bool erx_config_read(erx_config_t *config, const char *path, erx_failure_t *failure)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return erx_failure_set(failure, "%s: %s", path, strerror(errno));
    bool *seen = calloc(erx_setting_count, sizeof *seen);
    bool is_read = seen != NULL ? read_lines(config, file, path, seen, failure)
                                : erx_failure_set(failure, "%s: no memory to read it", path);
    free(seen);
    (void)fclose(file);
    return is_read;
}

bool erx_config_check(const erx_config_t *config, erx_failure_t *failure)
{
    const erx_rate_t *rate = &config->tick_rate;
    if (UINT64_C(1000) * rate->denominator >=
        (uint64_t)config->task_interval_min_ms * rate->numerator)
        return true;
    return erx_failure_set(failure,
                           "tick_rate: %u/%u a second is more than a tick in %u ms "
                           "(task_interval_min_ms): lower one of the two",
                           rate->numerator, rate->denominator, config->task_interval_min_ms);
}

static void print_value(const erx_config_t *config, const erx_setting_t *setting, FILE *stream)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    const void *place = (const char *)config + setting->offset;
    const erx_rate_t *rate = place;
    switch (setting->kind) {
    case ERX_SETTING_UNSIGNED32:
        (void)fprintf(stream, "%" PRIu32, *(const uint32_t *)place);
        return;
    case ERX_SETTING_UNSIGNED64:
        (void)fprintf(stream, "%" PRIu64, *(const uint64_t *)place);
        return;
    case ERX_SETTING_TEXT:
        (void)fprintf(stream, "%s", (const char *)place);
        return;
    case ERX_SETTING_RATE:
        (void)fprintf(stream, rate->denominator == 1 ? "%u" : "%u/%u", rate->numerator,
                      rate->denominator);
        return;
    case ERX_SETTING_LEVEL:
        (void)fprintf(stream, "%s", levels[*(const erx_log_level_t *)place]);
        return;
    case ERX_SETTING_SWITCH:
        (void)fprintf(stream, "%s", *(const bool *)place ? "yes" : "no");
        return;
    }
}

void erx_config_print(const erx_config_t *config, FILE *stream)
{
    for (size_t i = 0; i < erx_setting_count; i++) {
        const erx_setting_t *setting = &erx_settings[i];
        if (setting->section != NULL)
            (void)fprintf(stream, "%s# == %s ==\n", i > 0 ? "\n" : "", setting->section);
        (void)fprintf(stream, "\n# %s\n", setting->meaning);
        if (setting->greatest > 0)
            (void)fprintf(stream, "# From %" PRIu64 " to %" PRIu64 ".\n", setting->least,
                          setting->greatest);
        (void)fprintf(stream, "%s = ", setting->name);
        print_value(config, setting, stream);
        (void)fprintf(stream, "\n");
    }
}

bool erx_config_address(const char *text, char host_out[ERX_CONFIG_TEXT_MAX], uint16_t *port_out,
                        erx_failure_t *failure)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || colon == text || !read_number(colon + 1, &port) || port > PORT_MAX)
        return erx_failure_set(failure, "listen: '%s' is not HOST:PORT with a port of at most %u",
                               text, PORT_MAX);
    size_t length = (size_t)(colon - text);
    if (text[0] == '[' && colon[-1] == ']') {
        text++;
        length -= 2;
    }
    if (length >= ERX_CONFIG_TEXT_MAX)
        return erx_failure_set(failure, "listen: a host name of more than %u characters",
                               ERX_CONFIG_TEXT_MAX - 1);
    memcpy(host_out, text, length);
    host_out[length] = '\0';
    *port_out = (uint16_t)port;
    return true;
}
