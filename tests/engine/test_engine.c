#include "mem/base.h"
#include "tests/engine/engine_suites.h"

int main(void)
{
    static const erx_suite_fn suites[] = {
        account_suite,
        accounts_random_suite,
        accounts_suite,
        batch_suite,
        block_suite,
        checkpoint_suite,
        cost_suite,
        data_directory_suite,
        data_file_suite,
        execute_suite,
        frame_path_suite,
        golden_suite,
        invariance_suite,
        io_suite,
        journal_ring_suite,
        journal_suite,
        manifest_members_suite,
        manifest_suite,
        model_file_suite,
        model_suite,
        policy_file_suite,
        policy_suite,
        recover_suite,
        session_changes_suite,
        session_suite,
        store_suite,
        tensors_check_suite,
        transfer_suite,
        virtual_disk_suite,
    };
    return erx_check_run(suites, ERX_COUNT(suites));
}
