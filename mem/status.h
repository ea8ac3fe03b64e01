/* Status codes of every fallible call, and the error that says what to do.
 *
 * A function that can fail for reasons outside the program returns an
 * erx_status_t and, where a person will read the reason, takes an
 * erx_error_t * as its last parameter (never NULL). On failure it has no
 * effect. Misuse by our own code is not a status: it is an ERX_ASSERT. */
#ifndef ERX_MEM_STATUS_H
#define ERX_MEM_STATUS_H

#include "mem/base.h"

typedef int32_t erx_status_t;

enum {
    ERX_OK = 0,
    /* What the caller asked for. */
    ERX_ERR_ARGUMENT = -10,  /* a value that is never valid */
    ERX_ERR_RANGE = -11,     /* outside the range that the message names */
    ERX_ERR_STATE = -12,     /* not now: wrong state of the object */
    ERX_ERR_NOT_FOUND = -13, /* no such file, session, model */
    ERX_ERR_FULL = -14,      /* a limit that was set at start is reached */
    /* What the system answered. */
    ERX_ERR_IO = -20,
    ERX_ERR_MEMORY = -21,
    ERX_ERR_PERMISSION = -22,
    ERX_ERR_UNSUPPORTED = -23, /* this machine or build cannot */
    /* What the data holds. */
    ERX_ERR_FORMAT = -30, /* not the documented form */
    ERX_ERR_HASH = -31,   /* well-formed, but not the bytes that were promised */
    ERX_ERR_DIFFERS = -32 /* two results that must be equal are not */
};

#define ERX_ERROR_TEXT_MAX 512

/* A failure with its reason. text is one line without a final period or
 * newline; it names the field or file and what to do. */
typedef struct {
    erx_status_t status;
    char text[ERX_ERROR_TEXT_MAX];
} erx_error_t;

/* Name of a status code; never NULL, also for unknown codes. */
const char *erx_status_text(erx_status_t status);

/* Records a failure and returns status, so that a caller can write
 * `return erx_error_set(error, ERX_ERR_FORMAT, ...)`. A longer text is cut. */
erx_status_t erx_error_set(erx_error_t *error, erx_status_t status, const char *format, ...)
    ERX_PRINTF(3, 4);

/* Puts "prefix: " in front of the recorded text and returns its status. */
erx_status_t erx_error_prefix(erx_error_t *error, const char *format, ...) ERX_PRINTF(2, 3);

#endif
