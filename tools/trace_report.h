/* What a trace holds, for people and for machines: its games and how its
 * players play, beside the figures of recorded play. */
#ifndef ERX_TOOLS_TRACE_REPORT_H
#define ERX_TOOLS_TRACE_REPORT_H

#include "tools/trace.h"

/* Prints what the trace at path holds or, where json is not NULL, writes it there as
 * JSON; "-" is the standard output. */
erx_status_t erx_trace_report(const char *path, const char *json, erx_error_t *error);

#endif
