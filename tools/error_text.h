/* Error messages that quote what came from a file. */
#ifndef ERX_TOOLS_ERROR_TEXT_H
#define ERX_TOOLS_ERROR_TEXT_H

#include "mem/status.h"

/* Replaces what is not printable ASCII, so that a name or a reason taken from
 * a file cannot break the line or reach the terminal as a command. Returns the
 * error's status. */
erx_status_t erx_error_make_printable(erx_error_t *error);

#endif
