/* What a data directory holds, for erx inspect: models, sessions, the last
 * block, how old checkpoints are, sizes. Reads only; an engine may be running
 * on it, then the figures are of about now. */
#ifndef ERX_TOOLS_DATA_REPORT_H
#define ERX_TOOLS_DATA_REPORT_H

#include "mem/status.h"

/* Whether a directory is one (has its description). */
bool erx_data_report_applies(const char *path);

/* Prints it, or, with json not NULL, writes it there as JSON. Errors: damage
 * that a start would refuse, those of the files. */
erx_status_t erx_data_report(const char *path, const char *json, erx_error_t *error);

#endif
