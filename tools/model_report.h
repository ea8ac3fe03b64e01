/* What a model directory holds, for people and for machines. */
#ifndef ERX_TOOLS_MODEL_REPORT_H
#define ERX_TOOLS_MODEL_REPORT_H

#include "engine/model_file.h"

/* Which lists are printed besides the summary. */
typedef struct {
    bool tensors;
    bool shards;
} erx_model_report_t;

/* Prints to the standard output. */
void erx_model_report_print(const erx_model_file_t *file, const erx_model_report_t *report);

/* Writes everything as JSON to path; "-" is the standard output. */
erx_status_t erx_model_report_json(const erx_model_file_t *file, const char *path,
                                   erx_error_t *error);

#endif
