/* Structured log lines on stderr, one event a line:
 *
 *   2026-11-21T17:04:05.123Z info  listening address=127.0.0.1:8899
 *
 * Time, level, event, then name=value pairs; values with spaces are quoted by
 * the caller's format. Any thread; a line is written with one system call. */
#ifndef ERX_NODE_LOG_H
#define ERX_NODE_LOG_H

#include "node/common.h"

typedef enum {
    ERX_LOG_ERROR,   /* something that the operator must see to */
    ERX_LOG_WARNING, /* something failed; the validator goes on by itself */
    ERX_LOG_INFO,    /* what an operator wants to know: start, stop, recovery */
    ERX_LOG_DEBUG,   /* single connections and transactions */
} erx_log_level_t;

/* Lines less severe than level are dropped from now on. */
void erx_log_set_level(erx_log_level_t level);
bool erx_log_is_on(erx_log_level_t level);

/* The level of a name (error, warning, info, debug); false for another one. */
bool erx_log_level_parse(const char *name, erx_log_level_t *level_out);

void erx_log(erx_log_level_t level, const char *event, const char *format, ...) ERX_FORMATS(3, 4);

/* A line that stays at the bottom of a terminal, below the log; empty removes it.
 * Not called where stderr is no terminal. */
void erx_log_status_line(const char *line);

#endif
