#ifndef ERX_TESTS_ABI_ABI_SUITES_H
#define ERX_TESTS_ABI_ABI_SUITES_H

#include "tests/support/check_main.h"

Suite *base_layer_suite(void);
Suite *blocks_suite(void);
Suite *durable_suite(void);
Suite *handle_suite(void);
Suite *misuse_suite(void);
Suite *model_accounts_suite(void);
Suite *rollup_suite(void);
Suite *threads_suite(void);
Suite *transactions_suite(void);
Suite *session_transfer_suite(void);
Suite *vm_suite(void);
Suite *watches_suite(void);

#endif
