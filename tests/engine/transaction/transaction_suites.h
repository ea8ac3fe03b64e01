#ifndef ERX_TESTS_ENGINE_TRANSACTION_TRANSACTION_SUITES_H
#define ERX_TESTS_ENGINE_TRANSACTION_TRANSACTION_SUITES_H

#include "tests/support/check_main.h"

Suite *address_suite(void);
Suite *base58_suite(void);
Suite *blockhash_suite(void);
Suite *intake_suite(void);
Suite *key_suite(void);
Suite *message_suite(void);
Suite *message_faults_suite(void);
Suite *message_resolve_suite(void);
Suite *recent_suite(void);
Suite *status_cache_suite(void);
Suite *transaction_error_suite(void);
Suite *verify_suite(void);

#endif
