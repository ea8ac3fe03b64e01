#include "node/log.h"

#include "node/node_clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES   1024u
#define STATUS_MAX_BYTES 256u
#define CLEAR_LINE       "\r\x1b[K"

static const char *const level_names[] = {"error", "warning", "info", "debug"};

/* The process has one stderr, so it has one log. */
static atomic_int current_level = ERX_LOG_INFO;
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static char status_line[STATUS_MAX_BYTES];

void erx_log_set_level(erx_log_level_t level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

bool erx_log_is_on(erx_log_level_t level)
{
    return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

bool erx_log_level_parse(const char *name, erx_log_level_t *level_out)
{
    for (size_t i = 0; i < ERX_ARRAY_COUNT(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level_out = (erx_log_level_t)i;
            return true;
        }
    }
    return false;
}

/* The log is the last resort: where it cannot be written nobody can be told. */
static void put(const char *bytes, size_t count)
{
    ssize_t written = write(STDERR_FILENO, bytes, count);
    (void)written;
}

static size_t begin_line(char *line, size_t capacity, erx_log_level_t level, const char *event)
{
    uint64_t now = erx_node_unix_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    char date[32];
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    int length = snprintf(line, capacity, "%s.%03uZ %-7s %s ", date, (unsigned)(now % 1000),
                          level_names[level], event);
    return length < 0 ? 0 : ERX_LESSER((size_t)length, capacity - 1);
}

void erx_log(erx_log_level_t level, const char *event, const char *format, ...)
{
    if (!erx_log_is_on(level))
        return;
    char line[LINE_MAX_BYTES];
    size_t length = begin_line(line, sizeof line - 1, level, event);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + length, sizeof line - 1 - length, format, arguments);
    va_end(arguments);
    if (more > 0)
        length += ERX_LESSER((size_t)more, sizeof line - 2 - length);
    /* What clients sent may be in the line: it stays one line. */
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
            line[i] = '?';
    line[length++] = '\n';
    (void)pthread_mutex_lock(&output_lock);
    if (status_line[0] != '\0')
        put(CLEAR_LINE, sizeof CLEAR_LINE - 1);
    put(line, length);
    put(status_line, strlen(status_line));
    (void)pthread_mutex_unlock(&output_lock);
}

void erx_log_status_line(const char *line)
{
    (void)pthread_mutex_lock(&output_lock);
    put(CLEAR_LINE, sizeof CLEAR_LINE - 1);
    (void)snprintf(status_line, sizeof status_line, "%s", line);
    put(status_line, strlen(status_line));
    (void)pthread_mutex_unlock(&output_lock);
}
