/* `erx inspect` of an archive: which blocks its records are of, what happened in
 * them, whether they are whole. */
#ifndef ERX_TOOLS_ARCHIVE_REPORT_H
#define ERX_TOOLS_ARCHIVE_REPORT_H

#include "mem/status.h"

/* Whether a directory is an archive. */
bool erx_archive_report_applies(const char *path);

/* Prints it, or writes it to the file json ("-": standard output) where that is
 * not NULL. Errors: those of reading, ERX_ERR_HASH where a record is damaged,
 * after what was read has been reported. */
erx_status_t erx_archive_report(const char *path, const char *json, erx_error_t *error);

#endif
