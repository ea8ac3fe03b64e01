/* The text form of a set of processors: "0-3,8". Used by sched/topo.c. */
#ifndef ERX_SCHED_CPU_LIST_H
#define ERX_SCHED_CPU_LIST_H

#include "sched/topo.h"

/* Reads numbers and ranges of numbers below ERX_CPUS_MAX, separated by commas,
 * without spaces. listed_out[n] says whether n is in the list. Errors:
 * ERX_ERR_ARGUMENT, quoting the list and the place in it. */
erx_status_t erx_cpu_list_parse(const char *text, bool listed_out[ERX_CPUS_MAX],
                                erx_error_t *error);

#endif
