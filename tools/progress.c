#include "tools/progress.h"

#include "sched/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERVAL_NS     (ERX_NS_PER_SECOND / 8)
#define BAR_WIDTH       40u
#define LINE_MAX        256u
#define COLUMNS_DEFAULT 80u
#define CLEAR_LINE      "\r\033[K"

void erx_progress_start(erx_progress_t *progress, const char *label, uint64_t total)
{
    *progress =
        (erx_progress_t){.label = label, .total = total, .shown = isatty(STDERR_FILENO) == 1};
}

static bool due(erx_progress_t *progress)
{
    if (!progress->shown)
        return false;
    uint64_t now = erx_clock_now();
    if (now < progress->due_ns)
        return false;
    progress->due_ns = now + INTERVAL_NS;
    return true;
}

/* A line that wraps could not be replaced by the next one. */
static void draw(const char *line)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    int width = known ? size.ws_col - 1 : (int)COLUMNS_DEFAULT - 1;
    fprintf(stderr, CLEAR_LINE "%.*s", width, line);
}

void erx_progress_update(erx_progress_t *progress, uint64_t done)
{
    if (progress->total == 0 || !due(progress))
        return;
    char bar[BAR_WIDTH + 1];
    double part = (double)ERX_MIN(done, progress->total) / (double)progress->total;
    uint32_t filled = (uint32_t)(part * BAR_WIDTH);
    for (uint32_t i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    char line[LINE_MAX];
    (void)snprintf(line, sizeof line, "%s [%s] %3.0f%%", progress->label, bar, part * 100);
    draw(line);
}

void erx_progress_status(erx_progress_t *progress, const char *format, ...)
{
    if (!due(progress))
        return;
    char line[LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    draw(line);
}

void erx_progress_finish(erx_progress_t *progress)
{
    if (progress->shown)
        fputs(CLEAR_LINE, stderr);
    progress->shown = false;
}
