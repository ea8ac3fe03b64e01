#ifndef ERX_TESTS_MEM_MEM_SUITES_H
#define ERX_TESTS_MEM_MEM_SUITES_H

#include "tests/support/check_main.h"

Suite *alloc_suite(void);
Suite *region_suite(void);
Suite *status_suite(void);
Suite *weights_suite(void);
Suite *weights_faults_suite(void);

#endif
