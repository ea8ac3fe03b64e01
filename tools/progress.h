/* Progress of long work on stderr: a bar where the amount is known, a status
 * line where it is not. Shown on a terminal only, a few times a second; where
 * stderr is piped, nothing is printed. Never part of a command's output. */
#ifndef ERX_TOOLS_PROGRESS_H
#define ERX_TOOLS_PROGRESS_H

#include "mem/base.h"

typedef struct {
    const char *label; /* outlives the progress */
    uint64_t total;    /* amount of work; 0 where it is not known */
    uint64_t due_ns;   /* when the line may be drawn next */
    bool shown;        /* stderr is a terminal */
} erx_progress_t;

void erx_progress_start(erx_progress_t *progress, const char *label, uint64_t total);

/* Draws the bar at done of total. */
void erx_progress_update(erx_progress_t *progress, uint64_t done);

/* Replaces the line by a status text, cut to the terminal's width. */
void erx_progress_status(erx_progress_t *progress, const char *format, ...) ERX_PRINTF(2, 3);

/* Clears the line, so that what is printed next starts on a clean one. */
void erx_progress_finish(erx_progress_t *progress);

#endif
