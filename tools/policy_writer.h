/* Writes and shows policy directories (engine/policy_file.h). */
#ifndef ERX_TOOLS_POLICY_WRITER_H
#define ERX_TOOLS_POLICY_WRITER_H

#include "engine/policy_file.h"

#include <jansson.h>

/* Writes a checked policy. provenance and fidelity are the free-form parts;
 * NULL leaves one out; no reference is taken. The directory appears whole or
 * not at all. Errors: ERX_ERR_STATE (the target holds something), ERX_ERR_IO,
 * ERX_ERR_RANGE (path too long), ERX_ERR_MEMORY. */
erx_status_t erx_policy_write(const erx_policy_file_t *policy, const char *directory,
                              json_t *provenance, json_t *fidelity, erx_error_t *error);

/* The text of `erx inspect`; tensors adds the list of them. */
void erx_policy_report_print(const erx_policy_file_t *policy, bool tensors);

/* The same as JSON, to path ("-": standard output). */
erx_status_t erx_policy_report_json(const erx_policy_file_t *policy, const char *path,
                                    erx_error_t *error);

#endif
