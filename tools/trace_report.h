/* What a trace holds, for people and for machines: its games and how its
 * players play, beside the figures of recorded play. */
#ifndef ERX_TOOLS_TRACE_REPORT_H
#define ERX_TOOLS_TRACE_REPORT_H

#include "tools/trace.h"

/* Prints to the standard output. */
void erx_trace_report_print(const erx_trace_t *trace);

/* Writes JSON to path; "-" is the standard output. */
erx_status_t erx_trace_report_json(const erx_trace_t *trace, const char *path, erx_error_t *error);

#endif
