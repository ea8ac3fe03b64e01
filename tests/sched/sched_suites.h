#ifndef ERX_TESTS_SCHED_SCHED_SUITES_H
#define ERX_TESTS_SCHED_SCHED_SUITES_H

#include "tests/support/check_main.h"

Suite *clock_suite(void);
Suite *cpu_list_suite(void);
Suite *gang_suite(void);
Suite *topo_suite(void);

#endif
