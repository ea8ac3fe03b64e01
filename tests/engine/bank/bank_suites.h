/* The suites of this folder, one a test_<module>.c. */
#ifndef ERX_TESTS_ENGINE_BANK_BANK_SUITES_H
#define ERX_TESTS_ENGINE_BANK_BANK_SUITES_H

#include "tests/support/check_main.h"

Suite *bank_process_suite(void);
Suite *program_system_suite(void);
Suite *program_world_suite(void);
Suite *world_session_suite(void);
Suite *world_upload_suite(void);

#endif
