#ifndef ERX_TESTS_ENGINE_MATMUL_MATMUL_SUITES_H
#define ERX_TESTS_ENGINE_MATMUL_MATMUL_SUITES_H

#include "tests/support/check_main.h"

Suite *compute_units_suite(void);
Suite *gate_suite(void);
Suite *matmul_call_suite(void);
Suite *matrix_cache_suite(void);

#endif
