/* The reason why something could not be done, for a person to read. */
#ifndef ERX_NODE_FAILURE_H
#define ERX_NODE_FAILURE_H

#include "node/common.h"

#define ERX_FAILURE_TEXT_MAX 512

/* One line without a final period; names the setting or file and what to do. */
typedef struct {
    char text[ERX_FAILURE_TEXT_MAX];
} erx_failure_t;

/* Records a reason, cut where it is longer. Returns false, so that a function
 * can end with `return erx_failure_set(failure, ...)`. */
bool erx_failure_set(erx_failure_t *failure, const char *format, ...) ERX_FORMATS(2, 3);

#endif
