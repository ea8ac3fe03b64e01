#ifndef ERX_TESTS_KERNELS_SUITES_H
#define ERX_TESTS_KERNELS_SUITES_H

#include "tests/support/check_main.h"

Suite *decay_suite(void);
Suite *gemm_suite(void);
Suite *image_suite(void);
Suite *matvec_suite(void);
Suite *ops_suite(void);
Suite *policy_run_suite(void);
Suite *requant_suite(void);
Suite *select_suite(void);
Suite *state_ops_suite(void);
Suite *world_suite(void);

#endif
