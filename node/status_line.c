#include "node/status_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PERIOD_NS       ERX_SECOND_NS
#define DEFAULT_COLUMNS 80u
#define LINE_BYTES      256u

void erx_status_line_open(erx_status_line_t *line_out, const erx_config_t *config,
                          erx_telemetry_t *telemetry)
{
    *line_out = (erx_status_line_t){
        .is_shown = config->status_line && isatty(STDERR_FILENO) == 1,
        .telemetry = telemetry,
    };
}

static size_t columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : DEFAULT_COLUMNS;
}

void erx_status_line_beat(erx_status_line_t *line, uint64_t now_ns)
{
    if (!line->is_shown || now_ns < line->shown_ns + PERIOD_NS)
        return;
    const erx_telemetry_t *telemetry = line->telemetry;
    uint64_t frames = erx_telemetry_get(telemetry, ERX_METRIC_FRAMES);
    uint64_t transactions = erx_telemetry_get(telemetry, ERX_METRIC_TRANSACTIONS);
    uint64_t cpu = erx_telemetry_get(telemetry, ERX_METRIC_CPU_PROCESS_NS);
    double seconds = (double)(now_ns - line->shown_ns) / (double)ERX_SECOND_NS;
    char text[LINE_BYTES];
    int length = snprintf(
        text, sizeof text,
        "slot %" PRIu64 "  %" PRIu64 " playing  %.0f frames/s  %.0f tx/s  late p99 %.2f ms  "
        "missed %" PRIu64 "  %" PRIu64 " clients  cpu %.0f %%",
        erx_telemetry_get(telemetry, ERX_METRIC_SLOT),
        erx_telemetry_get(telemetry, ERX_METRIC_SESSIONS_ACTIVE),
        (double)(frames - line->frames) / seconds,
        (double)(transactions - line->transactions) / seconds,
        (double)erx_telemetry_quantile(telemetry, ERX_TIMING_FRAME_LATENESS, 990) /
            (double)ERX_MILLISECOND_NS,
        erx_telemetry_get(telemetry, ERX_METRIC_TICKS_MISSED),
        erx_telemetry_get(telemetry, ERX_METRIC_CONNECTIONS),
        (double)(cpu - line->cpu_ns) / seconds / (double)ERX_SECOND_NS * 100.0);
    bool is_first = line->shown_ns == 0;
    line->shown_ns = now_ns;
    line->cpu_ns = cpu;
    line->frames = frames;
    line->transactions = transactions;
    size_t width = columns() - 1; /* a full line would wrap */
    if (length > 0 && (size_t)length > width)
        text[width] = '\0';
    if (!is_first)
        erx_log_status_line(text);
}

void erx_status_line_close(erx_status_line_t *line)
{
    if (line->is_shown)
        erx_log_status_line("");
    line->is_shown = false;
}
