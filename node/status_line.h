/* One line with live figures at the bottom of the terminal. */
#ifndef ERX_NODE_STATUS_LINE_H
#define ERX_NODE_STATUS_LINE_H

#include "node/config.h"
#include "node/telemetry.h"

typedef struct {
    bool is_shown;
    erx_telemetry_t *telemetry;
    uint64_t shown_ns;
    uint64_t cpu_ns; /* at shown_ns, like the others */
    uint64_t frames;
    uint64_t transactions;
} erx_status_line_t;

/* Shown where stderr is a terminal and the settings do not forbid it. */
void erx_status_line_open(erx_status_line_t *line_out, const erx_config_t *config,
                          erx_telemetry_t *telemetry);

/* Draws it anew once a second. */
void erx_status_line_beat(erx_status_line_t *line, uint64_t now_ns);

/* Removes it. */
void erx_status_line_close(erx_status_line_t *line);

#endif
