#ifndef ERX_TESTS_PERF_PERF_SUITES_H
#define ERX_TESTS_PERF_PERF_SUITES_H

#include "tests/support/check_main.h"

Suite *histogram_suite(void);

#endif
