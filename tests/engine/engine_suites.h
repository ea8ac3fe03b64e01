#ifndef ERX_TESTS_ENGINE_ENGINE_SUITES_H
#define ERX_TESTS_ENGINE_ENGINE_SUITES_H

#include "tests/support/check_main.h"

Suite *account_suite(void);
Suite *accounts_random_suite(void);
Suite *accounts_suite(void);
Suite *batch_suite(void);
Suite *block_suite(void);
Suite *checkpoint_suite(void);
Suite *cost_suite(void);
Suite *data_directory_suite(void);
Suite *data_file_suite(void);
Suite *execute_suite(void);
Suite *frame_path_suite(void);
Suite *golden_suite(void);
Suite *invariance_suite(void);
Suite *io_suite(void);
Suite *journal_ring_suite(void);
Suite *journal_suite(void);
Suite *manifest_members_suite(void);
Suite *manifest_suite(void);
Suite *model_file_suite(void);
Suite *model_suite(void);
Suite *session_changes_suite(void);
Suite *policy_file_suite(void);
Suite *policy_suite(void);
Suite *session_suite(void);
Suite *store_suite(void);
Suite *recover_suite(void);
Suite *tensors_check_suite(void);
Suite *transfer_suite(void);
Suite *virtual_disk_suite(void);

#endif
